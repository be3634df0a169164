// Requests with an idempotency key are executed once per user, name and key; a repetition gets the first outcome.
// Knows no sessions: a client repeats such a request on a new one.
import { isErrorCode } from "@hawser/protocol"
import { errorTable } from "@hawser/protocol/core"
import type { Clock } from "@hawser/protocol"
import { OutcomeMemory } from "./outcome-memory.ts"
import type { OutcomeMemoryLimits } from "./outcome-memory.ts"
import type { Outcome } from "./job.ts"
import { outcomeOf, outcomeRecordOf } from "./outcome-record.ts"
import type { OutcomeRecord } from "./outcome-record.ts"

export interface IdempotencyLimits extends OutcomeMemoryLimits {
  /** How long an outcome is remembered, and a request that runs waited for. A repetition after that is executed again. */
  readonly idempotencyMs: number
}

interface Running {
  readonly outcome: Promise<Outcome>
  /** Until then a repetition waits for it; a handler that never ends must not lock its key for ever. */
  readonly untilMs: number
}

export interface IdempotentRequest {
  readonly userId: string
  readonly id: string
}

export class Idempotency {
  readonly #clock: Clock
  readonly #limits: IdempotencyLimits
  /** By user and id, the one that started first first. */
  readonly #running = new Map<string, Running>()
  readonly #settled: OutcomeMemory

  constructor(clock: Clock, limits: IdempotencyLimits) {
    this.#clock = clock
    this.#limits = limits
    this.#settled = new OutcomeMemory(limits)
  }

  /** Requests that run and outcomes that are remembered, of all users together. */
  get size(): number {
    return this.#running.size + this.#settled.size
  }

  /** Bytes of the outcomes that are remembered. */
  get bytes(): number {
    return this.#settled.bytes
  }

  /** The first outcome of this user's id; `execute` is called only if there is none. */
  once(request: IdempotentRequest, execute: () => Outcome | Promise<Outcome>): Outcome | Promise<Outcome> {
    this.#forgetOld()
    const settled = this.#settled.get(request.userId, request.id)
    if (settled !== undefined && settled.untilMs > this.#clock.now()) return settled.outcome
    const key = JSON.stringify([request.userId, request.id])
    const running = this.#running.get(key)
    if (running !== undefined) {
      // Whoever waited with the first caller must not suffer for what happened to that caller alone.
      return running.outcome.then((outcome) => (isFinal(outcome) ? outcome : this.once(request, execute)))
    }
    const outcome = execute()
    if (!(outcome instanceof Promise)) {
      this.#settle(request, outcome)
      return outcome
    }
    const own: Running = { outcome, untilMs: this.#clock.now() + this.#limits.idempotencyMs }
    this.#running.set(key, own)
    // One that was given up may have a successor, whose outcome is the one that counts.
    const isOver = (): boolean => this.#running.get(key) === own && this.#running.delete(key)
    outcome.then((late) => {
      if (isOver()) this.#settle(request, late)
    }, isOver)
    return outcome
  }

  /** Returns the remembered outcomes as plain data. Requests that run are not among them. */
  freeze(): readonly OutcomeRecord[] {
    const nowMs = this.#clock.now()
    return [...this.#settled.all()].flatMap(({ userId, id, outcome, untilMs }) => {
      const packed = outcomeRecordOf(outcome)
      return packed === undefined || untilMs <= nowMs
        ? []
        : [{ userId, id, inMs: untilMs - nowMs, ...packed }]
    })
  }

  /** Remembers outcomes that `freeze` returned. @param elapsedMs time since `freeze`. */
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
    const untilMs = this.#clock.now() + this.#limits.idempotencyMs
    this.#settled.set({ userId, id, outcome, untilMs })
  }

  /** The running ones are in the order in which they get old. */
  #forgetOld(): void {
    const nowMs = this.#clock.now()
    for (const [key, { untilMs }] of this.#running) {
      if (untilMs > nowMs) break
      this.#running.delete(key)
    }
    this.#settled.forgetUntil(nowMs)
  }
}

/** What may come out otherwise the next time is not remembered: a limit, a timeout, a caller who went away. */
function isFinal(outcome: Outcome): boolean {
  if (outcome.ok || outcome.isExecuted === true) return true
  const { code } = outcome.error
  if (code === "cancelled" || code === "session_ended") return false
  return !isErrorCode(code) || errorTable[code].retry === "never"
}
