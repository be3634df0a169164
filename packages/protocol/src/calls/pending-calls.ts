// Holds the requests of one end that have no reply yet. Each settles exactly once: by its reply, its deadline, its caller,
// or the end of the session. All deadlines share the one timer of the TimerQueue. It has no bound; its owner bounds the
// requests. Must not know sessions or payloads.
import type { HawserError } from "../base/errors.ts"
import type { TimerQueue } from "../base/timer-queue.ts"
import type { Reference } from "../wire/frame.ts"

/** A request without a reply. Created by `PendingCalls.open`. */
export interface PendingCall {
  /** Reference under which it was sent; undefined before. */
  reference: Reference | undefined
  /** Deadline on the clock, in milliseconds; undefined: none. */
  readonly deadlineMs: number | undefined
  /** True once it has an outcome. */
  settled: boolean
}

interface Entry extends PendingCall {
  readonly resolve: (payload: unknown) => void
  readonly reject: (error: HawserError) => void
  /** Settles it with the error of its deadline. */
  readonly expire: () => void
  readonly cancelTimer: () => void
}

/** Options of `PendingCalls.open`. */
export interface PendingCallOptions {
  /** Deadline on the clock, in milliseconds: then it rejects with the error of `expired`. Undefined: none. */
  readonly deadlineMs: number | undefined
  /** Returns the error at the deadline. Called before the request settles. */
  readonly expired: () => HawserError
  /** Called with the payload of the reply. */
  readonly resolve: (payload: unknown) => void
  /** Called with the error. */
  readonly reject: (error: HawserError) => void
}

/** Requests without a reply, and their deadlines. */
export class PendingCalls {
  readonly #timers: TimerQueue
  readonly #onAbandoned: (reference: Reference) => void
  readonly #entries = new Set<Entry>()
  readonly #sent = new Map<Reference, Entry>()

  /** @param onAbandoned receives the reference of a sent request that settled without a reply, so that CANCEL can be sent. */
  constructor(timers: TimerQueue, onAbandoned: (reference: Reference) => void) {
    this.#timers = timers
    this.#onAbandoned = onAbandoned
  }

  /** Number of requests without a reply, sent or not. */
  get size(): number {
    return this.#entries.size
  }

  /** Adds a request that has not been sent. */
  open(options: PendingCallOptions): PendingCall {
    const { deadlineMs } = options
    const entry: Entry = {
      reference: undefined,
      deadlineMs,
      settled: false,
      resolve: options.resolve,
      reject: options.reject,
      expire: () => this.#abandon(entry, options.expired()),
      cancelTimer: deadlineMs === undefined ? () => {} : this.#timers.at(deadlineMs, () => entry.expire()),
    }
    this.#entries.add(entry)
    return entry
  }

  /** Records that the request was sent under this reference. */
  sent(call: PendingCall, reference: Reference): void {
    if (!this.#isEntry(call)) return
    call.reference = reference
    this.#sent.set(reference, call)
  }

  /** Records that the session ended before the request arrived. It may be sent again under another reference. */
  unsent(call: PendingCall): void {
    if (!this.#isEntry(call)) return
    this.#deleteReference(call)
    call.reference = undefined
  }

  /** Settles a request with its reply. Returns false for an unknown reference: a late or foreign reply. */
  resolve(reference: Reference, payload: unknown): boolean {
    const entry = this.#sent.get(reference)
    if (entry === undefined) return false
    this.#end(entry)
    entry.resolve(payload)
    return true
  }

  /** Settles a request with an error reply. Returns false for an unknown reference. */
  reject(reference: Reference, error: HawserError): boolean {
    const entry = this.#sent.get(reference)
    if (entry === undefined) return false
    this.#end(entry)
    entry.reject(error)
    return true
  }

  /** Rejects a request without a reply: its caller aborted it, or it could not be sent. */
  abandon(call: PendingCall, error: HawserError): void {
    if (this.#isEntry(call)) this.#abandon(call, error)
  }

  /** Rejects each request whose deadline has passed. Its timer may be late: browsers throttle timers to one a minute. */
  expire(nowMs: number): void {
    for (const entry of [...this.#entries]) {
      if (!entry.settled && entry.deadlineMs !== undefined && entry.deadlineMs <= nowMs) entry.expire()
    }
  }

  /** Rejects every sent request: its outcome is unknown. Requests that were not sent stay. */
  rejectSent(errorOf: () => HawserError): void {
    for (const entry of [...this.#sent.values()]) {
      if (entry.settled) continue // by a callback of an earlier entry
      this.#end(entry)
      entry.reject(errorOf())
    }
  }

  /** Rejects every request, sent or not. */
  rejectAll(errorOf: () => HawserError): void {
    for (const entry of [...this.#entries]) {
      if (entry.settled) continue // by a callback of an earlier entry
      this.#end(entry)
      entry.reject(errorOf())
    }
  }

  /** Returns true if the request was created here and has not settled. */
  #isEntry(call: PendingCall): call is Entry {
    const entries: ReadonlySet<PendingCall> = this.#entries
    return entries.has(call)
  }

  #abandon(entry: Entry, error: HawserError): void {
    const { reference } = entry
    this.#end(entry)
    entry.reject(error)
    if (reference !== undefined) this.#onAbandoned(reference)
  }

  #end(entry: Entry): void {
    entry.settled = true
    entry.cancelTimer()
    this.#entries.delete(entry)
    this.#deleteReference(entry)
  }

  /** A new session starts its numbers again, so the reference may belong to another request. */
  #deleteReference(entry: Entry): void {
    const { reference } = entry
    if (reference !== undefined && this.#sent.get(reference) === entry) this.#sent.delete(reference)
  }
}
