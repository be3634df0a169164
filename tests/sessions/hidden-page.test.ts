// A client in a hidden page, whose timers browsers delay by up to a minute while its messages arrive: real ends over an
// in-memory network, on a simulated clock.
import type { Client, SessionEvent } from "@hawser/client"
import { frameByte } from "@hawser/protocol/core"
import type { ServerLimits } from "@hawser/protocol"
import { SimulatedProcess } from "@hawser/protocol/testing"
import type { Throttle } from "@hawser/protocol/testing"
import { describe, expect, it } from "vitest"
import { createWorld, watchStatus } from "../faults/harness.ts"
import type { TestContract, World } from "../faults/harness.ts"

/** Chromium's intensive throttling, and that of a browser which throttles all timers alike. */
const throttles: readonly (readonly [string, Throttle])[] = [
  ["chains of timers run once a minute", { chainedMs: 60_000, freshMs: 1_000 }],
  ["all timers run once a minute", { chainedMs: 60_000, freshMs: 60_000 }],
]

interface HiddenPage {
  readonly world: World
  readonly client: Client<TestContract>
  readonly page: SimulatedProcess
  readonly events: SessionEvent[]
}

/** Opens a client, lets it idle for a while, and hides its page. */
async function hide(throttle: Throttle, limits: Partial<ServerLimits> = {}): Promise<HiddenPage> {
  const world = createWorld({ profile: "hawser.1", latencyMs: 20, limits })
  const page = new SimulatedProcess(world.clock)
  const client = world.client({ clock: page })
  const events: SessionEvent[] = []
  client.onSession((event) => events.push(event))
  const connected = client.connect()
  await world.clock.advance(10_200)
  await connected
  page.throttle(throttle)
  return { world, client, page, events }
}

describe.each(throttles)("a hidden page in which %s", (_, throttle) => {
  it("surprise-A1 keeps its connection through 170 s with an event every 4 s, and acknowledges as they arrive", async () => {
    const { world, client, events } = await hide(throttle, { ackProgressMs: 30_000 })
    const statuses = watchStatus(client)
    const heardAtMs: number[] = []
    client.on("note", () => heardAtMs.push(world.clock.now()))
    const sentAtMs: number[] = []
    let mostBuffered = 0
    for (let count = 0; count < 45; count += 1) {
      world.server.broadcast("note", { text: `${count}` })
      sentAtMs.push(world.clock.now())
      await world.clock.advance(4_000)
      mostBuffered = Math.max(mostBuffered, world.server.stats().bufferedMessages)
    }
    expect(heardAtMs).toEqual(sentAtMs.map((atMs) => atMs + 20))
    expect(mostBuffered).toBeLessThanOrEqual(2)
    expect([statuses, events.map(({ kind }) => kind)]).toEqual([[], ["opened"]])
    expect(world.server.stats()).toMatchObject({ slowConsumersClosed: 0, silentConnectionsClosed: 0 })
  })
})

describe.each(throttles)("a hidden page in which %s, with few messages", (_, throttle) => {
  it("surprise-A1 acknowledges a single event before the server's timeout", async () => {
    const { world, events } = await hide(throttle)
    world.server.broadcast("note", { text: "only one" })
    await world.clock.advance(61_000)
    expect(world.server.stats().bufferedMessages).toBe(0)
    await world.clock.advance(600_000)
    expect(events.map(({ kind }) => kind)).toEqual(["opened"])
  })

  it("surprise-A1 probes at its first late ticks, which look like a sleep, and not once a minute", async () => {
    const { world } = await hide(throttle)
    const probes = (): number =>
      world.network.links[0]?.client.sent.filter(([byte]) => byte === frameByte.ping).length ?? 0
    const probesBefore = probes()
    for (let count = 0; count < 30; count += 1) {
      world.server.broadcast("where", { who: "bob", x: count })
      await world.clock.advance(20_000)
    }
    expect(probes() - probesBefore).toBeLessThanOrEqual(2)
  })

  it("accepts the answer to a probe that arrived before its late timer", async () => {
    const { world, client, page, events } = await hide(throttle)
    const roundTrip = client.ping()
    await world.clock.advance(40)
    expect(await roundTrip).toBe(40)
    await world.clock.advance(300_000)
    page.throttle(undefined)
    await world.clock.advance(300_000)
    expect(events.map(({ kind }) => kind)).toEqual(["opened"])
    expect(client.stats().outages).toBe(0)
  })

  it("still detects a dead connection", async () => {
    const { world, client } = await hide(throttle)
    world.network.links[0]?.blackHole()
    await world.clock.advance(300_000)
    expect(client.stats()).toMatchObject({ outages: 1, reconnections: 1 })
  })
})

describe("a client whose timers do not run at all", () => {
  it("surprise-A1 gets a PING for its count, answers without a timer, and is no slow consumer", async () => {
    const never = { chainedMs: 3_600_000, freshMs: 3_600_000 }
    const { world, events } = await hide(never, { ackProgressMs: 30_000 })
    world.server.broadcast("note", { text: "only one" })
    await world.clock.advance(14_900)
    expect(world.server.stats().bufferedMessages).toBe(1)
    await world.clock.advance(2_000)
    expect(world.server.stats().bufferedMessages).toBe(0)
    await world.clock.advance(600_000)
    expect(events.map(({ kind }) => kind)).toEqual(["opened"])
    expect(world.server.stats().slowConsumersClosed).toBe(0)
  })
})
