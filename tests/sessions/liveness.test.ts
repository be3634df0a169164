// Doubts, probes and pings between real ends over an in-memory network: which connections are found dead, when, and
// which are not.
import type { Client, SessionEvent } from "@hawser/client"
import { defaultClientLimits } from "@hawser/protocol"
import type { ServerLimits } from "@hawser/protocol"
import { SimulatedClock, SimulatedProcess, createMemoryNetwork } from "@hawser/protocol/testing"
import { describe, expect, it } from "vitest"
import { createWorld, rejection, watchStatus } from "../faults/harness.ts"
import type { TestContract, World, WorldOptions } from "../faults/harness.ts"
import { sendHello } from "./scripted-client.ts"

interface Pair {
  readonly world: World
  readonly client: Client<TestContract>
  readonly events: SessionEvent[]
  readonly statuses: ReturnType<typeof watchStatus>
}

async function open(options: Partial<WorldOptions> = {}): Promise<Pair> {
  const { latencyMs = 20 } = options
  const world = createWorld({ profile: "hawser.1", latencyMs, ...options })
  const client = world.client()
  const events: SessionEvent[] = []
  client.onSession((event) => events.push(event))
  const connected = client.connect()
  await world.clock.advance(10 * latencyMs + 100)
  await connected
  return { world, client, events, statuses: watchStatus(client) }
}

/** Stalls both directions without a notice; queued bytes arrive at the end of the stall. */
function tunnel({ network }: World, isIn: boolean): void {
  for (const { client, server } of network.links) {
    client.stall(isIn)
    server.stall(isIn)
  }
}

describe("a request without any received byte", () => {
  it("surprise-A10 causes a doubt after 5 s: a stopped proxy is noticed 2 s later", async () => {
    const { world, client, statuses } = await open({ latencyMs: 5 })
    tunnel(world, true)
    const outcome = rejection(client.command("echo", { text: "anybody?" }, { timeoutMs: 60_000 }))
    await world.clock.advance(6_999)
    expect(statuses).toMatchObject([{ state: "doubtful" }])
    // One millisecond more for each unacknowledged byte.
    await world.clock.advance(50)
    expect(client.current.state).toBe("reconnecting")
    client.close()
    await outcome
  })

  it("surprise-A10 causes a doubt at its timeout, if that is sooner", async () => {
    const { world, client, statuses } = await open({ latencyMs: 5 })
    tunnel(world, true)
    const outcome = rejection(client.command("echo", { text: "anybody?" }, { timeoutMs: 1_000 }))
    await world.clock.advance(2_999)
    expect([(await outcome).code, statuses]).toMatchObject(["timeout", [{ state: "doubtful" }]])
    await world.clock.advance(50)
    expect(client.current.state).toBe("reconnecting")
    client.close()
  })

  it("surprise-A10 causes one probe and no change of the status, when only its handler is slow", async () => {
    const { world, client, statuses } = await open({ latencyMs: 5 })
    const sentBefore = client.stats().messagesSent
    const reply = client.command("slow", { ms: 20_000 }, { timeoutMs: 60_000 })
    await world.clock.advance(21_000)
    expect(await reply).toEqual({ ms: 20_000 })
    expect(statuses).toEqual([])
    // The request, its PING, and at most an acknowledgement.
    expect(client.stats().messagesSent - sentBefore).toBeLessThanOrEqual(3)
  })

  it("causes no doubt while any message arrives", async () => {
    const { world, client, statuses } = await open({ latencyMs: 5 })
    const reply = client.command("slow", { ms: 20_000 }, { timeoutMs: 60_000 })
    for (let second = 0; second < 21; second += 1) {
      world.server.broadcast("where", { who: "bob", x: second })
      await world.clock.advance(1_000)
    }
    await reply
    expect([statuses, client.stats().roundTripMs]).toEqual([[], undefined])
  })

  it("surprise-A10 causes a doubt as well after a retransmission on a new connection without an answer", async () => {
    const { world, client } = await open({ latencyMs: 5 })
    tunnel(world, true)
    const outcome = rejection(client.command("never", {}, { timeoutMs: 60_000 }))
    client.cut()
    // The new connection carries HELLO and WELCOME, and no other message.
    while (client.current.state !== "open") await world.clock.advance(20)
    tunnel(world, true)
    const { outages } = client.stats()
    await world.clock.advance(6_900)
    expect(client.stats().outages).toBe(outages)
    await world.clock.advance(200)
    expect(client.stats().outages).toBe(outages + 1)
    client.close()
    await outcome
  })

  it("surprise-C3 waits for the answer to its probe for longer while much is still being sent", async () => {
    const { world, client, statuses } = await open({ latencyMs: 5 })
    const outcomes = ["a", "b", "c"].map((letter) =>
      client.command("echo", { text: letter.repeat(5_000) }, { timeoutMs: 60_000 }),
    )
    // A link of 8 kbit/s: 15 s for the queued bytes, and the PING is behind them.
    tunnel(world, true)
    await world.clock.advance(16_000)
    expect(statuses).toEqual([])
    tunnel(world, false)
    await world.clock.advance(1_000)
    await Promise.all(outcomes)
    expect(client.stats().outages).toBe(0)
  })
})

describe("a link with a long round trip", () => {
  it("surprise-C3 survives wake(), and a silence, because its deadlines follow the measured round trip", async () => {
    const { world, client, statuses } = await open({ latencyMs: 1_250 })
    const measured = client.ping()
    await world.clock.advance(2_500)
    expect(await measured).toBe(2_500)
    for (let count = 0; count < 5; count += 1) {
      client.wake()
      await world.clock.advance(7_000)
    }
    await world.clock.advance(300_000)
    expect([statuses, client.stats().outages]).toEqual([[], 0])
  })

  it("still detects a dead connection within the bound", async () => {
    const limits: Partial<ServerLimits> = { pingAfterMs: 600_000 }
    const { world, client, statuses } = await open({ latencyMs: 2_000, limits })
    const measured = client.ping()
    await world.clock.advance(4_000)
    await measured
    world.network.links[0]?.blackHole()
    client.wake()
    await world.clock.advance(defaultClientLimits.probeTimeoutMaxMs - 1)
    expect(statuses).toMatchObject([{ state: "doubtful" }])
    await world.clock.advance(1)
    expect(client.current.state).toBe("reconnecting")
    client.close()
  })
})

/** Broadcasts one event a second, so that there is always a message to acknowledge. */
async function talk(world: World, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    world.server.broadcast("note", { text: `${second}` })
    await world.clock.advance(1_000)
  }
}

describe("a network outage", () => {
  it("surprise-C5 for 25 s closes no connection, and counts none", async () => {
    const { world, statuses, events } = await open()
    await talk(world, 5)
    tunnel(world, true)
    await talk(world, 25)
    tunnel(world, false)
    await talk(world, 60)
    expect(statuses).toEqual([])
    expect(events.map(({ kind }) => kind)).toEqual(["opened"])
    expect(world.server.stats()).toMatchObject({ slowConsumersClosed: 0, silentConnectionsClosed: 0 })
  })

  it("surprise-C5 for longer counts as a silent connection, not as a slow consumer", async () => {
    const { world } = await open({ limits: { ackProgressMs: 28_000, pongTimeoutMs: 10_000 } })
    await talk(world, 5)
    world.network.links[0]?.blackHole()
    await talk(world, 60)
    expect(world.server.stats()).toMatchObject({ slowConsumersClosed: 0, silentConnectionsClosed: 1 })
  })

  it("surprise-C5 does not count its own delay as the client's, after its end", async () => {
    const limits: Partial<ServerLimits> = { ackProgressMs: 10_000, pingAfterMs: 2_000, pongTimeoutMs: 20_000 }
    const { world, statuses } = await open({ limits })
    world.server.broadcast("note", { text: "on its way" })
    tunnel(world, true)
    await world.clock.advance(15_000)
    const [link] = world.network.links
    // The client's message arrives first, and the server's message a moment later.
    link?.client.stall(false)
    link?.client.send({ bytes: Uint8Array.of(0x06, 0x91, 0) })
    await world.clock.advance(1_500)
    link?.server.stall(false)
    await world.clock.advance(20_000)
    expect([world.server.stats().slowConsumersClosed, statuses]).toEqual([0, []])
  })
})

describe("the server's pings", () => {
  it("surprise-C3 have a longer, bounded timeout on slow connections", async () => {
    const limits: Partial<ServerLimits> = {
      pingAfterMs: 5_000,
      pongTimeoutMs: 1_000,
      pongTimeoutMaxMs: 8_000,
    }
    // Every answer takes 800 ms.
    const { world } = await open({ latencyMs: 400, limits })
    await world.clock.advance(60_000)
    expect(world.server.stats().silentConnectionsClosed).toBe(0)
    world.network.links[0]?.blackHole()
    await world.clock.advance(7_000)
    expect(world.server.stats().silentConnectionsClosed).toBe(0)
    await world.clock.advance(7_000)
    expect(world.server.stats().silentConnectionsClosed).toBe(1)
  })

  it("surprise-C3 give the next connection of a session twice the time after a missed answer", async () => {
    const limits: Partial<ServerLimits> = { pingAfterMs: 1_000, pongTimeoutMs: 1_000 }
    const world = createWorld({ profile: "hawser.1", limits })
    const first = await sendHello(world)
    world.network.links[0]?.blackHole()
    await world.clock.advance(2_300)
    expect(world.server.stats().silentConnectionsClosed).toBe(1)
    const { sessionId = "", resumeToken } = first.welcome ?? {}
    const resume = { sessionId, token: resumeToken ?? "", handled: 0, digest: 0, sent: 0 }
    await sendHello(world, { dial: 2, resume })
    world.network.links[1]?.blackHole()
    await world.clock.advance(2_900)
    expect(world.server.stats().silentConnectionsClosed).toBe(1)
    await world.clock.advance(400)
    expect(world.server.stats().silentConnectionsClosed).toBe(2)
  })

  it("surprise-A1 count no connection as silent or slow after a freeze of the server's own process", async () => {
    const clock = new SimulatedClock()
    const host = new SimulatedProcess(clock)
    const world = createWorld({
      profile: "hawser.1",
      clock,
      server: { clock: host },
      limits: { pingAfterMs: 1_000, pongTimeoutMs: 1_000, ackProgressMs: 20_000 },
    })
    // The server's sockets belong to the frozen process.
    const network = createMemoryNetwork({
      clock,
      latencyMs: 20,
      accept: (accepted) => {
        const events = world.server.accept(accepted)
        return {
          message: (bytes) => host.run(() => events.message(bytes)),
          text: () => host.run(() => events.text()),
          drained: () => host.run(() => events.drained()),
          pong: () => host.run(() => events.pong()),
          closed: (code, reason) => host.run(() => events.closed(code, reason)),
        }
      },
    })
    const client = world.client({ dial: network.dial, limits: { probeAfterMs: 600_000 } })
    const connected = client.connect()
    await clock.advance(1_000)
    await connected
    await clock.advance(500)
    world.server.broadcast("note", { text: "unacknowledged when it stops" })
    for (let step = 0; step < 25; step += 1) await clock.advance(10)
    host.freeze({ stopsClock: false, answersPings: false })
    await clock.advance(60_000)
    host.thaw()
    await clock.advance(5_000)
    expect(world.server.stats()).toMatchObject({ slowConsumersClosed: 0, silentConnectionsClosed: 0 })
    expect(client.stats().outages).toBe(0)
  })
})
