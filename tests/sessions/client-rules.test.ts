// Behaviour of a client without a connection, and with invalid frames from a server (docs/protocol.md, section 18).
import { defaultServerLimits } from "@hawser/protocol"
import { createFrameCodec, reservedTypes, TypeTable } from "@hawser/protocol/core"
import { describe, expect, it } from "vitest"
import type { SessionEvent } from "@hawser/client"
import { createWorld, openClient, rejection } from "../faults/harness.ts"

describe("a request during an outage", () => {
  it("waits, fails or is dropped, as its caller chose", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const client = await openClient(world)
    world.network.links[0]?.cut()
    await world.clock.settle()
    const waiting = client.command("echo", { text: "queued" })
    const failing = rejection(client.command("echo", { text: "failed" }, { whenOffline: "fail" }))
    const dropping = rejection(client.command("echo", { text: "dropped" }, { whenOffline: "drop" }))
    expect(client.pending()).toMatchObject([{ name: "echo", input: { text: "queued" }, state: "waiting" }])
    expect([(await failing).code, (await dropping).code]).toEqual(["not_connected", "dropped"])
    await world.clock.advance(1_000)
    expect(await waiting).toEqual({ text: "queued" })
    expect(world.handled).toEqual(["queued"])
    expect(client.stats().requestsDropped).toBe(1)
  })
})

describe("a server that sends invalid frames", () => {
  it.each([
    ["a bad frame", Uint8Array.of(0x40, 0xc1)],
    ["a frame of an unknown kind", Uint8Array.of(0x48, 0x90)],
    ["a frame that only clients send", Uint8Array.of(0x45, 0x91, 0x01)],
  ])("causes a reset of the session: %s", async (_, bytes) => {
    const world = createWorld({ profile: "hawser.1" })
    const client = await openClient(world)
    const events: SessionEvent[] = []
    client.onSession((event) => events.push(event))
    world.network.links[0]?.server.send({ bytes })
    await world.clock.advance(1_000)
    expect(events.map(({ kind }) => kind)).toEqual(["reset", "opened"])
    expect(events[0]).toMatchObject({ cause: "sys_invalid_message" })
    expect(world.clientErrors).toHaveLength(1)
  })

  it("delays a client by the time in BUSY, and at most a tenth more", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const client = await openClient(world)
    const codec = createFrameCodec(new TypeTable([]), defaultServerLimits.message)
    const { server } = world.network.links[0] ?? {}
    server?.send({ bytes: codec.encode({ kind: "busy", retryAfterMs: 20_000 }) })
    await world.clock.settle()
    server?.close(4503, "busy")
    await world.clock.advance(19_000)
    expect(client.current.state).toBe("reconnecting")
    await world.clock.advance(3_100)
    expect(client.current.state).toBe("open")
  })
})

describe("a client that requests topics where the contract has none", () => {
  it.each(reservedTypes)("gets an error: %s", async (type) => {
    const world = createWorld({ profile: "hawser.1" })
    await openClient(world)
    const codec = createFrameCodec(new TypeTable(reservedTypes), defaultServerLimits.message)
    const request = {
      kind: "request",
      call: undefined,
      type,
      payload: {},
      budgetMs: 0,
      reference: 1,
    } as const
    world.network.links[0]?.client.send({ bytes: codec.encode(request) })
    expect(world.server.stats()).toMatchObject({ requestsSettled: 0, requestsFailed: 0 })
    await world.clock.settle()
    expect(world.server.stats()).toMatchObject({ requestsSettled: 1, requestsFailed: 1, topics: 0 })
  })
})

describe("a client of protocol 2.0", () => {
  it("sends nothing while the connection is silent", async () => {
    const world = createWorld({ profile: "2.0", limits: { pingAfterMs: 1_000_000 } })
    const client = await openClient(world)
    const { messagesReceived } = world.server.stats()
    await world.clock.advance(300_000)
    expect(client.current.state).toBe("open")
    expect(world.server.stats().messagesReceived).toBe(messagesReceived)
  })
})

describe("clients of one key", () => {
  it("wait for their latest value by topic, event and key of the contract", async () => {
    const world = createWorld({ profile: "hawser.1", limits: { resumeWindowMs: 60_000 } })
    const client = await openClient(world)
    const received: unknown[] = []
    client.on("where", (value) => received.push(value))
    const [session] = world.server.local.sessions()
    const topics = (["map:a", "map:b"] as const).map((name) => world.server.topic(name))
    if (session === undefined) throw new Error("no session")
    for (const topic of topics) topic.subscribe(session)
    world.network.links[0]?.cut()
    await world.clock.settle()
    for (const x of [1, 2]) {
      for (const topic of topics) topic.publish("where", { who: "ann", x })
      session.send("where", { who: "ann", x: 10 * x })
      session.send("where", { who: "bob", x: 100 * x })
    }
    await world.clock.advance(1_000)
    expect(received).toEqual([
      { who: "ann", x: 2 },
      { who: "ann", x: 2 },
      { who: "ann", x: 20 },
      { who: "bob", x: 200 },
    ])
  })
})
