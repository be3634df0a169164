import { HawserError, defaultClientLimits, defineContract } from "@hawser/protocol"
import {
  TimerQueue,
  TypeTable,
  contractTypes,
  createFrameCodec,
  serverMessageLimits,
  streamWindowMax,
} from "@hawser/protocol/core"
import type { ClientLimits, Schema } from "@hawser/protocol"
import type { Codec, Connection, Profile, WireError } from "@hawser/protocol/core"
import { createEnvelopeCodec } from "@hawser/protocol/profile20"
import { SimulatedClock } from "@hawser/protocol/testing"
import { describe, expect, it } from "vitest"
import { createClientCounters } from "../base/counters.ts"
import { profile20 } from "../profile20/dialect.ts"
import type { ClientSession } from "../session/client-session.ts"
import type { Dialect } from "../session/dialect.ts"
import { compactDialect } from "../session/compact-dialect.ts"
import type { ItemReader } from "./item-reader.ts"
import { Requests } from "./requests.ts"
import { Streams } from "./streams.ts"
import type { StreamOptions } from "./streams.ts"

const anything: Schema = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } }
const spec = { input: anything, item: anything }
const contract = defineContract({
  name: "streams",
  commands: { move: { input: anything, output: anything } },
  streams: { count: spec },
})
const unwatched = { succeeded: () => {}, failed: () => {} }
const forbidden: WireError = { code: "forbidden", message: "no", category: "permission" }

const dialects: Record<Profile, Dialect> = { "hawser.1": compactDialect, "2.0": profile20() }

/** The connection takes all there is; `sent` tells what: `REQ count`, `CREDIT 1 32`, `CANCEL 1`. */
function openSession(parts: {
  readonly profile: Profile
  readonly limits: ClientLimits
  readonly clock: SimulatedClock
  readonly timers: TimerQueue
  readonly onRoom: () => void
}) {
  const { profile, limits, clock, timers, onRoom } = parts
  const types = new TypeTable(contractTypes(contract))
  const codecs: Record<Profile, Codec> = {
    "hawser.1": createFrameCodec(types, serverMessageLimits),
    "2.0": createEnvelopeCodec({ limits: serverMessageLimits, wallClockMs: () => 0 }),
  }
  const codec = codecs[profile]
  const sent: string[] = []
  let count = 0
  const connection: Connection = {
    bufferedBytes: 0,
    send: ({ bytes }) => {
      if (codec.classify(bytes) === "reliable") count += 1
      const frame = codec.decode(bytes, count)
      if (frame.kind === "request") sent.push(`REQ ${frame.type} ${frame.budgetMs}`)
      else if (frame.kind === "credit") sent.push(`CREDIT ${String(frame.reference)} ${frame.items}`)
      else if (frame.kind === "cancel") sent.push(`CANCEL ${String(frame.reference)}`)
      return true
    },
    close: () => {},
    terminate: () => {},
    pause: () => {},
    resume: () => {},
  }
  const session = dialects[profile].createSession({
    codec,
    types,
    connection,
    welcome: {
      kind: "welcome",
      sessionId: "s",
      resumeToken: "t",
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
    onRoom,
    onAsked: () => {},
  })
  return { session, sent, connection }
}

function setUp(changed: Partial<ClientLimits> = {}, profile: Profile = "hawser.1") {
  const clock = new SimulatedClock()
  const faults: unknown[] = []
  const timers = new TimerQueue(clock, (error) => faults.push(error))
  const limits = { ...defaultClientLimits, ...changed }
  const state: { session: ClientSession | undefined; refusal: HawserError | undefined } = {
    session: undefined,
    refusal: undefined,
  }
  const requests = new Requests({
    clock,
    timers,
    limits,
    session: () => state.session,
    refusal: () => state.refusal,
    counters: createClientCounters(),
    onAbandoned: (reference) => state.session?.cancel(reference),
    onDeadConnection: () => {},
    onUnanswered: () => {},
    onPending: () => {},
  })
  const streams = new Streams({ limits, requests: () => requests, session: () => state.session })
  const open = (options: StreamOptions = {}): ItemReader =>
    streams.open({ name: "count", item: anything, input: {}, options })
  const move = (): void => {
    const request = { call: "command", name: "move", reply: anything } as const
    requests.call({ ...request, input: {}, options: {}, watch: unwatched }).catch(() => {})
  }
  const connect = (): string[] => {
    const onRoom = (): void => requests.flush()
    const { session, sent } = openSession({ profile, limits, clock, timers, onRoom })
    state.session = session
    requests.flush()
    return sent
  }
  const lose = (): void => {
    const { session } = state
    state.session = undefined
    if (session !== undefined) requests.onSessionEnded(session, new HawserError("session_expired"))
  }
  return { clock, timers, requests, streams, state, open, move, connect, lose }
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    if (HawserError.is(error)) return error.code
    throw error
  }
  return "none"
}

const item = (reference: number, payload: unknown) => ({ kind: "item", reference, payload }) as const
const end = (reference: number, error?: WireError) => ({ kind: "end", reference, error }) as const

describe("opening", () => {
  it("waits for the session in order with the other requests, without a deadline", () => {
    const { streams, requests, timers, open, move, connect } = setUp()
    open()
    move()
    open({ window: 3 })
    expect([streams.openCount, requests.queuedCount, timers.size]).toEqual([2, 3, 1])
    expect(connect()).toEqual(["REQ count 0", "CREDIT 1 32", "REQ move 10000", "REQ count 0", "CREDIT 4 3"])
    expect(requests.pending().map(({ call, state }) => [call, state])).toEqual([
      ["stream", "sent"],
      ["command", "sent"],
      ["stream", "sent"],
    ])
  })

  it("never leaves before it was sent, when its reader goes", async () => {
    const { streams, open, connect } = setUp()
    await open().return()
    expect([streams.openCount, connect()]).toEqual([0, []])
  })

  it.each([0, -1, 1.5, Number.NaN, streamWindowMax + 1])("refuses a window of %s", (window) => {
    const { streams, open } = setUp()
    expect(() => open({ window })).toThrow(
      new RangeError(`the window of a stream is 1 to 1024 items, not ${window}`),
    )
    expect(streams.openCount).toBe(0)
  })

  it("tells its reader why it was refused", async () => {
    const { streams, state, open } = setUp()
    expect(await codeOf(open({ whenOffline: "fail" }).next())).toBe("not_connected")
    expect(await codeOf(open({ signal: AbortSignal.abort() }).next())).toBe("cancelled")
    state.refusal = new HawserError("client_closed")
    const reader = open()
    expect(await codeOf(reader.next())).toBe("client_closed")
    expect(await reader.next()).toEqual({ value: undefined, done: true })
    expect(streams.openCount).toBe(0)
  })

  it("is not available in protocol 2.0", async () => {
    const { open, connect } = setUp({}, "2.0")
    const reader = open()
    expect([connect(), await codeOf(reader.next())]).toEqual([[], "not_available"])
  })
})

describe("items and ends", () => {
  it("gives each reader its own items", async () => {
    const { streams, requests, open, connect } = setUp()
    connect()
    const [one, two] = [open(), open()]
    streams.onItem(item(3, "c"))
    streams.onItem(item(1, "a"))
    streams.onItem(item(2, "unread"))
    streams.onItem(item(1, "b"))
    requests.onEnd(end(1))
    requests.onEnd(end(3, forbidden))
    expect([await one.next(), await one.next(), await one.next()].map(({ value }) => value)).toEqual([
      "a",
      "b",
      undefined,
    ])
    expect((await two.next()).value).toBe("c")
    expect(await codeOf(two.next())).toBe("forbidden")
    expect([streams.openCount, requests.pendingCount]).toEqual([0, 0])
  })

  it("takes an error instead of an end, and no reply", async () => {
    const { requests, open, connect } = setUp()
    connect()
    const [one, two] = [open(), open()]
    requests.onReply({ kind: "reply", reference: 1, outcome: { ok: false, error: forbidden } })
    requests.onReply({ kind: "reply", reference: 3, outcome: { ok: true, payload: undefined } })
    expect([await codeOf(one.next()), await codeOf(two.next())]).toEqual(["forbidden", "invalid_reply"])
  })

  it("takes no end for the reply of a command", async () => {
    const { requests, connect } = setUp()
    connect()
    const reply: Schema = {
      "~standard": { version: 1, vendor: "test", validate: () => ({ issues: [{ message: "no" }] }) },
    }
    const request = { call: "command", name: "move", reply, input: {}, options: {} } as const
    const outcome = requests.call({ ...request, watch: unwatched })
    requests.onEnd(end(1))
    expect(await codeOf(outcome)).toBe("invalid_reply")
  })
})

describe("leaving", () => {
  it("cancels once when the reader goes, and not after the end", async () => {
    const { streams, requests, open, connect } = setUp()
    const sent = connect()
    const [one, two] = [open(), open()]
    requests.onEnd(end(3))
    await one.return()
    await one.return()
    await two.return()
    expect(sent.slice(4)).toEqual(["CANCEL 1"])
    expect(streams.openCount).toBe(0)
  })

  it("cancels when its caller aborts", async () => {
    const { streams, open, connect } = setUp()
    const sent = connect()
    const controller = new AbortController()
    const reader = open({ signal: controller.signal })
    streams.onItem(item(1, "a"))
    const waiting = [reader.next(), reader.next()]
    controller.abort("enough")
    expect((await waiting[0])?.value).toBe("a")
    expect(await codeOf(Promise.resolve(waiting[1]))).toBe("cancelled")
    expect(sent.at(-1)).toBe("CANCEL 1")
  })
})

describe("a stream that is over", () => {
  const endings: Readonly<
    Record<string, (setting: ReturnType<typeof setUp>, reader: ItemReader) => unknown>
  > = {
    "by its end": ({ requests }) => requests.onEnd(end(1)),
    "by an error": ({ requests }) => requests.onEnd(end(1, forbidden)),
    "by a reply": ({ requests }) =>
      requests.onReply({ kind: "reply", reference: 1, outcome: { ok: true, payload: undefined } }),
    "by its reader": (_, reader) => reader.return(),
    "by its session": ({ lose }) => lose(),
    "by its client": ({ requests }) => requests.rejectAll(new HawserError("client_closed")),
  }

  it.each(Object.entries(endings))("leaves nothing of itself behind: %s", async (_, finish) => {
    const setting = setUp()
    setting.connect()
    const reader = setting.open()
    expect(setting.streams.openCount).toBe(1)
    await finish(setting, reader)
    expect(setting.streams.openCount).toBe(0)
  })

  it("leaves nothing behind in the sessions that it outlived, and takes nothing by its numbers there", async () => {
    const { streams, requests, state, open, connect, lose } = setUp()
    connect()
    state.session?.detach()
    const readers = [open(), open()]
    lose()
    expect(streams.openCount).toBe(2)
    for (const reference of [1, 3]) streams.onItem(item(reference, "of the old session"))
    connect()
    for (const reference of [1, 3]) {
      streams.onItem(item(reference, reference))
      requests.onEnd(end(reference))
    }
    expect(streams.openCount).toBe(0)
    expect((await Promise.all(readers.map((reader) => reader.next()))).map(({ value }) => value)).toEqual([
      1, 3,
    ])
  })
})

describe("sessions", () => {
  it("sends again what never left, with its whole window, and fails what did", async () => {
    const { streams, state, open, connect, lose } = setUp()
    connect()
    const left = open()
    state.session?.detach()
    const stayed = open({ window: 5 })
    streams.onItem(item(1, "a"))
    lose()
    expect(streams.openCount).toBe(1)
    expect(connect()).toEqual(["REQ count 0", "CREDIT 1 5"])
    // Number 1 is the other stream's now.
    streams.onItem(item(1, "b"))
    expect([(await left.next()).value, (await stayed.next()).value]).toEqual(["a", "b"])
    expect(await codeOf(left.next())).toBe("connection_lost")
  })

  it("grants nothing in a new session for items of an old one", async () => {
    const { streams, open, connect, lose } = setUp()
    connect()
    const reader = open({ window: 2 })
    streams.onItem(item(1, "a"))
    streams.onItem(item(1, "b"))
    lose()
    const sent = connect()
    await reader.next()
    await reader.next()
    expect(sent).toEqual([])
  })

  it("owes credit and cancels while the send buffer is full, and pays when there is room", async () => {
    const { streams, state, open, connect } = setUp({ sendBufferMaxCount: 4 })
    const sent = connect()
    const [one, two] = [open({ window: 2 }), open({ window: 2 })]
    for (const number of [1, 2]) streams.onItem(item(1, number))
    await one.next()
    await one.next()
    await two.return()
    expect(sent.length).toBe(4)
    state.session?.receiveCounts({ kind: "ack", handled: 2 })
    expect(sent.slice(4)).toEqual(["CREDIT 1 2", "CANCEL 3"])
    state.session?.receiveCounts({ kind: "ack", handled: 4 })
    expect(sent.length).toBe(6)
  })
})
