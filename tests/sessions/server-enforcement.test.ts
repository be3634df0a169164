// Duties of a server that do not depend on its client: rules that no honest client would miss.
import { describe, expect, it } from "vitest"
import { createWorld } from "../faults/harness.ts"
import { sendHello } from "./scripted-client.ts"

describe("a client that answers pings and acknowledges nothing", () => {
  it("is closed with 4408 after ackProgressMs, not before, and its session stays detached", async () => {
    const limits = { ackProgressMs: 5_000, pingAfterMs: 1_000, pongTimeoutMs: 1_000 }
    const world = createWorld({ profile: "hawser.1", limits })
    const client = await sendHello(world)
    const [session] = world.server.local.sessions()
    session?.send("note", { text: "for nobody" })
    await world.clock.advance(4_900)
    expect([client.closes, session?.attached]).toEqual([[], true])
    await world.clock.advance(1_000)
    expect([client.closes, session?.attached, session?.active]).toEqual([[4408], false, true])
    expect(world.server.stats()).toMatchObject({ slowConsumersClosed: 1, silentConnectionsClosed: 0 })
  })
})

describe("a client that answers nothing", () => {
  it("is dropped after the timeout, without a close from the network, and its session stays detached", async () => {
    const limits = { pingAfterMs: 1_000, pongTimeoutMs: 1_000, resumeWindowMs: 60_000 }
    const world = createWorld({ profile: "hawser.1", limits })
    await sendHello(world)
    world.network.links[0]?.blackHole()
    await world.clock.advance(3_000)
    expect(world.server.stats()).toMatchObject({ connections: 0, sessions: 1, sessionsDetached: 1 })
  })
})

describe("a client that floods, acknowledges nothing and dies", () => {
  it("is dropped after ackProgressMs, though the server has stopped reading", async () => {
    const world = createWorld({
      profile: "hawser.1",
      limits: { ackProgressMs: 5_000, throttledMaxMs: 60_000 },
    })
    const client = await sendHello(world)
    const [session] = world.server.local.sessions()
    for (let number = 0; number < 520; number += 1) session?.send("note", { text: `${number}` })
    const request = { kind: "request", call: undefined, budgetMs: 0 } as const
    for (let reference = 1; reference <= 1_100; reference += 1)
      client.send({ ...request, type: "echo", payload: { text: "x" }, reference })
    await world.clock.advance(100)
    world.network.links[0]?.blackHole()
    await world.clock.advance(60_000)
    expect(session?.attached).toBe(false)
    expect(world.server.stats()).toMatchObject({ connections: 0, slowConsumersClosed: 1 })
  })
})

describe("a server whose sessions end with their connection", () => {
  it("still sends the cause of a close: 4408 to a client that reads nothing", async () => {
    const limits = { resumeWindowMs: 0, ackProgressMs: 5_000 }
    const world = createWorld({ profile: "hawser.1", limits })
    const causes: string[] = []
    world.server.onSessionEnd(({ cause }) => causes.push(cause))
    const client = await sendHello(world)
    world.server.local.sessions()[0]?.send("note", { text: "for nobody" })
    await world.clock.advance(10_000)
    expect([client.closes, causes]).toEqual([[4408], ["slow_consumer"]])
  })
})

describe("the last values of keys", () => {
  it("are sent again after a resume only up to the bound of their bytes", async () => {
    const world = createWorld({ profile: "hawser.1", limits: { volatileSlotsMaxBytes: 10_000 } })
    const first = await sendHello(world)
    const [session] = world.server.local.sessions()
    const who = (number: number): string => `${number}`.padEnd(1_000, "x")
    for (let number = 0; number < 50; number += 1) {
      session?.send("where", { who: who(number), x: number })
      await world.clock.advance(10)
    }
    expect(first.received.filter(({ kind }) => kind === "volatile")).toHaveLength(50)
    first.cut()
    await world.clock.settle()
    const { sessionId = "", resumeToken } = first.welcome ?? {}
    const resume = { sessionId, token: resumeToken ?? "", handled: 0, digest: 0, sent: 0 }
    const second = await sendHello(world, { dial: 2, resume })
    await world.clock.advance(100)
    const again = second.received.flatMap((frame) => (frame.kind === "volatile" ? [frame.payload] : []))
    // Each takes about 2 KB: its key and its payload.
    expect(again).toEqual([46, 47, 48, 49].map((number) => ({ who: who(number), x: number })))
  })
})

describe("the WELCOME of a resume", () => {
  it("reports received messages, and acknowledges only handled ones", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const first = await sendHello(world)
    const request = { kind: "request", call: undefined, budgetMs: 0 } as const
    first.send({ ...request, type: "echo", payload: { text: "done" }, reference: 1 })
    first.send({ ...request, type: "slow", payload: { ms: 10_000 }, reference: 2 })
    await world.clock.settle()
    first.cut()
    await world.clock.settle()
    const { sessionId = "", resumeToken } = first.welcome ?? {}
    const resume = { sessionId, token: resumeToken ?? "", handled: 0, digest: 0, sent: 0 }
    const second = await sendHello(world, { dial: 2, resume })
    expect(second.welcome).toMatchObject({ sessionId, resumed: true, received: 2, handled: 1 })
  })
})

describe("a session that is ended twice", () => {
  it("ends once, with the first cause, and its client gets one BYE", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const ends: string[] = []
    world.server.onSessionEnd(({ cause }) => ends.push(cause))
    const client = await sendHello(world)
    const [session] = world.server.local.sessions()
    session?.end("forbidden")
    session?.end("cheated")
    await world.clock.advance(1_000)
    expect(ends).toEqual(["forbidden"])
    expect(client.received.flatMap((frame) => (frame.kind === "bye" ? [frame.code] : []))).toEqual([
      "forbidden",
    ])
    expect(world.server.stats().sessions).toBe(0)
  })
})

describe("a client that sends more requests than a session holds", () => {
  it("is not read for a while, and then read completely", async () => {
    const limits = { inboxHighWater: 1, heldMaxCount: 2 }
    const world = createWorld({ profile: "hawser.1", limits })
    const client = await sendHello(world)
    const numbers = Array.from({ length: 12 }, (_, index) => index + 1)
    const request = { kind: "request", call: undefined, type: "slow", budgetMs: 0 } as const
    for (const reference of numbers) {
      client.send({ ...request, payload: { ms: 10 }, reference })
      await world.clock.settle()
    }
    // One runs, one is queued, two are held, and at the third of these reading stopped.
    expect(world.server.stats().messagesReceived).toBe(5)
    await world.clock.advance(1_000)
    const answered = client.received.flatMap((frame) => (frame.kind === "reply" ? [frame.reference] : []))
    expect(answered).toEqual(numbers)
  })
})

describe("a client that sends requests and acknowledges nothing", () => {
  it("has its requests started only while there is room for their replies", async () => {
    const world = createWorld({ profile: "hawser.1", limits: { sendBufferMaxCount: 8 } })
    const client = await sendHello(world)
    const request = { kind: "request", call: undefined, type: "echo", budgetMs: 0 } as const
    for (let reference = 1; reference <= 20; reference += 1)
      client.send({ ...request, payload: { text: String(reference) }, reference })
    await world.clock.settle()
    const [session] = world.server.local.sessions()
    expect([session?.active, world.handled]).toEqual([true, ["1", "2", "3", "4"]])
    for (let handled = 4; handled <= 20; handled += 4) {
      client.send({ kind: "ack", handled })
      await world.clock.settle()
    }
    expect(world.handled).toEqual(Array.from({ length: 20 }, (_, index) => String(index + 1)))
  })
})

describe("the last value of a key", () => {
  it("arrives though its connection died with it, and no older value arrives after it", async () => {
    const world = createWorld({ profile: "hawser.1", latencyMs: 20 })
    const client = world.client()
    const connected = client.connect()
    await world.clock.advance(200)
    await connected
    const received: unknown[] = []
    client.on("where", (value) => received.push(value))
    const [session] = world.server.local.sessions()
    expect(session?.send("where", { who: "ann", x: 1 })).toBe("sent")
    expect(session?.send("where", { who: "bob", x: 2 })).toBe("sent")
    world.network.links[0]?.cut()
    await world.clock.advance(5)
    session?.send("where", { who: "bob", x: 3 })
    await world.clock.advance(2_000)
    expect(received).toEqual([
      { who: "ann", x: 1 },
      { who: "bob", x: 3 },
    ])
  })
})
