// Sessions that are frozen, encoded, decoded and thawed, while both ends continue to send.
import { createClient } from "@hawser/client"
import type { Client, SessionEvent } from "@hawser/client"
import { defineContract } from "@hawser/protocol"
import { SimulatedClock, createMemoryNetwork } from "@hawser/protocol/testing"
import { createServer } from "@hawser/server"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { boundlessDials, createWorld } from "../faults/harness.ts"
import type { TestContract, World } from "../faults/harness.ts"
import { frozenSessions } from "./frozen-sessions.ts"
import type { FrozenSessions } from "./frozen-sessions.ts"

async function openWorld(frozen: FrozenSessions): Promise<{ world: World; client: Client<TestContract> }> {
  const server = { sessionStore: frozen.create }
  const world = createWorld({ profile: "hawser.1", latencyMs: 10, order: "none", server })
  const client = world.client({ limits: boundlessDials })
  const connected = client.connect()
  await world.clock.advance(100)
  await connected
  return { world, client }
}

describe("a session that is frozen and thawed", () => {
  it("continues as without the freeze, in both directions", async () => {
    const frozen = frozenSessions()
    const { world, client } = await openWorld(frozen)
    const received: string[] = []
    const events: SessionEvent[] = []
    client.on("note", ({ text }) => received.push(text))
    client.onSession((event) => events.push(event))
    const replies: Promise<unknown>[] = []
    for (let round = 0; round < 20; round += 1) {
      for (let count = 0; count < 5; count += 1) {
        const text = `${round}-${count}`
        world.server.local.sessions()[0]?.send("note", { text })
        replies.push(client.command("echo", { text }))
      }
      await world.clock.advance(7)
      if (round % 4 === 3) frozen.restart("session-1")
      await world.clock.advance(30)
    }
    await world.clock.advance(5_000)
    const expected = Array.from({ length: 20 }, (_, round) =>
      Array.from({ length: 5 }, (__, count) => `${round}-${count}`),
    ).flat()
    expect(received).toEqual(expected)
    expect(world.handled).toEqual(expected)
    expect(await Promise.all(replies)).toEqual(expected.map((text) => ({ text })))
    expect(events.map(({ kind }) => kind)).toEqual(events.map(() => "resumed"))
    expect(events.length).toBeGreaterThan(1)
    expect(world.server.local.sessions().map(({ id }) => id)).toEqual(["session-1"])
    expect([world.serverErrors, world.clientErrors]).toEqual([[], []])
  })

  it("counts requests that were settled out of order, and does not run them again", async () => {
    const frozen = frozenSessions()
    const { world, client } = await openWorld(frozen)
    const slow = client.command("slow", { ms: 500 })
    const settled = ["a", "b"].map((text) => client.command("echo", { text }))
    // The replies are under way to the client when the process ends.
    await world.clock.advance(15)
    expect(world.handled).toEqual(["a", "b"])
    frozen.restart("session-1")
    await world.clock.advance(5_000)
    expect(await Promise.all(settled)).toEqual([{ text: "a" }, { text: "b" }])
    expect(await slow).toEqual({ ms: 500 })
    expect(world.handled).toEqual(["a", "b"])
    // Every request was settled: both ends agree on the counts.
    await world.clock.advance(1_000)
    expect(client.stats()).toMatchObject({ pending: 0, sessionsReset: 0 })
  })

  it("reports no end, calls no hook, and leaves no resource of the frozen session", async () => {
    const frozen = frozenSessions()
    const { world, client } = await openWorld(frozen)
    const ends: string[] = []
    world.server.onSessionEnd(({ cause }) => ends.push(cause))
    const pending = client.command("never", {}).catch((error: unknown) => error)
    await world.clock.advance(50)
    const bytes = frozen.freeze("session-1")
    expect(world.server.local.sessions()).toEqual([])
    expect(ends).toEqual([])
    const session = frozen.thaw(bytes)
    expect(session).toMatchObject({ id: "session-1", user: { id: "ann" }, active: true, attached: false })
    await world.clock.advance(5_000)
    expect(session.attached).toBe(true)
    client.close()
    await world.clock.advance(1_000)
    expect(await pending).toMatchObject({ code: "client_closed" })
    expect(ends).toEqual(["closed"])
    expect(world.server.stats()).toMatchObject({ sessions: 0, timers: 0 })
  })

  it("adds up the time without a connection over all of its processes", async () => {
    const frozen = frozenSessions()
    const { world } = await openWorld(frozen)
    const ends: string[] = []
    world.server.onSessionEnd(({ cause }) => ends.push(cause))
    world.network.listening = false
    let bytes = frozen.freeze("session-1")
    // A process that ends every 100 s would renew a window of 120 s for ever.
    for (let life = 1; life <= 6; life += 1) {
      frozen.thaw(bytes)
      await world.clock.advance(100_000 - 1)
      expect(ends).toEqual([])
      bytes = frozen.freeze("session-1")
    }
    frozen.thaw(bytes)
    await world.clock.advance(6)
    expect(ends).toEqual(["session_expired"])
  })

  it("refuses a damaged record, and one of an open session", async () => {
    const frozen = frozenSessions()
    await openWorld(frozen)
    const bytes = frozen.freeze("session-1")
    for (let length = 0; length < bytes.length; length += 1)
      expect(() => frozen.thaw(bytes.subarray(0, length))).toThrow(TypeError)
    frozen.thaw(bytes)
    expect(() => frozen.thaw(bytes)).toThrow("session session-1 is open in this process already")
  })
})

const streaming = defineContract({
  name: "streaming",
  commands: { wait: { input: z.object({ ms: z.number() }), output: z.object({}) } },
  streams: { count: { input: z.object({}), item: z.number() } },
})

it("applies CANCEL and CREDIT again, and ends an open stream with server_restarted", async () => {
  const clock = new SimulatedClock()
  const frozen = frozenSessions()
  const aborted: string[] = []
  const server = createServer(streaming, {
    authenticate: (id) => ({ id }),
    clock,
    sessionId: () => "s",
    limits: { queriesAtOnce: 2 },
    sessionStore: frozen.create,
  })
  server.command("wait", { order: "none" }, ({ input, signal }) => {
    signal.addEventListener("abort", () => aborted.push(`${input.ms}`))
    return new Promise((resolve) => clock.schedule(input.ms, () => resolve({})))
  })
  server.stream("count", async function* () {
    for (let index = 0; ; index += 1) yield await Promise.resolve(index)
  })
  const { dial } = createMemoryNetwork({ clock, latencyMs: 5, accept: server.accept })
  const client = createClient(streaming, { url: "memory:", token: "ann", clock, dial, autoConnect: false })
  const connected = client.connect()
  await clock.advance(50)
  await connected
  const open = client.stream("count", {})[Symbol.asyncIterator]()
  const first = open.next()
  await clock.advance(50)
  expect(await first).toMatchObject({ value: 0 })
  // Two handlers run; the third request and the second stream are queued behind them. Their CANCEL and CREDIT are
  // settled.
  const running = [1_000, 1_001].map((ms) => client.command("wait", { ms }))
  const leaver = new AbortController()
  const cancelled = client
    .command("wait", { ms: 1 }, { signal: leaver.signal })
    .catch((error: unknown) => error)
  const queued = client.stream("count", {})[Symbol.asyncIterator]()
  const item = queued.next()
  await clock.advance(1)
  leaver.abort()
  await clock.advance(20)
  frozen.restart("s")
  const ended = (async () => {
    for (let next = await open.next(); next.done !== true; next = await open.next());
  })().catch((error: unknown) => error)
  await clock.advance(5_000)
  expect(await ended).toMatchObject({ code: "server_restarted" })
  expect(await Promise.all(running)).toEqual([{}, {}])
  expect(await cancelled).toMatchObject({ code: "cancelled" })
  expect(await item).toMatchObject({ value: 0 })
  // Both handlers ran in the first process, and were aborted with it.
  expect(aborted.slice(0, 2)).toEqual(["1000", "1001"])
  client.close()
  await clock.advance(1_000)
  expect(server.stats()).toMatchObject({ sessions: 0 })
})
