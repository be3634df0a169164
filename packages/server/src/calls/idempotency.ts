// Executes requests with an idempotency key once per user, name and key. A repetition gets the first outcome, until it expires
// (`idempotencyMs`) or is evicted. Must not know sessions: a client repeats such a request on a new session.
import { isErrorCode } from "@hawser/protocol"
import { errorTable } from "@hawser/protocol/core"
import type { Clock, ServerLimits } from "@hawser/protocol"
import { OutcomeMemory } from "./outcome-memory.ts"
import type { OutcomeMemoryLimits } from "./outcome-memory.ts"
import type { Outcome } from "./job.ts"
import { outcomeOf, outcomeRecordOf } from "./outcome-record.ts"
import type { OutcomeRecord } from "./outcome-record.ts"

/** Bounds of `Idempotency`. A repetition after `idempotencyMs` is executed again, also while the first request is running. */
type IdempotencyLimits = OutcomeMemoryLimits & Pick<ServerLimits, "idempotencyMs">

interface Running {
  readonly outcome: Promise<Outcome>
  /** Time until which repetitions wait for this request. Without it a handler that never ends would lock its key for ever. */
  readonly untilMs: number
}

/** Identity of a request with a key. */
export interface IdempotentRequest {
  readonly userId: string
  /** Name of the call and idempotency key. */
  readonly id: string
}

export class Idempotency {
  readonly #clock: Clock
  readonly #limits: IdempotencyLimits
  /** Running requests by user and id, in the order of their starts. */
  readonly #running = new Map<string, Running>()
  readonly #settled: OutcomeMemory
  readonly #onOutcome: ((outcome: OutcomeRecord) => void) | undefined

  /** @param onOutcome called with each outcome that is remembered. */
  constructor(clock: Clock, limits: IdempotencyLimits, onOutcome?: (outcome: OutcomeRecord) => void) {
    this.#clock = clock
    this.#limits = limits
    this.#onOutcome = onOutcome
    this.#settled = new OutcomeMemory(limits)
  }

  /** Number of running requests and remembered outcomes of all users. */
  get size(): number {
    return this.#running.size + this.#settled.size
  }

  /** Bytes of all remembered outcomes. */
  get bytes(): number {
    return this.#settled.bytes
  }

  /** Returns the first outcome of a request. Calls `execute` only if no outcome is known and no attempt is running. */
  once(request: IdempotentRequest, execute: () => Outcome | Promise<Outcome>): Outcome | Promise<Outcome> {
    this.#expire()
    const settled = this.#settled.get(request.userId, request.id)
    if (settled !== undefined && settled.untilMs > this.#clock.now()) return settled.outcome
    const key = JSON.stringify([request.userId, request.id])
    const running = this.#running.get(key)
    if (running !== undefined) {
      // If the first attempt has no final outcome (cancelled, timed out, rate-limited), each waiter calls `once` again; the first
      // to do so runs the handler.
      return running.outcome.then((outcome) => (isFinal(outcome) ? outcome : this.once(request, execute)))
    }
    const outcome = execute()
    if (!(outcome instanceof Promise)) {
      this.#settle(request, outcome)
      return outcome
    }
    const own: Running = { outcome, untilMs: this.#clock.now() + this.#limits.idempotencyMs }
    this.#running.set(key, own)
    // An expired attempt may have a successor under the same key; only the successor's outcome is remembered.
    const isOver = (): boolean => this.#running.get(key) === own && this.#running.delete(key)
    outcome.then((late) => {
      if (isOver()) this.#settle(request, late)
    }, isOver)
    return outcome
  }

  /** Returns the remembered outcomes as plain data. Running requests are excluded. */
  freeze(): readonly OutcomeRecord[] {
    const nowMs = this.#clock.now()
    return [...this.#settled.all()].flatMap(({ userId, id, outcome, untilMs }) => {
      const packed = outcomeRecordOf(outcome)
      return packed === undefined || untilMs <= nowMs
        ? []
        : [{ userId, id, inMs: untilMs - nowMs, ...packed }]
    })
  }

  /** Restores outcomes that `freeze` returned. @param elapsedMs time since `freeze`. */
  thaw(records: readonly OutcomeRecord[], elapsedMs = 0): void {
    const nowMs = this.#clock.now()
    for (const record of records) {
      const untilMs = nowMs + record.inMs - elapsedMs
      const { userId, id } = record
      if (untilMs > nowMs) this.#settled.set({ userId, id, outcome: outcomeOf(record), untilMs })
    }
  }

  #settle({ userId, id }: IdempotentRequest, outcome: Outcome): void {
    if (!isFinal(outcome)) return
    const inMs = this.#limits.idempotencyMs
    this.#settled.set({ userId, id, outcome, untilMs: this.#clock.now() + inMs })
    const packed = this.#onOutcome && outcomeRecordOf(outcome)
    if (packed !== undefined) this.#onOutcome?.({ userId, id, inMs, ...packed })
  }

  /** Removes expired entries. Running requests are in the order of their expiry. */
  #expire(): void {
    const nowMs = this.#clock.now()
    for (const [key, { untilMs }] of this.#running) {
      if (untilMs > nowMs) break
      this.#running.delete(key)
    }
    this.#settled.expireUntil(nowMs)
  }
}

/** True for an outcome that a repetition gets. False if another attempt may differ: rate limit, timeout, cancel, session's end. */
function isFinal(outcome: Outcome): boolean {
  if (outcome.ok || outcome.isExecuted === true) return true
  const { code } = outcome.error
  if (code === "cancelled" || code === "session_ended") return false
  return !isErrorCode(code) || errorTable[code].retry === "never"
}
