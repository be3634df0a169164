// One client among 500 does not read: the bounds hold, the others are not delayed, and it ends without loss or with a
// reset.
import { unwatched } from "@hawser/protocol/testing"
import type { Client, SessionEvent } from "@hawser/client"
import { describe, expect, it } from "vitest"
import { createWorld } from "../faults/harness.ts"
import type { TestContract, World, WorldOptions } from "../faults/harness.ts"

const readers = 500
const tickMs = 50

interface Audience {
  readonly world: World
  readonly clients: readonly Client<TestContract>[]
  /** Messages that each client received, in order. */
  readonly received: readonly string[][]
  readonly events: readonly SessionEvent[][]
}

async function gather(limits: WorldOptions["limits"] = {}): Promise<Audience> {
  const world = createWorld({ profile: "hawser.1", latencyMs: 5, limits })
  const received: string[][] = []
  const events: SessionEvent[][] = []
  const clients = Array.from({ length: readers }, (_, index) => {
    const client = world.client({ token: `reader ${index}` })
    const texts: string[] = []
    const sessionEvents: SessionEvent[] = []
    received.push(texts)
    events.push(sessionEvents)
    client.on("note", ({ text }) => texts.push(text))
    client.onSession((event) => sessionEvents.push(event))
    unwatched(client.connect())
    return client
  })
  await world.clock.advance(100)
  return { world, clients, received, events }
}

/**
 * Broadcasts for a while; the first client's link is stalled meanwhile. Returns the number of other clients that ever
 * lagged.
 */
async function stall(audience: Audience, ticks: number): Promise<{ texts: string[]; lagged: number }> {
  const { world, received } = audience
  world.network.links[0]?.server.stall(true)
  const texts: string[] = []
  let lagged = 0
  for (let tick = 0; tick < ticks; tick += 1) {
    const text = `tick ${tick} ${"x".repeat(200)}`
    texts.push(text)
    world.server.broadcast("note", { text })
    await world.clock.advance(tickMs)
    for (const own of received.slice(1)) if (own.at(-1) !== text) lagged += 1
  }
  return { texts, lagged }
}

describe("a reader that does not read, among 500", { timeout: 120_000 }, () => {
  it("delays no other client, and has everything once it reads again", async () => {
    const audience = await gather()
    const { world, received, events } = audience
    const { texts, lagged } = await stall(audience, 30)
    expect(lagged).toBe(0)
    expect(received[0]).toEqual([])
    world.network.links[0]?.server.stall(false)
    await world.clock.advance(2_000)
    for (const own of received) expect(own).toEqual(texts)
    expect(events.flat().filter(({ kind }) => kind !== "opened")).toEqual([])
    // Encoded once for all of them.
    expect(world.server.stats().publicationsEncoded).toBe(30)
  })

  it("is dropped when it acknowledges nothing for too long, and resumes exactly", async () => {
    const audience = await gather({ ackProgressMs: 1_000, pingAfterMs: 1_000, pongTimeoutMs: 10_000 })
    const { world, received, events } = audience
    const { texts, lagged } = await stall(audience, 60)
    expect(lagged).toBe(0)
    await world.clock.advance(10_000)
    expect(events[0]?.map(({ kind }) => kind)).toEqual(["opened", "resumed"])
    for (const own of received) expect(own).toEqual(texts)
  })

  it("abuse-A43 ends with an explicit reset when its bound is full, and the bound is never exceeded", async () => {
    const audience = await gather({ sendBufferMaxCount: 16 })
    const { world, received, events } = audience
    const { texts, lagged } = await stall(audience, 40)
    expect(lagged).toBe(0)
    world.network.links[0]?.server.stall(false)
    await world.clock.advance(5_000)
    expect(events[0]?.map(({ kind }) => kind)).toEqual(["opened", "reset", "opened"])
    expect(events[0]).toContainEqual(expect.objectContaining({ kind: "reset", cause: "session_overflow" }))
    // Its received messages are a prefix of the sent ones, without a gap.
    const own = received[0] ?? []
    expect(own).toEqual(texts.slice(0, own.length))
    for (const other of received.slice(1)) expect(other).toEqual(texts)
    expect(world.server.local.sessions()).toHaveLength(readers)
  })
})
