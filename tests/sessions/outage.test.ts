// Messages that a detached session keeps, their bounds of time and size, and the reports of both ends when a bound is
// exceeded.
import type { Client, SessionEvent } from "@hawser/client"
import { describe, expect, it } from "vitest"
import { createWorld, openClient, rejection } from "../faults/harness.ts"
import type { TestContract, World } from "../faults/harness.ts"
import { sendHello } from "./scripted-client.ts"

const profile = "hawser.1"

interface Ended {
  readonly cause: string
  /** Unacknowledged messages of the client: payloads of events, codes of replies. */
  readonly unacknowledged: readonly unknown[]
}

function watchEnds({ server }: World): Ended[] {
  const ends: Ended[] = []
  server.onSessionEnd(({ cause, unacknowledged }) => {
    const messages = unacknowledged()
    ends.push({
      cause,
      unacknowledged: messages.map((one) => (one.kind === "reply" ? one.code : one.payload)),
    })
  })
  return ends
}

function watchSession(client: Client<TestContract>): SessionEvent[] {
  const events: SessionEvent[] = []
  client.onSession((event) => events.push(event))
  return events
}

function watchNotes(client: Client<TestContract>): string[] {
  const received: string[] = []
  client.on("note", ({ text }) => received.push(text))
  return received
}

/** Stays detached until the test ends the outage. */
function takeAway(world: World): void {
  world.network.listening = false
  world.network.links.at(-1)?.cut()
}

describe("a lost connection", () => {
  it("loses, repeats and reorders nothing when it dies without a close, in both directions, requests under way", async () => {
    const world = createWorld({ profile, latencyMs: 10 })
    const client = await openDelayed(world)
    const received = watchNotes(client)
    const events = watchSession(client)
    const [session] = world.server.local.sessions()
    const slow = client.command("slow", { ms: 20_000 }, { timeoutMs: 300_000 })
    await world.clock.advance(100)
    world.network.links[0]?.blackHole()
    const texts = Array.from({ length: 50 }, (_, index) => String(index))
    const replies = texts.map((text) => {
      expect(session?.send("note", { text })).toBe("sent")
      return client.command("echo", { text }, { timeoutMs: 300_000 })
    })
    await world.clock.advance(120_000)
    expect(await slow).toEqual({ ms: 20_000 })
    expect(await Promise.all(replies)).toEqual(texts.map((text) => ({ text })))
    expect(received).toEqual(texts)
    expect(world.handled).toEqual(texts)
    expect(events.map(({ kind }) => kind)).toEqual(["prolonged", "resumed"].slice(-events.length))
    expect(world.server.local.sessions()).toEqual([session])
    expect(world.serverErrors).toEqual([])
  })

  it("is reported once to each hook, with the new value of `attached`", async () => {
    const world = createWorld({ profile })
    const seen: unknown[] = []
    world.server.onAttachment(({ id, attached, active }) => seen.push({ id, attached, active }))
    const stop = world.server.onAttachment(() => seen.push("stopped hook"))
    stop()
    const client = await openClient(world)
    expect(seen).toEqual([])
    client.cut()
    await world.clock.settle()
    const id = client.sessionId
    expect(seen).toEqual([{ id, attached: false, active: true }])
    await world.clock.advance(1_000)
    expect(seen).toEqual([
      { id, attached: false, active: true },
      { id, attached: true, active: true },
    ])
    client.close()
    await world.clock.settle()
    expect(seen).toHaveLength(2)
  })

  it("is reported to the application once when it takes long", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world)
    const events = watchSession(client)
    takeAway(world)
    await world.clock.advance(60_000)
    expect(events).toEqual([{ kind: "prolonged", outageMs: 15_000 }])
    world.network.listening = true
    await world.clock.advance(59_000)
    expect(events.map(({ kind }) => kind)).toEqual(["prolonged", "resumed"])
    expect(client.stats()).toMatchObject({ sessionsResumed: 1, connectionsLost: 1 })
  })

  it("is not closed for a successor that cannot be dialled: it serves until the server closes it", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world)
    const events = watchSession(client)
    const states: string[] = []
    client.onStatus(({ state }) => states.push(state))
    const drained = world.server.drain({ spreadMs: 0, graceMs: 20_000 })
    world.network.listening = false
    await world.clock.advance(10_000)
    const reply = client.command("echo", { text: "on the old one" })
    await world.clock.advance(1_000)
    expect(await reply).toEqual({ text: "on the old one" })
    expect([events, states]).toEqual([[], []])
    await world.clock.advance(9_000)
    await drained
    expect(states[0]).toBe("reconnecting")
    world.network.listening = true
    await world.clock.advance(60_000)
    expect(events.map(({ kind }) => kind).at(-1)).toBe("resumed")
    expect(world.server.stats()).toMatchObject({ sessions: 1, sessionsOpened: 1 })
  })

  it("is replaced at once by wake(), with one dial", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world, { reconnect: () => 60_000 })
    takeAway(world)
    await world.clock.advance(1_000)
    world.network.listening = true
    client.wake()
    await world.clock.settle()
    expect(client.current.state).toBe("open")
    expect(client.stats()).toMatchObject({ dials: 2, sessionsResumed: 1 })
  })
})

describe("a session that is detached for too long", () => {
  it("expires at the window, not before, and reports to both applications what may be lost", async () => {
    const world = createWorld({ profile })
    const ends = watchEnds(world)
    const client = await openClient(world)
    const events = watchSession(client)
    const received = watchNotes(client)
    const sessionId = client.sessionId ?? ""
    const lost = rejection(client.command("never", {}, { timeoutMs: 300_000 }))
    await world.clock.settle()
    takeAway(world)
    await world.clock.settle()
    const [session] = world.server.local.sessions()
    for (const text of ["1", "2"]) expect(session?.send("note", { text })).toBe("buffered")
    const queued = client.command("echo", { text: "after the outage" }, { timeoutMs: 300_000 })
    await world.clock.advance(119_999)
    expect(ends).toEqual([])
    expect(world.server.stats()).toMatchObject({ sessions: 1, connections: 0 })
    await world.clock.advance(1)
    expect(ends).toEqual([
      { cause: "session_expired", unacknowledged: [{ text: "1" }, { text: "2" }, "timeout"] },
    ])
    expect(world.server.stats()).toMatchObject({ sessions: 0, timers: 0 })
    expect(session?.send("note", { text: "3" })).toBe("ended")
    world.network.listening = true
    await world.clock.advance(60_000)
    expect(await lost).toMatchObject({ code: "connection_lost", cause: { code: "session_expired" } })
    expect(await queued).toEqual({ text: "after the outage" })
    const unknown = { call: "command", name: "never", input: {}, key: undefined, state: "sent" }
    expect(events).toEqual([
      { kind: "prolonged", outageMs: 15_000 },
      { kind: "reset", sessionId, cause: "session_expired", unacknowledged: [unknown] },
      { kind: "opened", sessionId: client.sessionId },
    ])
    expect(client.sessionId).not.toBe(sessionId)
    expect(received).toEqual([])
    expect(ends).toHaveLength(1)
  })

  it("ends with its connection where the window is 0", async () => {
    const world = createWorld({ profile, limits: { resumeWindowMs: 0 } })
    const ends = watchEnds(world)
    const client = await openClient(world)
    const events = watchSession(client)
    takeAway(world)
    await world.clock.settle()
    expect(ends).toEqual([{ cause: "connection_lost", unacknowledged: [] }])
    expect(world.server.stats()).toMatchObject({ sessions: 0, connections: 0, timers: 0 })
    world.network.listening = true
    await world.clock.advance(10_000)
    expect(events.map(({ kind }) => kind)).toEqual(["reset", "opened"])
    expect(events[0]).toMatchObject({ cause: "connection_lost" })
  })

  it("overflows at 1,024 unacknowledged messages, once, and lists exactly these", async () => {
    const world = createWorld({ profile })
    const ends = watchEnds(world)
    const client = await openClient(world)
    const events = watchSession(client)
    takeAway(world)
    await world.clock.settle()
    const [session] = world.server.local.sessions()
    const outcomes = Array.from({ length: 1_026 }, (_, index) =>
      session?.send("note", { text: String(index) }),
    )
    expect(outcomes.slice(0, 1_024)).toEqual(Array(1_024).fill("buffered"))
    expect(outcomes.slice(1_024)).toEqual(["ended", "ended"])
    expect(ends.map(({ cause }) => cause)).toEqual(["session_overflow"])
    expect(ends[0]?.unacknowledged).toEqual(
      Array.from({ length: 1_024 }, (_, index) => ({ text: String(index) })),
    )
    world.network.listening = true
    await world.clock.advance(60_000)
    expect(events.map(({ kind }) => kind)).toEqual(["reset", "opened"])
    expect(events[0]).toMatchObject({ cause: "session_overflow" })
  })

  it("also lists messages that are larger than a client may send", async () => {
    const world = createWorld({ profile })
    const ends = watchEnds(world)
    const client = await openClient(world)
    takeAway(world)
    await world.clock.settle()
    const payload = { text: "x".repeat(100_000) }
    world.server.local.sessions()[0]?.send("note", payload)
    world.server.local.sessions()[0]?.end()
    expect(ends.map(({ unacknowledged }) => unacknowledged.length)).toEqual([1])
    expect(ends[0]?.unacknowledged).toEqual([payload])
    client.close()
  })

  it("overflows at its bytes, and ends with RESET and 4410 when attached", async () => {
    const world = createWorld({ profile, limits: { sendBufferMaxBytes: 10_000 } })
    const ends = watchEnds(world)
    const deaf = await sendHello(world)
    const text = "x".repeat(990)
    const [session] = world.server.local.sessions()
    // One message of any size always fits; ten of these do not.
    const outcomes = Array.from({ length: 10 }, () => session?.send("note", { text }))
    expect(outcomes).toEqual(Array(9).fill("sent").concat("ended"))
    await world.clock.settle()
    expect(ends.map(({ cause, unacknowledged }) => [cause, unacknowledged.length])).toEqual([
      ["session_overflow", 9],
    ])
    expect(deaf.received.at(-1)).toEqual({ kind: "reset", cause: "session_overflow", count: 0 })
    expect(deaf.closes).toEqual([4410])
  })
})

describe("a restarted server", () => {
  const resumeKey = new Uint8Array(32).fill(7)

  it.each([
    ["with another key", {}],
    ["with the same key", { resumeKey }],
  ])("%s reports an unknown session, and executes no unkeyed request twice", async (_how, server) => {
    const first = createWorld({ profile, server })
    const second = createWorld({
      profile,
      clock: first.clock,
      server: { ...server, sessionId: () => "second-1" },
    })
    let network = first.network
    const client = first.client({ dial: (...dialled) => network.dial(...dialled) })
    const connected = client.connect()
    await first.clock.settle()
    await connected
    const events = watchSession(client)
    const unkeyed = rejection(client.command("slow", { ms: 60_000 }))
    const keyed = client.command("echo", { text: "keyed" }, { key: "k" })
    await first.clock.settle()
    network = second.network
    first.network.links[0]?.cut()
    const queued = client.command("echo", { text: "queued" })
    await first.clock.advance(5_000)
    expect(await unkeyed).toMatchObject({ code: "connection_lost", cause: { code: "session_unknown" } })
    expect(await keyed).toEqual({ text: "keyed" })
    expect(await queued).toEqual({ text: "queued" })
    expect(second.handled).toEqual(["keyed", "queued"])
    const unknown = { call: "command", name: "slow", input: { ms: 60_000 }, key: undefined, state: "sent" }
    expect(events).toEqual([
      { kind: "reset", sessionId: "session-1", cause: "session_unknown", unacknowledged: [unknown] },
      { kind: "opened", sessionId: "second-1" },
    ])
    expect(second.server.stats()).toMatchObject({ sessions: 1, resumesAsked: 1, sessionsResumed: 0 })
  })
})

async function openDelayed(world: World): Promise<Client<TestContract>> {
  const client = world.client()
  const connected = client.connect()
  await world.clock.advance(100)
  await connected
  return client
}
