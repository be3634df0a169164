// Streaming replies over several connections: both real ends, an in-memory network, a simulated clock.
import { profile20 } from "@hawser/server/profile20"
import { createClient } from "@hawser/client"
import type { Client, ClientOptions } from "@hawser/client"
import { HawserError, defaultClientLimits, defineContract } from "@hawser/protocol"
import { frameByte } from "@hawser/protocol/core"
import type { Contract, ServerLimits } from "@hawser/protocol"
import { SimulatedClock, createMemoryNetwork, seededRandom, unwatched } from "@hawser/protocol/testing"
import { createServer } from "@hawser/server"
import { describe, expect, it } from "vitest"
import { boundlessDials } from "../faults/harness.ts"
import { z } from "zod"
import { rejection } from "../faults/harness.ts"
import { clientProfile } from "./client-profile.ts"

const To = z.object({ to: z.number() })
const contract = defineContract({
  name: "streams",
  commands: {
    note: { input: z.object({ text: z.string() }), output: z.object({}) },
    wait: { input: z.object({ ms: z.number() }), output: z.object({}) },
  },
  events: { bell: { payload: z.object({ bytes: z.string() }) } },
  streams: {
    count: { input: To, item: z.number() },
    list: { input: To, item: z.number() },
    ever: { input: z.object({}), item: z.object({ at: z.number().transform((ms) => new Date(ms)) }) },
    large: { input: z.object({ bytes: z.number() }), item: z.string() },
    wrong: { input: z.object({ with: z.enum(["code", "error"]) }), item: z.number() },
    rare: { input: z.object({}), item: z.number(), limit: { everyMs: 1_000, burst: 1 } },
  },
  errors: { chest_locked: null },
})

/** A contract of another version. */
const foreign = defineContract({
  name: "streams",
  streams: {
    count: { input: z.object({ to: z.unknown() }), item: z.number().max(2) },
    note: { input: z.object({ text: z.string() }), item: z.number() },
    missing: { input: z.object({}), item: z.number() },
    bell: { input: z.object({}), item: z.number() },
  },
})

function createWorld(options: { readonly limits?: Partial<ServerLimits>; readonly latencyMs?: number } = {}) {
  const clock = new SimulatedClock()
  const errors: unknown[] = []
  /** Actions of the handlers, in order. */
  const log: string[] = []
  /** Number of items that the handlers of `count` and `large` have made. */
  const made = { count: 0 }
  const server = createServer(contract, {
    profile20: profile20(),
    authenticate: (token) => ({ id: token }),
    clock,
    limits: options.limits ?? {},
    onError: (error) => errors.push(error),
  })
  server.command("note", ({ input }) => {
    log.push(input.text)
    return {}
  })
  server.command("wait", async ({ input }) => {
    await new Promise<void>((resolve) => clock.schedule(input.ms, resolve))
    return {}
  })
  server.stream("count", async function* ({ input, signal }) {
    log.push(`count to ${input.to}`)
    try {
      for (let index = 0; index < input.to; index += 1) {
        made.count = index + 1
        yield index
      }
    } finally {
      log.push(signal.aborted ? `left: ${codeOf(signal.reason)}` : "counted")
    }
  })
  server.stream("list", async ({ input }) => {
    log.push(`list to ${input.to}`)
    await Promise.resolve()
    return Array.from({ length: input.to }, (_, index) => index)
  })
  server.stream("ever", async function* ({ signal }) {
    try {
      for (;;) {
        yield { at: clock.now() }
        await new Promise<void>((resolve) => {
          clock.schedule(100, resolve)
          signal.onabort = () => resolve()
        })
        signal.throwIfAborted()
      }
    } finally {
      log.push(`left: ${codeOf(signal.reason)}`)
    }
  })
  server.stream("large", function* ({ input }) {
    for (made.count = 1; ; made.count += 1) yield String(made.count).padStart(input.bytes, "0")
  })
  server.stream("wrong", async function* ({ input }) {
    yield 1
    if (input.with === "code") throw contract.error("chest_locked")
    throw new Error("the disk is full")
  })
  server.stream("rare", () => [1])
  const network = createMemoryNetwork({ clock, latencyMs: options.latencyMs ?? 5, accept: server.accept })
  const clientOf = <C extends Contract>(other: C, overrides: Partial<ClientOptions> = {}): Client<C> =>
    createClient(other, {
      url: "memory:",
      token: "ann",
      clock,
      random: seededRandom(1),
      dial: network.dial,
      autoConnect: false,
      onError: (error) => errors.push(error),
      ...overrides,
    })
  const openOf = async <C extends Contract>(
    other: C,
    overrides: Partial<ClientOptions> = {},
  ): Promise<Client<C>> => {
    const opened = clientOf(other, overrides)
    const connected = opened.connect()
    await clock.advance(100)
    await connected
    return opened
  }
  const open = (overrides: Partial<ClientOptions> = {}) => openOf(contract, overrides)
  return { clock, server, network, errors, log, made, clientOf, openOf, open }
}

function codeOf(error: unknown): string {
  return HawserError.is(error) ? error.code : String(error)
}

/** Reads to the end, or to the error, whose code it pushes. */
async function readAll(items: AsyncIterable<unknown>, read: unknown[] = []): Promise<unknown[]> {
  try {
    for await (const item of items) read.push(item)
  } catch (error) {
    read.push(codeOf(error))
  }
  return read
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

describe("a stream", () => {
  it("yields every item in order and ends", async () => {
    const world = createWorld()
    const client = await world.open()
    const reading = [readAll(client.stream("count", { to: 500 })), readAll(client.stream("list", { to: 3 }))]
    expect(client.stats()).toMatchObject({ streams: 2, pending: 2 })
    await world.clock.advance(5_000)
    expect(await Promise.all(reading)).toEqual([upTo(500), upTo(3)])
    expect(client.stats()).toMatchObject({ streams: 0, pending: 0 })
    expect([world.log, world.errors]).toEqual([["count to 500", "list to 3", "counted"], []])
  })

  it("validates items and passes the validators' outputs on", async () => {
    const world = createWorld()
    const client = await world.open()
    const items = client.stream("ever", {})
    const first = items.next()
    await world.clock.advance(50)
    expect((await first).value?.at).toBeInstanceOf(Date)
  })

  it("is settled when it starts: other requests continue, and the count is acknowledged", async () => {
    const world = createWorld()
    const client = await world.open()
    const items = client.stream("ever", {})
    const reply = client.command("note", { text: "meanwhile" })
    await world.clock.advance(2_000)
    expect(await reply).toEqual({})
    const [session] = world.server.local.sessions()
    expect(session?.attached).toBe(true)
    expect(client.stats()).toMatchObject({ streams: 1, pending: 1 })
    await items.return?.()
    await world.clock.advance(20)
    expect(world.log).toEqual(["meanwhile", "left: cancelled"])
  })

  it("waits for its turn like any request, and its credit waits with it", async () => {
    const world = createWorld()
    const client = world.clientOf(contract)
    const connected = client.connect()
    const replies = [client.command("note", { text: "one" }), client.command("wait", { ms: 500 })]
    const reading = readAll(client.stream("count", { to: 3 }))
    replies.push(client.command("note", { text: "two" }))
    await world.clock.advance(100)
    await connected
    expect(world.log).toEqual(["one"])
    await world.clock.advance(1_000)
    await Promise.all(replies)
    expect(world.log).toEqual(["one", "count to 3", "two", "counted"])
    expect(await reading).toEqual(upTo(3))
  })

  it("is never further ahead of its reader than the window", async () => {
    const world = createWorld()
    const client = await world.open()
    const items = client.stream("count", { to: 100 }, { window: 5 })
    await world.clock.advance(1_000)
    expect(world.made.count).toBe(5)
    for (const read of upTo(20)) {
      expect(await items.next()).toEqual({ value: read, done: false })
      await world.clock.advance(20)
      expect(world.made.count).toBeLessThanOrEqual(read + 1 + 5)
    }
    expect(world.made.count).toBeGreaterThan(20)
  })
})

describe("buffers", () => {
  it("do not block: credit is acknowledged, and deferred while the client's buffer is full", async () => {
    const world = createWorld()
    const client = await world.open({ limits: { ...defaultClientLimits, sendBufferMaxCount: 4 } })
    const reading = [1, 2].map((window) => readAll(client.stream("count", { to: 100 }, { window })))
    await world.clock.advance(100_000)
    expect(await Promise.all(reading)).toEqual([upTo(100), upTo(100)])
  })

  it("of a session leave room for other messages, however small the items", async () => {
    const world = createWorld({ limits: { sendBufferMaxCount: 64 } })
    const client = await world.open()
    const [session] = world.server.local.sessions()
    world.network.listening = false
    const items = client.stream("count", { to: 1_000 }, { window: 500 })
    await world.clock.advance(7)
    world.network.links.at(-1)?.cut()
    await world.clock.advance(1_000)
    expect([world.made.count, session?.attached]).toEqual([32, false])
    for (const bell of upTo(32)) session?.send("bell", { bytes: String(bell) })
    world.network.listening = true
    await world.clock.advance(60_000)
    expect([session?.active, world.made.count, (await items.next()).value]).toEqual([true, 500, 0])
  })
})

describe("the end of a stream", () => {
  it.each(["code", "error"] as const)("carries the error: %s", async (kind) => {
    const world = createWorld()
    const client = await world.open()
    const reading = readAll(client.stream("wrong", { with: kind }))
    await world.clock.advance(100)
    const code = { code: "chest_locked", error: "sys_internal_error" }[kind]
    expect(await reading).toEqual([1, code])
    expect(world.errors.length).toBe(kind === "error" ? 1 : 0)
    expect(client.stats()).toMatchObject({ streams: 0, pending: 0 })
  })

  it("refuses an input that does not fit, and a stream above its limit", async () => {
    const world = createWorld()
    const client = await world.open()
    const stranger = await world.openOf(foreign, { token: "bob" })
    const reading = [
      readAll(stranger.stream("count", { to: "x" })),
      readAll(client.stream("rare", {})),
      readAll(client.stream("rare", {})),
    ]
    await world.clock.advance(100)
    expect(await Promise.all(reading)).toEqual([["invalid_input"], [1], ["rate_limited"]])
    const sent = world.network.links.flatMap(({ server }) => server.sent.map(([byte]) => byte))
    const countOf = (byte: number): number => sent.filter((one) => one === byte).length
    expect([countOf(frameByte.reply), countOf(frameByte.end)]).toEqual([0, 3])
  })

  it("is an error at the reader, and a cancelled handler at the server, when the ends disagree about the contract", async () => {
    const world = createWorld()
    const client = await world.openOf(foreign, { validateReplies: true })
    const reading = [
      readAll(client.stream("count", { to: 100 })),
      readAll(client.stream("note", { text: "a command" })),
      readAll(client.stream("missing", {})),
      readAll(client.stream("bell", {})),
    ]
    await world.clock.advance(100)
    expect(await Promise.all(reading)).toEqual([
      [0, 1, 2, "invalid_reply"],
      ["invalid_reply"],
      ["not_available"],
      ["sys_invalid_message"],
    ])
    expect(world.log).toEqual(["count to 100", "a command", "left: cancelled"])
    expect([client.stats().streams, world.errors]).toEqual([0, []])
  })

  it("stops the handler when the loop is left, and frees the place", async () => {
    const world = createWorld({ limits: { streamsPerSession: 1 } })
    const client = await world.open()
    const leave = async (): Promise<void> => {
      for await (const item of client.stream("count", { to: 1_000 })) if (item === 40) break
    }
    const left = leave()
    await world.clock.advance(1_000)
    await left
    await world.clock.advance(100)
    expect(world.log).toEqual(["count to 1000", "left: cancelled"])
    const reading = readAll(client.stream("count", { to: 2 }))
    await world.clock.advance(100)
    expect(await reading).toEqual([0, 1])
    expect(world.errors).toEqual([])
  })

  it("refuses a stream above the limit before its handler runs", async () => {
    const world = createWorld({ limits: { streamsPerSession: 2 } })
    const client = await world.open()
    const running = [client.stream("ever", {}), client.stream("ever", {})]
    const refused = readAll(client.stream("list", { to: 1 }))
    await world.clock.advance(100)
    expect([await refused, world.log]).toEqual([["rate_limited"], []])
    for (const items of running) await items.return?.()
    await world.clock.advance(100)
    expect([client.stats().streams, world.log]).toEqual([0, ["left: cancelled", "left: cancelled"]])
  })

  it("stops the handler when its caller aborts, and throws `cancelled`", async () => {
    const world = createWorld()
    const client = await world.open()
    const controller = new AbortController()
    const items = client.stream("ever", {}, { signal: controller.signal })
    await world.clock.advance(250)
    controller.abort()
    expect((await rejection(items.next())).code).toBe("cancelled")
    expect(await items.next()).toEqual({ value: undefined, done: true })
    await world.clock.advance(50)
    expect(world.log).toEqual(["left: cancelled"])
  })

  it("fails with `client_closed` when the client closes", async () => {
    const world = createWorld()
    const client = await world.open()
    const reading = readAll(client.stream("count", { to: 1_000 }))
    client.close()
    expect((await reading).at(-1)).toBe("client_closed")
    await world.clock.advance(2_000)
    expect(client.stats()).toMatchObject({ streams: 0, pending: 0, timers: 0 })
  })

  it("is not available in protocol 2.0", async () => {
    const world = createWorld()
    const client = await world.open(clientProfile("2.0"))
    expect(await readAll(client.stream("count", { to: 3 }))).toEqual(["not_available"])
  })
})

describe("a stream over an outage", () => {
  it("surprise-C2 is not started after the resume when its reader has cancelled it, and ends with END alone", async () => {
    const world = createWorld()
    const client = await world.open()
    world.network.links[0]?.blackHole()
    world.network.listening = false
    const left = client.stream("count", { to: 3 })
    const reading = readAll(client.stream("list", { to: 3 }))
    await world.clock.advance(100)
    await left.return?.()
    world.network.listening = true
    client.cut()
    unwatched(client.connect())
    await world.clock.advance(1_000)
    expect([world.log, await reading]).toEqual([["list to 3"], upTo(3)])
    expect(world.server.stats()).toMatchObject({ requestsVoided: 1, requestsSettled: 2 })
    const sent = world.network.links[1]?.server.sent.map((bytes) => bytes[0]) ?? []
    expect(sent.filter((byte) => byte === frameByte.end)).toHaveLength(2)
    expect([client.stats(), world.errors]).toMatchObject([
      { streams: 0, pending: 0, bufferedMessages: 0 },
      [],
    ])
  })

  it("loses, repeats and reorders nothing, and stays within its window", async () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const world = createWorld({ latencyMs: seed % 7 })
      const client = await world.open({ random: seededRandom(seed), limits: boundlessDials })
      const random = seededRandom(seed)
      const windows = [1, 2, 7, 32]
      const window = windows[seed % windows.length] ?? 1
      const items = client.stream("count", { to: 120 }, { window })
      const read: number[] = []
      const reader = { isReading: false, isOver: false }
      const readOne = async (): Promise<void> => {
        reader.isReading = true
        const { value, done } = await items.next()
        reader.isReading = false
        reader.isOver = done === true
        if (value !== undefined) read.push(value)
      }
      for (let step = 0; step < 2_000 && !reader.isOver; step += 1) {
        if (!reader.isReading && random() < 0.8) unwatched(readOne())
        if (random() < 0.05) world.network.links.at(-1)?.cut()
        if (random() < 0.005) world.network.links.at(-1)?.blackHole()
        await world.clock.advance(random() < 0.02 ? 40_000 : random() * 40)
        expect(world.made.count - read.length, `seed ${seed}`).toBeLessThanOrEqual(window)
      }
      expect(read, `seed ${seed}`).toEqual(upTo(120))
      expect(client.stats().sessionsReset, `seed ${seed}`).toBe(0)
      expect(client.stats().sessionsResumed, `seed ${seed}`).toBeGreaterThan(0)
      expect(world.errors, `seed ${seed}`).toEqual([])
      client.close()
    }
  })

  it("leaves half of the send buffer to all other messages", async () => {
    const world = createWorld()
    const client = await world.open()
    const [session] = world.server.local.sessions()
    const bytes: string[] = []
    client.on("bell", (bell) => bytes.push(bell.bytes))
    const items = client.stream("large", { bytes: 60_000 }, { window: 64 })
    world.network.listening = false
    await world.clock.advance(3)
    world.network.links.at(-1)?.cut()
    await world.clock.advance(5_000)
    // 64 items are requested, 3.8 MB; a session's buffer is 1 MiB.
    for (const bell of upTo(8)) session?.send("bell", { bytes: String(bell).padEnd(60_000) })
    expect(session?.active).toBe(true)
    world.network.listening = true
    await world.clock.advance(60_000)
    expect([bytes.length, client.stats().sessionsReset]).toEqual([8, 0])
    for (const read of upTo(200)) {
      expect((await items.next()).value).toBe(String(read + 1).padStart(60_000, "0"))
      await world.clock.advance(20)
    }
    expect(world.made.count).toBeLessThanOrEqual(264)
  })

  it("fails with `connection_lost` when its session ends, after the received items", async () => {
    const world = createWorld({ limits: { resumeWindowMs: 1_000 } })
    const client = await world.open()
    const items = client.stream("count", { to: 1_000 }, { window: 4 })
    await world.clock.advance(100)
    world.network.listening = false
    world.network.links.at(-1)?.cut()
    await world.clock.advance(5_000)
    expect(world.log).toEqual(["count to 1000", "left: session_ended"])
    world.network.listening = true
    await world.clock.advance(60_000)
    expect(await readAll(items)).toEqual([0, 1, 2, 3, "connection_lost"])
    expect(client.stats()).toMatchObject({ sessionsReset: 1, streams: 0 })
  })

  it("opens unsent streams in the next session, in order", async () => {
    const world = createWorld({ limits: { resumeWindowMs: 1_000 } })
    const client = await world.open()
    world.network.listening = false
    world.network.links.at(-1)?.cut()
    await world.clock.advance(100)
    const replies = [client.command("note", { text: "one" }, { timeoutMs: 90_000 })]
    const reading = readAll(client.stream("count", { to: 50 }, { window: 3 }))
    replies.push(client.command("note", { text: "two" }, { timeoutMs: 90_000 }))
    await world.clock.advance(5_000)
    world.network.listening = true
    await world.clock.advance(60_000)
    await Promise.all(replies)
    expect(await reading).toEqual(upTo(50))
    expect(world.log).toEqual(["one", "count to 50", "two", "counted"])
    expect(client.stats().sessionsReset).toBe(1)
  })

  it("stops the handler also when it was cancelled during the outage", async () => {
    const world = createWorld()
    const client = await world.open()
    const items = client.stream("ever", {})
    await world.clock.advance(150)
    world.network.links.at(-1)?.cut()
    await items.return?.()
    await world.clock.advance(5_000)
    expect(world.log).toEqual(["left: cancelled"])
    expect(client.stats()).toMatchObject({ sessionsReset: 0, streams: 0 })
  })
})
