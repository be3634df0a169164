import { HawserError, defaultClientLimits, defineContract } from "@hawser/protocol"
import {
  TimerQueue,
  TypeTable,
  contractTypes,
  createFrameCodec,
  serverMessageLimits,
} from "@hawser/protocol/core"
import type { ClientLimits, Schema } from "@hawser/protocol"
import type { Codec, Profile } from "@hawser/protocol/core"
import { createEnvelopeCodec } from "@hawser/protocol/profile20"
import { SimulatedClock } from "@hawser/protocol/testing"
import { describe, expect, it } from "vitest"
import { createClientCounters } from "../base/counters.ts"
import { profile20 } from "../profile20/dialect.ts"
import type { ClientSession } from "../session/client-session.ts"
import type { Dialect } from "../session/dialect.ts"
import { compactDialect } from "../session/compact-dialect.ts"
import { Requests } from "./requests.ts"
import type { CallOptions } from "./requests.ts"

const anything: Schema = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } }
const spec = { input: anything, output: anything }
const contract = defineContract({ name: "requests", commands: { say: spec } })
const types = new TypeTable(contractTypes(contract))
const codecs: Record<Profile, Codec> = {
  "hawser.1": createFrameCodec(types, serverMessageLimits),
  "2.0": createEnvelopeCodec({ limits: serverMessageLimits, wallClockMs: () => 0 }),
}

const dialects: Record<Profile, Dialect> = { "hawser.1": compactDialect, "2.0": profile20() }

/** A socket without a `drained` event, like those of browsers. `sent` holds the messages that it took. */
class Socket {
  readonly sent: unknown[] = []
  readonly #codec: Codec
  bufferedBytes = 0
  takes = true
  /** Runs in the middle of a send. */
  onSend = (): void => {}

  constructor(codec: Codec) {
    this.#codec = codec
  }

  send({ bytes }: { readonly bytes: Uint8Array }): boolean {
    if (!this.takes) return false
    const frame = this.#codec.decode(bytes, 1)
    if (frame.kind === "request") this.sent.push(frame.payload)
    this.bufferedBytes += bytes.length
    this.onSend()
    return true
  }

  close(): void {}
  terminate(): void {}
  pause(): void {}
  resume(): void {}
}

function setUp(profile: Profile, changed: Partial<ClientLimits> = {}) {
  const clock = new SimulatedClock()
  const timers = new TimerQueue(clock, (error) => {
    throw error
  })
  const limits = { ...defaultClientLimits, ...changed }
  const state: { session: ClientSession | undefined } = { session: undefined }
  const codec = codecs[profile]
  const outcomes: string[] = []
  const onDead: { run: () => void } = { run: () => {} }
  const lose = (): void => {
    const { session } = state
    state.session = undefined
    if (session === undefined) return
    requests.onSessionEnded(session, new HawserError("connection_lost"))
    session.end()
  }
  const requests = new Requests({
    clock,
    timers,
    limits,
    session: () => state.session,
    refusal: () => undefined,
    counters: createClientCounters(),
    onAbandoned: () => {},
    onDeadConnection: () => {
      if (profile === "2.0") lose()
      onDead.run()
    },
    onUnanswered: () => {},
    onPending: () => {},
  })
  const say = (text: string, options: CallOptions = {}): void => {
    const watch = { succeeded: () => {}, failed: () => {} }
    requests.call({ call: "command", name: "say", reply: anything, input: { text }, options, watch }).then(
      () => outcomes.push(text),
      (error: { code: string }) => outcomes.push(`${text} ${error.code}`),
    )
  }
  const connect = (socket = new Socket(codec)): Socket => {
    const session = dialects[profile].createSession({
      codec,
      types,
      connection: socket,
      welcome: {
        kind: "welcome",
        sessionId: "s",
        resumeToken: profile === "2.0" ? null : "t",
        resumed: false,
        received: 0,
        handled: 0,
        digest: 0,
        expiresInMs: null,
        limits: serverMessageLimits,
        types: contractTypes(contract),
      },
      limits,
      clock,
      timers,
      counters: createClientCounters(),
      onRoom: () => requests.flush(),
      onAsked: () => {},
    })
    state.session = session
    requests.flush()
    return socket
  }
  return { clock, timers, codec, requests, state, outcomes, say, connect, lose, onDead }
}

const texts = (socket: Socket): unknown[] =>
  socket.sent.map((payload) =>
    typeof payload === "object" && payload !== null && "text" in payload ? payload.text : payload,
  )

describe("the line of requests", () => {
  it("is bounded by what its messages will measure, and refuses at the call", async () => {
    const { requests, outcomes, say, connect } = setUp("hawser.1", { sendBufferMaxBytes: 1_000 })
    for (const text of ["a", "b", "c", "d"]) say(text.padEnd(300, text))
    say("small")
    await Promise.resolve()
    expect(outcomes).toEqual([`${"d".repeat(300)} buffer_full`])
    expect(requests.queuedCount).toBe(4)
    expect(texts(connect())).toEqual(["a", "b", "c"].map((text) => text.repeat(300)).concat("small"))
  })

  it("makes room for others when one of it is given up", () => {
    const { requests, say } = setUp("hawser.1", { sendBufferMaxBytes: 1_000 })
    const controller = new AbortController()
    say("x".repeat(900), { signal: controller.signal })
    say("y".repeat(900))
    expect(requests.queuedCount).toBe(1)
    controller.abort()
    say("z".repeat(900))
    expect(requests.queuedCount).toBe(1)
  })

  it("is as long as its messages were that come back to it from a session", async () => {
    const { requests, outcomes, state, say, connect, lose } = setUp("hawser.1", { sendBufferMaxBytes: 1_000 })
    connect()
    state.session?.detach()
    say("x".repeat(900))
    lose()
    say("y".repeat(900))
    await Promise.resolve()
    expect(outcomes).toEqual([`${"y".repeat(900)} buffer_full`])
    expect(requests.queuedCount).toBe(1)
  })

  it("sends as far as acknowledgements free the send buffer, and queues new requests behind", () => {
    const { requests, state, say, connect } = setUp("hawser.1", { sendBufferMaxCount: 2 })
    for (const text of ["a", "b", "c", "d", "e"]) say(text)
    const socket = connect()
    expect([texts(socket), requests.queuedCount]).toEqual([["a", "b"], 3])
    say("f")
    state.session?.receiveCounts({ kind: "ack", handled: 1 })
    expect([texts(socket).slice(2), requests.queuedCount]).toEqual([["c"], 3])
    state.session?.receiveCounts({ kind: "ack", handled: 3 })
    expect([texts(socket).slice(3), requests.queuedCount]).toEqual([["d", "e"], 1])
    expect(requests.pending().map(({ input, state: how }) => [input, how])).toEqual(
      ["a", "b", "c", "d", "e", "f"].map((text) => [{ text }, text === "f" ? "throttled" : "sent"]),
    )
    state.session?.receiveCounts({ kind: "ack", handled: 4 })
    expect([texts(socket).slice(5), requests.queuedCount]).toEqual([["f"], 0])
  })

  it("sends nothing that was given up when its connection was found dead", async () => {
    const { requests, codec, outcomes, say, connect, onDead } = setUp("hawser.1")
    const controller = new AbortController()
    const socket = new Socket(codec)
    socket.takes = false
    onDead.run = () => controller.abort()
    say("a")
    say("b", { signal: controller.signal })
    say("c")
    connect(socket)
    await Promise.resolve()
    expect(outcomes).toEqual(["b cancelled"])
    expect(requests.pending().map(({ input }) => input)).toEqual([{ text: "a" }, { text: "c" }])
  })

  it("is not held up by a request that the server does not take", async () => {
    const { requests, outcomes, say, connect } = setUp("hawser.1")
    say("x".repeat(70_000))
    say("b")
    expect(texts(connect())).toEqual(["b"])
    await Promise.resolve()
    expect(outcomes).toEqual([`${"x".repeat(70_000)} message_too_large`])
    expect(requests.queuedCount).toBe(0)
  })

  it("sends nothing twice over a transport that reports `drained` during a send", () => {
    const { state, codec, say, connect } = setUp("2.0")
    const socket = new Socket(codec)
    socket.onSend = () => state.session?.drained()
    for (const text of ["a", "b", "c"]) say(text)
    connect(socket)
    say("d")
    expect(texts(socket)).toEqual(["a", "b", "c", "d"])
  })
})

describe("the line of requests in protocol 2.0", () => {
  it("waits for room in the socket, which it asks, and leaves no timer behind", async () => {
    const { clock, timers, requests, say, connect } = setUp("2.0", { sendBufferMaxBytes: 150 })
    const idle = timers.size
    for (const text of ["a", "b", "c", "d", "e", "f"]) say(text)
    const socket = connect()
    const { length } = texts(socket)
    expect(length).toBeGreaterThan(0)
    expect(requests.queuedCount).toBe(6 - length)
    await clock.advance(1_000)
    expect(texts(socket)).toHaveLength(length)
    socket.bufferedBytes = 0
    say("g")
    expect(texts(socket)).toHaveLength(length)
    await clock.advance(50)
    socket.bufferedBytes = 0
    await clock.advance(50)
    expect(texts(socket)).toEqual(["a", "b", "c", "d", "e", "f", "g"])
    // One for each request's time.
    await clock.advance(50)
    expect(timers.size - idle).toBe(7)
  })

  it("holds what would fit behind what does not", async () => {
    const { clock, requests, say, connect } = setUp("2.0", { sendBufferMaxBytes: 255 })
    const [long, longer, small] = ["a".repeat(100), "b".repeat(101), "c"]
    for (const text of [long, longer, small]) say(text)
    const socket = connect()
    expect([texts(socket), requests.queuedCount]).toEqual([[long], 2])
    socket.bufferedBytes = 0
    await clock.advance(50)
    expect(texts(socket)).toEqual([long, longer, small])
  })

  it("refuses what finds the socket full and nothing before it", async () => {
    const { outcomes, say, connect } = setUp("2.0", { sendBufferMaxBytes: 400 })
    connect().bufferedBytes = 400
    say("a")
    await Promise.resolve()
    expect(outcomes).toEqual(["a buffer_full"])
  })

  it("keeps its order when the socket refuses the first of it", async () => {
    const { codec, outcomes, say, connect } = setUp("2.0")
    const dead = new Socket(codec)
    dead.takes = false
    for (const text of ["a", "b", "c"]) say(text)
    connect(dead)
    say("d")
    expect([texts(connect()), outcomes]).toEqual([["a", "b", "c", "d"], []])
  })

  it("keeps its order when the socket refuses one that nothing waits before", () => {
    const { codec, say, connect } = setUp("2.0")
    const socket = connect(new Socket(codec))
    say("a", { key: "a" })
    socket.takes = false
    say("b")
    say("c")
    expect(texts(connect())).toEqual(["a", "b", "c"])
  })
})
