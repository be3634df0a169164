// The requests of one end that have no reply yet. Each ends exactly once: by its reply, its deadline, its caller,
// or the end of the session. All deadlines share the one timer of the TimerQueue.
import { HawserError } from "../base/errors.ts"
import type { TimerQueue } from "../base/timer-queue.ts"
import type { Reference } from "../wire/frame.ts"

export interface PendingCall {
  /** Undefined until the request is sent. */
  reference: Reference | undefined
  readonly deadlineMs: number | undefined
  /** True once it has ended, however. */
  settled: boolean
}

interface Entry extends PendingCall {
  readonly resolve: (payload: unknown) => void
  readonly reject: (error: HawserError) => void
  /** Ends it as its deadline does. */
  readonly expire: () => void
  readonly cancelTimer: () => void
}

export interface PendingCallOptions {
  readonly name: string
  /** When it ends as `timeout`, and how long that is from its call; undefined: it may take as long as it wants. */
  readonly deadlineMs: number | undefined
  readonly timeoutMs: number | undefined
  readonly resolve: (payload: unknown) => void
  readonly reject: (error: HawserError) => void
}

export class PendingCalls {
  readonly #timers: TimerQueue
  readonly #onAbandoned: (reference: Reference) => void
  readonly #entries = new Set<Entry>()
  readonly #sent = new Map<Reference, Entry>()

  /** @param onAbandoned told of a sent request that ended without a reply, so that the peer can be told to stop. */
  constructor(timers: TimerQueue, onAbandoned: (reference: Reference) => void) {
    this.#timers = timers
    this.#onAbandoned = onAbandoned
  }

  /** Requests without a reply, waiting ones included. */
  get size(): number {
    return this.#entries.size
  }

  open(options: PendingCallOptions): PendingCall {
    const { deadlineMs } = options
    const entry: Entry = {
      reference: undefined,
      deadlineMs,
      settled: false,
      resolve: options.resolve,
      reject: options.reject,
      expire: () => {
        const message = `"${options.name}" got no reply within ${options.timeoutMs} ms; its outcome is unknown`
        this.#abandon(entry, new HawserError("timeout", { message }))
      },
      cancelTimer: deadlineMs === undefined ? () => {} : this.#timers.at(deadlineMs, () => entry.expire()),
    }
    this.#entries.add(entry)
    return entry
  }

  /** The request has left under this reference. */
  sent(call: PendingCall, reference: Reference): void {
    if (!this.#isEntry(call)) return
    call.reference = reference
    this.#sent.set(reference, call)
  }

  /** The session ended and the request certainly never arrived: it may be sent again under another reference. */
  unsent(call: PendingCall): void {
    if (!this.#isEntry(call)) return
    this.#forgetReference(call)
    call.reference = undefined
  }

  /** False when nobody waits for this reference (any more): a late or foreign reply. */
  resolve(reference: Reference, payload: unknown): boolean {
    const entry = this.#sent.get(reference)
    if (entry === undefined) return false
    this.#end(entry)
    entry.resolve(payload)
    return true
  }

  reject(reference: Reference, error: HawserError): boolean {
    const entry = this.#sent.get(reference)
    if (entry === undefined) return false
    this.#end(entry)
    entry.reject(error)
    return true
  }

  /** The caller gave up, or the request could not be sent. */
  abandon(call: PendingCall, error: HawserError): void {
    if (this.#isEntry(call)) this.#abandon(call, error)
  }

  /** Ends each call whose deadline has passed, though its timer may be late: browsers throttle timers to one a minute. */
  expire(nowMs: number): void {
    for (const entry of [...this.#entries]) {
      if (!entry.settled && entry.deadlineMs !== undefined && entry.deadlineMs <= nowMs) entry.expire()
    }
  }

  /** The link is gone: what was sent has an unknown outcome, what was not sent stays. */
  rejectSent(errorOf: () => HawserError): void {
    for (const entry of [...this.#sent.values()]) {
      if (entry.settled) continue // by a caller who was told before it
      this.#end(entry)
      entry.reject(errorOf())
    }
  }

  rejectAll(errorOf: () => HawserError): void {
    for (const entry of [...this.#entries]) {
      if (entry.settled) continue // by a caller who was told before it
      this.#end(entry)
      entry.reject(errorOf())
    }
  }

  /** A PendingCall is only ever made here; the set proves it, and tells whether it still waits. */
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
    this.#forgetReference(entry)
  }

  /** Numbers begin again in a new session: the same reference may be another call's by now. */
  #forgetReference(entry: Entry): void {
    const { reference } = entry
    if (reference !== undefined && this.#sent.get(reference) === entry) this.#sent.delete(reference)
  }
}
