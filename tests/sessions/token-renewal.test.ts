// Authentication over the life of a session (docs/protocol.md, section 13): both real ends on a simulated clock.
import type { ClientOptions, SessionEvent } from "@hawser/client"
import { HawserError } from "@hawser/protocol"
import { describe, expect, it } from "vitest"
import { createWorld, openClient } from "../faults/harness.ts"
import type { World, WorldOptions } from "../faults/harness.ts"

const wallStartMs = 1_700_000_000_000

/** Tokens are `user@expiry`, in milliseconds of the simulated clock; an expired one is refused. */
function createWorldWithExpiry(options: WorldOptions): World {
  const world = createWorld({
    ...options,
    server: {
      authenticate(token) {
        const [id = "", expiry = "0"] = token.split("@")
        if (Number(expiry) <= world.clock.now()) throw new HawserError("auth_token_expired")
        return { id, expiresAtMs: wallStartMs + Number(expiry) }
      },
    },
  })
  return world
}

async function open(world: World, options: Partial<ClientOptions>) {
  const client = await openClient(world, options)
  const events: SessionEvent[] = []
  client.onSession((event) => events.push(event))
  return { client, events }
}

describe("a session whose token expires", () => {
  it("continues with a fresh token of the same user, on the same connection", async () => {
    const world = createWorldWithExpiry({ profile: "hawser.1" })
    const { events } = await open(world, { token: () => `ann@${world.clock.now() + 100_000}` })
    await world.clock.advance(500_000)
    expect(world.network.links).toHaveLength(1)
    expect(events).toEqual([])
    expect(world.server.local.sessions("ann")[0]?.user).not.toMatchObject({
      expiresAtMs: wallStartMs + 100_000,
    })
  })

  it("loses its connection 30 s after the expiry, and resumes with a good token", async () => {
    const world = createWorldWithExpiry({ profile: "hawser.1" })
    let token = "ann@100000"
    const { client, events } = await open(world, { token: () => token })
    const [session] = world.server.local.sessions()
    await world.clock.advance(129_000)
    expect([session?.attached, world.network.links.length]).toEqual([true, 1])
    token = "ann@900000"
    await world.clock.advance(10_000)
    expect([client.current.state, world.network.links.length]).toEqual(["open", 2])
    expect(events.map(({ kind }) => kind)).toEqual(["resumed"])
    expect(world.server.local.sessions()).toEqual([session])
  })

  it("ends for good when the fresh token is another user's", async () => {
    const world = createWorldWithExpiry({ profile: "hawser.1" })
    const tokens = ["ann@100000", "bob@900000"]
    const { client, events } = await open(world, { token: () => tokens.shift() ?? "" })
    await world.clock.advance(60_000)
    expect(client.current).toMatchObject({ state: "closed", error: { code: "auth_forbidden" } })
    expect(events).toMatchObject([{ kind: "reset", cause: "auth_forbidden" }])
    expect(world.server.local.sessions()).toEqual([])
  })

  it("keeps its connection in profile 2.0, which has no renewal", async () => {
    const world = createWorldWithExpiry({ profile: "2.0" })
    const { client } = await open(world, { token: "ann@100000" })
    await world.clock.advance(500_000)
    expect(client.current.state).toBe("open")
    expect(world.network.links).toHaveLength(1)
  })
})
