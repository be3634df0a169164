// Precedence among several messages of a server, or several events of a client.
import { HawserError } from "@hawser/protocol"
import { unwatched } from "@hawser/protocol/testing"
import { describe, expect, it } from "vitest"
import { createWorld, openClient, watchStatus } from "../faults/harness.ts"

describe("a client that got GOAWAY", () => {
  it("moves with its renewed token, without a visible gap", async () => {
    const wallMs = 1_700_000_000_000
    const world = createWorld({
      profile: "hawser.1",
      server: {
        authenticate(token) {
          const expiry = Number(token)
          if (expiry <= world.clock.now()) throw new HawserError("auth_token_expired")
          return { id: "ann", expiresAtMs: wallMs + expiry }
        },
      },
    })
    const client = await openClient(world, { token: () => String(world.clock.now() + 100_000) })
    await world.clock.advance(150_000)
    const states = watchStatus(client)
    const drained = world.server.drain({ spreadMs: 10, graceMs: 1_000 })
    await world.clock.advance(2_000)
    await drained
    expect(states).toEqual([])
    expect(client.stats()).toMatchObject({ connectionsLost: 0, sessionsResumed: 1 })
  })

  it("does not reconnect after a takeover of its session, though BYE is lost", async () => {
    const world = createWorld({ profile: "hawser.1", limits: { sessionsPerUser: 1 } })
    const first = await openClient(world)
    first.command("never", {}).catch(() => {})
    await world.clock.settle()
    // Sends GOAWAY, and waits for the request.
    unwatched(world.server.close())
    await world.clock.settle()
    world.network.links[0]?.server.close(4409, "replaced")
    await world.clock.advance(30_000)
    expect(first.current).toMatchObject({ state: "closed", error: { code: "replaced" } })
  })
})
