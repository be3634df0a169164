// Records all messages of every session and their outcomes, from the outside: the reference for the checks of both
// ends. The cost of each check does not depend on the length of a run. Invariants S1, S3, S4, S12, S13, S15 and S16.
import type { ServerLimits } from "@hawser/protocol"
import type { SentMessage } from "@hawser/server"
import type { Note, Reading } from "./contract.ts"
import type { Seen } from "./sometimes.ts"
import { Violation } from "./trace.ts"
import type { Trace } from "./trace.ts"
import type { UndoLog } from "./undo-log.ts"

export interface SessionRecord {
  readonly id: string
  userId: string
  /** Number of the server that opened it. */
  readonly serverNumber: number
  /**
   * Reliable events that were accepted for it, in order. `delivered`: number of them that reached the client's
   * listener.
   */
  readonly emitted: number[]
  delivered: number
  /** Numbers of requests whose handlers run, and of settled ones. */
  running: number
  settled: number
  /** Handlers that ignore their signal: the product settles their requests after a while. */
  readonly deaf: { readonly untilMs: number; isReleased: boolean }[]
  attached: boolean
  detachedAtMs: number
  serverCause: string | undefined
  /** It has ended at the server, and the turn of its end has left: no later WELCOME is for it. */
  isLongEnded: boolean
  clientCause: string | undefined
  /** Codes with which the application ended it. */
  endedWith: string | undefined
  /** Another client has sent a claim with its token: any explicit end is right then. */
  isAttacked: boolean
  /** Number of reliable events before each volatile one that is under way. */
  readonly barriers: Map<number, number>
  /** Queued value of each key. */
  readonly waitingValues: Map<string, number>
  readonly lastOfKey: Map<string, number>
  /** Number of the client's reliable messages that arrived at the server. */
  received: number
  /** Times at which it moved from one live connection to another. */
  readonly takeoversAtMs: number[]
  expiredToken: boolean
  /** Number of times that it was frozen and continued. */
  lives: number
  /** Start of the current outage, over all processes of the session, and the jumps of the wall clock until then. */
  awaySinceMs: number
  jumpedBeforeMs: number
  /** Its client has received WELCOME. */
  isKnown: boolean
  /** The server's journal was rolled back: the session agrees or is reset. `mustReset`: its client has seen more than the server knows. */
  isRolledBack: boolean
  mustReset: boolean
  /** Wall-clock time of its end at the server. */
  endedAtWallMs: number
}

/** Number of handlers that block the session's acknowledgements. */
export function runningAt(record: SessionRecord, nowMs: number): number {
  for (let first = record.deaf[0]; first !== undefined && first.untilMs <= nowMs; first = record.deaf[0]) {
    first.isReleased = true
    record.deaf.shift()
    record.running -= 1
  }
  return record.running
}

export interface SessionBookOptions {
  readonly trace: Trace
  readonly seen: Seen
  readonly nowMs: () => number
  readonly wallClockMs: () => number
  /** Sum of the jumps forward of the server's wall clock. */
  readonly jumpedMs: () => number
  /** Changes by the server, if it keeps a journal. */
  readonly undo: UndoLog | undefined
  readonly limits: ServerLimits
  /** Size limit of one message's padding. */
  readonly padBytes: number
}

export class SessionBook {
  readonly #options: SessionBookOptions
  readonly #records = new Map<string, SessionRecord>()
  /** The event that is being sent to several sessions. */
  #publishing: number | undefined
  /** True while a rollback of the journal is being taken over: clients may have seen more. */
  mayLose = false

  constructor(options: SessionBookOptions) {
    this.#options = options
  }

  get all(): Iterable<SessionRecord> {
    return this.#records.values()
  }

  get(id: string | undefined): SessionRecord | undefined {
    return id === undefined ? undefined : this.#records.get(id)
  }

  opened(id: string, serverNumber: number): SessionRecord {
    if (this.#records.has(id)) throw new Violation("S16", `session ${id} was opened twice`)
    const record: SessionRecord = {
      id,
      userId: "",
      serverNumber,
      emitted: [],
      delivered: 0,
      running: 0,
      settled: 0,
      deaf: [],
      attached: true,
      detachedAtMs: 0,
      serverCause: undefined,
      isLongEnded: false,
      clientCause: undefined,
      endedWith: undefined,
      isAttacked: false,
      barriers: new Map(),
      waitingValues: new Map(),
      lastOfKey: new Map(),
      received: 0,
      takeoversAtMs: [],
      expiredToken: false,
      lives: 0,
      awaySinceMs: 0,
      jumpedBeforeMs: 0,
      isKnown: false,
      isRolledBack: false,
      mustReset: false,
      endedAtWallMs: 0,
    }
    this.#records.set(id, record)
    this.#options.undo?.add(() => {
      if (record.isKnown) this.seen(record, `session ${id} reached its client and is not in the journal`)
      record.serverCause = "session_unknown"
      record.isLongEnded = true
    })
    return record
  }

  // --- deaths of the server ---------------------------------------------------------------------------------------

  /** A client has seen output of which the journal holds nothing: after a rollback its session must be reset. */
  seen(record: SessionRecord, text: string): void {
    if (record.isAttacked || record.mustReset) return
    if (!this.mayLose) throw new Violation("S3", text)
    record.mustReset = true
  }

  /** The server's process has died: its sessions are detached from now on. */
  died(): void {
    for (const record of this.#records.values())
      if (record.attached && record.serverCause === undefined) this.detached(record)
  }

  /** The next process has restored the session, detached: its handlers are lost. */
  restored(record: SessionRecord, jumpedMs: number): void {
    record.jumpedBeforeMs = Math.min(record.jumpedBeforeMs, jumpedMs)
    record.lives += 1
    record.running = 0
    record.deaf.splice(0)
    this.detached(record)
  }

  // --- server sends ---------------------------------------------------------------------------------------------

  /** Records an event that `send` passes to these sessions; a session that ends meanwhile has not accepted it. */
  publish(records: readonly SessionRecord[], id: number, send: () => void): void {
    for (const record of records) {
      const { length } = record.emitted
      record.emitted.push(id)
      this.#options.undo?.add(() => {
        if (record.delivered > length)
          this.seen(record, `event ${id} of session ${record.id} was delivered and is not in the journal`)
        record.emitted.splice(length)
      })
    }
    this.#publishing = id
    try {
      send()
    } finally {
      this.#publishing = undefined
    }
  }

  /** Records a volatile event that is about to be passed to these sessions. */
  publishVolatile(records: readonly SessionRecord[], id: number): void {
    for (const record of records) {
      record.barriers.set(id, record.emitted.length)
      this.#options.undo?.add(() => {
        // A session that resumes after a rollback gets an older value.
        for (const [key, last] of record.lastOfKey)
          if (last === id && this.mayLose) record.lastOfKey.delete(key)
          // A volatile event without a key is not kept.
          else if (last === id && key !== "")
            this.seen(record, `value ${id} of session ${record.id} was delivered and is not in the journal`)
      })
    }
  }

  // --- client's listener ----------------------------------------------------------------------------------------

  note(sessionId: string | undefined, { id }: Note): void {
    const record = this.#live(sessionId, `event ${id}`)
    const expected = record.emitted[record.delivered]
    if (expected !== id && record.isRolledBack) {
      // It was under way when the journal was rolled back.
      record.mustReset = true
      return
    }
    if (expected !== id) {
      const place = `event ${record.delivered + 1} of session ${record.id}`
      throw new Violation("S1", `${place} is ${id}, the server sent ${expected}`)
    }
    record.delivered += 1
  }

  reading(sessionId: string | undefined, { id, key }: Reading): void {
    const { seen } = this.#options
    const record = this.#live(sessionId, `volatile event ${id}`)
    const barrier = record.barriers.get(id)
    // After a rollback an older value comes again.
    if (barrier === undefined && record.isRolledBack) return
    if (barrier === undefined)
      throw new Violation("S12", `volatile event ${id} was not sent, or is older than one that came`)
    if (record.delivered < barrier)
      throw new Violation("S12", `volatile event ${id} overtook ${barrier - record.delivered} reliable ones`)
    const before = record.lastOfKey.get(key) ?? 0
    // The last value of a key may arrive again after a resume; one without a key arrives at most once.
    if (id < before || (id === before && key === ""))
      throw new Violation("S12", `key ${JSON.stringify(key)} went back from ${before} to ${id}`)
    record.lastOfKey.set(key, id)
    if (id !== before) record.barriers.delete(before)
    if (record.waitingValues.get(key) === id) seen.saw("slotsFlushed")
    record.waitingValues.delete(key)
  }

  #live(sessionId: string | undefined, what: string): SessionRecord {
    const record = this.get(sessionId)
    if (record === undefined) throw new Violation("S13", `${what} came without a session`)
    if (record.clientCause !== undefined)
      throw new Violation("S13", `${what} came after session ${record.id} had ended (${record.clientCause})`)
    return record
  }

  // --- ends -----------------------------------------------------------------------------------------------------

  /** Its handlers are lost, and it is detached. */
  rewritten(record: SessionRecord): void {
    const { seen } = this.#options
    seen.saw("rewritten")
    if (record.running > 0) seen.saw("rewrittenDuringHandler")
    record.lives += 1
    record.running = 0
    record.deaf.splice(0)
    this.detached(record)
  }

  detached(record: SessionRecord): void {
    const nowMs = this.#options.nowMs()
    if (record.attached) {
      record.awaySinceMs = nowMs
      record.jumpedBeforeMs = this.#options.jumpedMs()
    }
    record.attached = false
    record.detachedAtMs = nowMs
    if (record.running > 0) this.#options.seen.saw("detachedDuringHandler")
  }

  endedAtServer(record: SessionRecord, cause: string, unacknowledged: readonly SentMessage[]): void {
    if (record.serverCause !== undefined)
      throw new Violation("S16", `session ${record.id} ended twice: ${record.serverCause}, ${cause}`)
    const { endedWith } = record
    record.serverCause = cause
    record.endedAtWallMs = this.#options.wallClockMs()
    this.#options.undo?.add(() => {
      if (record.clientCause === cause && cause !== "closed")
        this.seen(
          record,
          `the end of session ${record.id} reached its client (${cause}) and is not in the journal`,
        )
      Object.assign(record, { serverCause: undefined, isLongEnded: false, endedWith })
    })
    if (record.emitted.at(-1) === this.#publishing) record.emitted.pop()
    this.#assertExplained(record, cause, unacknowledged)
    if (!record.isAttacked) assertReported(record, unacknowledged)
  }

  #assertExplained(record: SessionRecord, cause: string, unacknowledged: readonly SentMessage[]): void {
    const { nowMs, jumpedMs, limits, seen, padBytes } = this.#options
    if (cause === "session_stolen") seen.saw("stolen")
    if (record.isAttacked || cause === record.endedWith) return
    switch (cause) {
      case "session_expired": {
        const awayMs = nowMs() - record.detachedAtMs
        seen.saw("windowExpired")
        // A frozen server's clock may have stopped, so the outage may have been longer, but never shorter.
        const isOver = awayMs >= limits.resumeWindowMs - 1e-6
        // Between two processes the wall clock counts.
        const wallMs = record.lives > 0 ? jumpedMs() - record.jumpedBeforeMs + 1 : 0
        const isOverInAll = nowMs() - record.awaySinceMs + wallMs >= limits.detachedMaxMs - 1e-6
        if (!record.attached && (isOver || isOverInAll)) return
        throw new Violation("S10", `session ${record.id} expired after ${awayMs} ms`)
      }
      case "session_overflow": {
        seen.saw("overflow")
        const kept = unacknowledged.reduce((sum, message) => sum + 24 + padOf(message), 0)
        const isFull = (kept + padBytes + 100) * 1.5 >= limits.sendBufferMaxBytes
        if (unacknowledged.length >= limits.sendBufferMaxCount || isFull) return
        throw new Violation("S15", `session ${record.id} overflowed with ${unacknowledged.length} messages`)
      }
      case "session_thrash": {
        seen.saw("thrash")
        // Counted without the window: a frozen server has other times for the takeovers.
        if (record.takeoversAtMs.length + 1 > limits.takeoversMax) return
        throw new Violation(
          "S16",
          `session ${record.id} thrashed after ${record.takeoversAtMs.length} takeovers`,
        )
      }
      case "rate_limited":
        if (limits.userMessagesPerSecond < 1_000) return
        break
      case "session_diverged":
        if (record.isRolledBack) return
        break
      case "closed":
        if (record.clientCause === "client_closed") return
        break
      default:
    }
    throw new Violation("S16", `session ${record.id} ended at the server with ${cause}, for no reason`)
  }

  endedAtClient(sessionId: string, cause: string, isServerGone: boolean): void {
    const record = this.get(sessionId)
    if (record === undefined)
      throw new Violation("S16", `the client ended session ${sessionId}, which never was`)
    if (record.clientCause !== undefined)
      throw new Violation(
        "S16",
        `session ${sessionId} ended twice at the client: ${record.clientCause}, ${cause}`,
      )
    record.clientCause = cause
    if (record.mustReset && cause !== "client_closed") this.#options.seen.saw("rolledBackReset")
    if (record.isAttacked || cause === "client_closed" || cause === record.serverCause) return
    const { wallClockMs, limits } = this.#options
    // A later process forgets an end by the wall clock.
    const isForgotten = record.endedAtWallMs > 0 && wallClockMs() - record.endedAtWallMs >= limits.tombstoneMs
    if (isForgotten && record.serverCause !== undefined && cause === "session_unknown") return
    if (record.isRolledBack && (cause === "session_diverged" || cause === "session_unknown")) return
    if (cause === "session_unknown" && isServerGone) return
    throw new Violation(
      "S10",
      `session ${sessionId} ended at the client with ${cause}, at the server with ${record.serverCause}`,
    )
  }
}

function padOf(message: SentMessage): number {
  const { payload } = message
  // The notices of topics are longer than an event.
  if (message.kind === "event" && message.name.startsWith("$")) return 80
  if (typeof payload !== "object" || payload === null || !("pad" in payload)) return 0
  return typeof payload.pad === "string" ? payload.pad.length : 0
}

function idOf(payload: unknown): unknown {
  return typeof payload === "object" && payload !== null && "id" in payload ? payload.id : undefined
}

/** Undelivered events are among the reported ones; the reported ones are the end of the sent ones. */
function assertReported(record: SessionRecord, unacknowledged: readonly SentMessage[]): void {
  const ids = unacknowledged.flatMap((message) =>
    message.kind === "event" && !message.name.startsWith("$") ? [idOf(message.payload)] : [],
  )
  const { emitted, delivered } = record
  const from = emitted.length - ids.length
  if (from > delivered)
    throw new Violation("S3", `session ${record.id} released ${from} events, ${delivered} were delivered`)
  for (const [index, id] of ids.entries()) {
    if (emitted[from + index] !== id)
      throw new Violation(
        "S4",
        `session ${record.id} reports ${String(id)} instead of ${emitted[from + index]}`,
      )
  }
}
