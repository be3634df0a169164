// The timer of the client's acknowledgements (docs/protocol.md: N5, L5): one, however often acknowledgements are sent
// by count.
import { describe, expect, it } from "vitest"
import type { Client } from "@hawser/client"
import { createWorld, openClient } from "../faults/harness.ts"
import type { TestContract, World } from "../faults/harness.ts"

/** Ten times one message more than the bound for an immediate acknowledgement. */
async function tenBursts(world: World, client: Client<TestContract>): Promise<number[]> {
  const timers: number[] = []
  for (let burst = 0; burst < 10; burst += 1) {
    for (let index = 0; index < 129; index += 1) world.server.broadcast("note", { text: "burst" })
    await world.clock.advance(10)
    timers.push(client.stats().timers)
  }
  return timers
}

describe("acknowledgements that are sent by count", () => {
  it("leave one timer, whose acknowledgement is sent in time", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const client = await openClient(world)
    const idle = client.stats().timers
    const timers = await tenBursts(world, client)
    expect(timers).toEqual(timers.map(() => idle + 1))
    expect(client.stats()).toMatchObject({ handled: 1_290, acksSent: 10 })
    await world.clock.advance(500)
    expect(client.stats()).toMatchObject({ timers: idle, acksSent: 11 })
    expect(world.server.stats().bufferedMessages).toBe(0)
  })

  it("leave no timer on a closed client", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const client = await openClient(world)
    await tenBursts(world, client)
    client.close()
    expect(client.stats().timers).toBe(0)
  })

  it("leave no timer of a session that is reset", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const client = await openClient(world)
    const idle = client.stats().timers
    await tenBursts(world, client)
    world.network.links[0]?.server.send({ bytes: Uint8Array.of(0x40, 0xc1) })
    await world.clock.advance(400)
    expect(client.stats()).toMatchObject({ sessionsReset: 1, sessionsOpened: 2, timers: idle })
  })
})
