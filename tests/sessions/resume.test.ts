// Sessions of `hawser.1` over several connections: both real ends, an in-memory network, a simulated clock.
import { describe, expect, it } from "vitest"
import type { Client, ClientOptions, SessionEvent } from "@hawser/client"
import type { Dial } from "@hawser/protocol/core"
import { boundlessDials, createWorld, watchStatus } from "../faults/harness.ts"
import type { TestContract, World } from "../faults/harness.ts"

async function openClient(world: World, options: Partial<ClientOptions> = {}): Promise<Client<TestContract>> {
  const client = world.client({ limits: boundlessDials, ...options })
  const connected = client.connect()
  await world.clock.advance(100)
  await connected
  return client
}

describe("a session that loses its connection", () => {
  it("resumes without loss, in both directions", async () => {
    const world = createWorld({ profile: "hawser.1", latencyMs: 10 })
    const client = await openClient(world)
    const received: string[] = []
    const events: SessionEvent[] = []
    client.on("note", ({ text }) => received.push(text))
    client.onSession((event) => events.push(event))
    const [session] = world.server.local.sessions()
    const replies: Promise<unknown>[] = []
    for (let round = 0; round < 20; round += 1) {
      for (let count = 0; count < 5; count += 1) {
        const text = `${round}-${count}`
        session?.send("note", { text })
        replies.push(client.command("echo", { text }))
      }
      await world.clock.advance(7)
      if (round % 4 === 3) world.network.links.at(-1)?.cut()
      await world.clock.advance(30)
    }
    await world.clock.advance(5_000)
    const expected = Array.from({ length: 20 }, (_, round) =>
      Array.from({ length: 5 }, (__, count) => `${round}-${count}`),
    ).flat()
    expect(received).toEqual(expected)
    expect(world.handled).toEqual(expected)
    expect(await Promise.all(replies)).toEqual(expected.map((text) => ({ text })))
    expect(world.server.local.sessions()).toEqual([session])
    expect(events.length).toBeGreaterThan(1)
    expect(events.every(({ kind }) => kind === "resumed")).toBe(true)
    expect(world.serverErrors).toEqual([])
    expect(world.clientErrors).toEqual([])
    await world.clock.advance(1_000)
    const { sessionsResumed, connectionsLost, sessionsReset } = client.stats()
    expect([sessionsResumed, connectionsLost, sessionsReset]).toEqual([events.length, events.length, 0])
  })

  it("door-8 sends queued messages as soon as it is resumed, on a socket without `drained` events", async () => {
    const world = createWorld({ profile: "hawser.1", latencyMs: 10 })
    const dial: Dial = (url, protocols, events) =>
      world.network.dial(url, protocols, { ...events, drained: () => {} })
    const client = await openClient(world, { dial })
    world.network.listening = false
    client.cut()
    const reply = client.command("echo", { text: "waited" })
    await world.clock.advance(50)
    world.network.listening = true
    await Promise.all([client.connect(), world.clock.advance(50)])
    expect(world.handled).toEqual(["waited"])
    expect(await Promise.all([reply, world.clock.advance(50)])).toContainEqual({ text: "waited" })
  })

  it("moves to a new connection before the old one ends, without a visible gap", async () => {
    const world = createWorld({ profile: "hawser.1", latencyMs: 10 })
    const client = await openClient(world)
    const states = watchStatus(client)
    const drained = world.server.drain({ spreadMs: 100, graceMs: 1_000 })
    await world.clock.advance(500)
    await drained
    expect(states).toEqual([])
    expect(world.network.links).toHaveLength(2)
    expect(client.stats()).toMatchObject({ sessionsResumed: 1, connectionsLost: 0 })
  })
})
