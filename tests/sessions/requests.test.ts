// Outcomes of a request during an outage, and of one that is sent again on a new session.
import type { CallOptions, Client, SessionEvent } from "@hawser/client"
import { describe, expect, it } from "vitest"
import { createWorld, openClient, rejection } from "../faults/harness.ts"
import type { TestContract, World } from "../faults/harness.ts"

const profile = "hawser.1"
const patient = { timeoutMs: 600_000 }

async function offline(world: World): Promise<Client<TestContract>> {
  const client = await openClient(world)
  world.network.listening = false
  world.network.links[0]?.cut()
  await world.clock.settle()
  return client
}

describe("a request without a connection", () => {
  it("waits in order by default, and is sent once", async () => {
    const world = createWorld({ profile })
    const client = await offline(world)
    const texts = Array.from({ length: 100 }, (_, index) => String(index))
    const replies = texts.map((text, index) =>
      client.command("echo", { text }, index % 2 === 0 ? patient : { ...patient, whenOffline: "queue" }),
    )
    await world.clock.advance(30_000)
    expect(client.stats().pending).toBe(100)
    world.network.listening = true
    await world.clock.advance(60_000)
    expect(await Promise.all(replies)).toEqual(texts.map((text) => ({ text })))
    expect(world.handled).toEqual(texts)
  })

  it("waits within its timeout only: the outage counts", async () => {
    const world = createWorld({ profile })
    const client = await offline(world)
    const late = rejection(client.command("echo", { text: "late" }))
    await world.clock.advance(9_999)
    expect(client.stats().pending).toBe(1)
    await world.clock.advance(1)
    expect((await late).code).toBe("timeout")
    expect(client.pending()).toEqual([])
  })

  it("rejects at once with `not_connected` when its caller chose `fail`, and is never sent", async () => {
    const world = createWorld({ profile })
    const client = await offline(world)
    const refused = await rejection(client.command("echo", { text: "now or never" }, { whenOffline: "fail" }))
    expect(refused).toMatchObject({ code: "not_connected", retry: "later" })
    world.network.listening = true
    await world.clock.advance(60_000)
    expect(world.handled).toEqual([])
    const reply = client.command("echo", { text: "open again" }, { whenOffline: "fail" })
    await world.clock.settle()
    expect(await reply).toEqual({ text: "open again" })
  })

  it("rejects with `dropped` when its caller chose `drop`, without an unhandled rejection", async () => {
    const world = createWorld({ profile })
    const client = await offline(world)
    // Not awaited: an unhandled rejection would fail this test.
    // oxlint-disable-next-line typescript/no-floating-promises -- the test is about a promise without a handler
    client.command("echo", { text: "unwatched" }, { whenOffline: "drop" })
    const dropped = await rejection(client.command("echo", { text: "watched" }, { whenOffline: "drop" }))
    expect(dropped).toMatchObject({ code: "dropped", retry: "later" })
    expect(client.stats()).toMatchObject({ requestsDropped: 2, pending: 0 })
    world.network.listening = true
    await world.clock.advance(60_000)
    expect(world.handled).toEqual([])
    const reply = client.command("echo", { text: "open again" }, { whenOffline: "drop" })
    await world.clock.settle()
    expect(await reply).toEqual({ text: "open again" })
  })

  it("is listed with its name and input, and whether it may have been executed", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world)
    const sent = client.command("slow", { ms: 50_000 }, patient)
    await world.clock.settle()
    world.network.listening = false
    world.network.links[0]?.cut()
    await world.clock.settle()
    const waiting = client.command("echo", { text: "waiting" }, { ...patient, key: "k" })
    const look = client.query("look", {}, patient)
    expect(client.pending()).toEqual([
      { call: "command", name: "slow", input: { ms: 50_000 }, key: undefined, state: "sent" },
      { call: "command", name: "echo", input: { text: "waiting" }, key: "k", state: "waiting" },
      { call: "query", name: "look", input: {}, key: undefined, state: "waiting" },
    ])
    world.network.listening = true
    await world.clock.advance(60_000)
    expect([await sent, await waiting, await look]).toEqual([
      { ms: 50_000 },
      { text: "waiting" },
      { seen: 1 },
    ])
    expect(client.pending()).toEqual([])
  })

  it("is refused with `buffer_full` beyond what a session may keep, and earlier ones are not lost", async () => {
    const world = createWorld({ profile })
    const client = await offline(world)
    const texts = Array.from({ length: 1_024 }, (_, index) => String(index))
    const replies = texts.map((text) => client.command("echo", { text }, patient))
    expect((await rejection(client.command("echo", { text: "too much" }, patient))).code).toBe("buffer_full")
    world.network.listening = true
    await world.clock.advance(120_000)
    expect(await Promise.all(replies)).toEqual(texts.map((text) => ({ text })))
    expect(world.handled).toEqual(texts)
  })
})

/** The client loses its session while a reply is under way to it, and opens another one. */
async function loseSession(world: World, client: Client<TestContract>): Promise<void> {
  world.network.links.at(-1)?.blackHole()
  await world.clock.advance(100)
  world.network.listening = false
  world.network.links.at(-1)?.cut()
  await world.clock.advance(130_000)
  world.network.listening = true
  await world.clock.advance(60_000)
  expect(client.current.state).toBe("open")
}

async function openDelayed(world: World, token: string): Promise<Client<TestContract>> {
  const client = world.client({ token })
  const connected = client.connect()
  await world.clock.advance(100)
  await connected
  return client
}

describe("a request with an idempotency key", () => {
  it("is sent again on a new session, executed once, and answered with the first outcome", async () => {
    const world = createWorld({ profile, latencyMs: 10 })
    const client = await openDelayed(world, "ann")
    const events: SessionEvent[] = []
    client.onSession((event) => events.push(event))
    const keyed = client.command("echo", { text: "pay once" }, { ...patient, key: "payment 1" })
    const unkeyed = rejection(client.command("echo", { text: "unkeyed" }, patient))
    await world.clock.advance(15)
    expect(world.handled).toEqual(["pay once", "unkeyed"])
    await loseSession(world, client)
    expect(await keyed).toEqual({ text: "pay once" })
    expect(await unkeyed).toMatchObject({ code: "connection_lost", cause: { code: "session_expired" } })
    expect(world.handled).toEqual(["pay once", "unkeyed"])
    const lost = { call: "command", name: "echo", input: { text: "unkeyed" }, key: undefined, state: "sent" }
    expect(events.filter(({ kind }) => kind === "reset")).toMatchObject([
      { cause: "session_expired", unacknowledged: [lost] },
    ])
  })

  it("gets the same reply when the caller repeats it, and a new one for another key, name or user", async () => {
    const world = createWorld({ profile })
    world.server.query("secret", () => ({}))
    const ann = await openClient(world)
    const bob = await openClient(world, { token: "bob" })
    const ask = async (client: Client<TestContract>, text: string, options: CallOptions): Promise<string> => {
      const reply = client.command("echo", { text }, options)
      await world.clock.settle()
      return (await reply).text
    }
    expect(await ask(ann, "first", { key: "k" })).toBe("first")
    expect(await ask(ann, "second", { key: "k" })).toBe("first")
    expect(await ask(ann, "third", { key: "l" })).toBe("third")
    expect(await ask(bob, "fourth", { key: "k" })).toBe("fourth")
    const other = ann.query("secret", {}, { key: "k" })
    await world.clock.settle()
    expect(await other).toEqual({})
    expect(world.handled).toEqual(["first", "third", "fourth"])
    await world.clock.advance(600_000)
    expect(await ask(ann, "much later", { key: "k" })).toBe("much later")
  })

  it("is executed once, also while the first call with its key is running", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world)
    let runs = 0
    world.server.query("secret", async () => {
      runs += 1
      await new Promise<void>((resolve) => world.clock.schedule(1_000, resolve))
      return {}
    })
    const both = [client.query("secret", {}, { key: "k" }), client.query("secret", {}, { key: "k" })]
    await world.clock.advance(1_000)
    expect(await Promise.all(both)).toEqual([{}, {}])
    expect(runs).toBe(1)
  })

  it("door-10 is executed again when its outcome was evicted, and the gauge stays within its bound", async () => {
    const idempotencyUserMaxBytes = 10_000
    const world = createWorld({ profile, limits: { idempotencyUserMaxBytes } })
    const client = await openClient(world)
    const text = "x".repeat(3_000)
    for (const key of ["a", "b", "c", "d", "d"]) {
      const reply = client.command("echo", { text }, { key })
      await world.clock.settle()
      await reply
      expect(world.server.stats().idempotencyBytes).toBeLessThanOrEqual(idempotencyUserMaxBytes)
    }
    expect(world.handled).toHaveLength(4)
    expect(world.server.stats().idempotencyBytes).toBeGreaterThan(9_000)
    const again = client.command("echo", { text: "again" }, { key: "a" })
    await world.clock.settle()
    expect([await again, world.handled.at(-1)]).toEqual([{ text: "again" }, "again"])
  })

  it("is refused with `invalid_input` when the key is empty or too long", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world)
    for (const key of ["", "k".repeat(129)])
      expect((await rejection(client.command("echo", { text: "x" }, { key }))).code).toBe("invalid_input")
    const longest = client.command("echo", { text: "x" }, { key: "k".repeat(128) })
    await world.clock.settle()
    expect(await longest).toEqual({ text: "x" })
  })
})

describe("a client that sends at its limits", () => {
  it.each([
    ["under the default rate limits", {}],
    ["without rate limits", { userMessagesPerSecond: 1e6, userMessageBurst: 1e6 }],
  ])("keeps its session, %s, while it receives messages", { timeout: 60_000 }, async (_how, limits) => {
    const world = createWorld({ profile: "hawser.1", latencyMs: 10, limits })
    const client = world.client()
    const received: string[] = []
    const events: string[] = []
    client.on("note", ({ text }) => received.push(text))
    client.onSession(({ kind }) => events.push(kind))
    const connected = client.connect()
    await world.clock.advance(100)
    await connected
    const texts = Array.from({ length: 1_024 }, (_, index) => String(index))
    const replies = texts.map((text) => client.command("echo", { text }, { timeoutMs: 60_000 }))
    for (let second = 0; second < 15; second += 1) {
      await world.clock.advance(1_000)
      world.server.broadcast("note", { text: `second ${second}` })
    }
    await world.clock.advance(2_000)
    expect(events).toEqual(["opened"])
    expect(await Promise.all(replies)).toEqual(texts.map((text) => ({ text })))
    expect(received).toHaveLength(15)
    expect(client.stats().pending).toBe(0)
  })
})
