// Requests with an idempotency key are executed once per user, name and key; a repetition gets the first outcome.
// Knows no sessions: a client repeats such a request on a new one.
import { isErrorCode, errorTable } from "@hawser/protocol"
import type { Clock } from "@hawser/protocol"
import type { Outcome } from "./request-queue.ts"

export interface IdempotencyLimits {
  /** How long an outcome is remembered. A repetition after that is executed again. */
  readonly idempotencyMs: number
  /** Outcomes remembered for one user. Beyond: the oldest is forgotten; what still runs never is. */
  readonly idempotencyMaxCount: number
}

interface Entry {
  readonly outcome: Outcome | Promise<Outcome>
  /** When a settled outcome is forgotten; undefined while the request runs. */
  untilMs: number | undefined
}

export class Idempotency {
  readonly #clock: Clock
  readonly #limits: IdempotencyLimits
  /** By user, the one who asked longest ago first; each user's oldest first. */
  readonly #users = new Map<string, Map<string, Entry>>()

  constructor(clock: Clock, limits: IdempotencyLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  /** Outcomes remembered, of all users together. */
  get size(): number {
    let size = 0
    for (const entries of this.#users.values()) size += entries.size
    return size
  }

  /** The first outcome of this user's id; `execute` is called only if there is none. */
  once(
    { userId, id }: { readonly userId: string; readonly id: string },
    execute: () => Outcome | Promise<Outcome>,
  ): Outcome | Promise<Outcome> {
    this.#forgetIdleUsers()
    const entries = this.#entriesOf(userId)
    const known = entries.get(id)
    if (known !== undefined && !this.#isOver(known)) {
      if (!(known.outcome instanceof Promise)) return known.outcome
      // Whoever waited with the first caller must not suffer for what happened to that caller alone.
      return known.outcome.then((settled) =>
        isFinal(settled) ? settled : this.once({ userId, id }, execute),
      )
    }
    entries.delete(id)
    const outcome = execute()
    const entry: Entry = { outcome, untilMs: undefined }
    entries.set(id, entry)
    this.#forgetOldest(entries)
    if (outcome instanceof Promise) void outcome.then((settled) => this.#settle(entries, id, entry, settled))
    else this.#settle(entries, id, entry, outcome)
    return outcome
  }

  // oxlint-disable-next-line eslint/max-params -- called from two lines above it
  #settle(entries: Map<string, Entry>, id: string, entry: Entry, outcome: Outcome): void {
    if (entries.get(id) !== entry) return
    if (isFinal(outcome)) entry.untilMs = this.#clock.now() + this.#limits.idempotencyMs
    else entries.delete(id)
  }

  /** The user's entries; the user becomes the one who asked last. */
  #entriesOf(userId: string): Map<string, Entry> {
    const entries = this.#users.get(userId) ?? new Map<string, Entry>()
    this.#users.delete(userId)
    this.#users.set(userId, entries)
    return entries
  }

  #isOver({ untilMs }: Entry): boolean {
    return untilMs !== undefined && untilMs <= this.#clock.now()
  }

  #forgetOldest(entries: Map<string, Entry>): void {
    for (const [id, entry] of entries) {
      if (!this.#isOver(entry) && entries.size <= this.#limits.idempotencyMaxCount) return
      if (entry.untilMs !== undefined) entries.delete(id)
    }
  }

  /** Users who asked longer ago than any outcome lives have nothing left to remember. */
  #forgetIdleUsers(): void {
    for (const [userId, entries] of this.#users) {
      for (const [id, entry] of entries) if (this.#isOver(entry)) entries.delete(id)
      if (entries.size > 0) return
      this.#users.delete(userId)
    }
  }
}

/** What may come out otherwise the next time is not remembered: a limit, a timeout, a caller who went away. */
function isFinal(outcome: Outcome): boolean {
  if (outcome.ok) return true
  const { code } = outcome.error
  if (code === "cancelled" || code === "session_ended") return false
  return !isErrorCode(code) || errorTable[code].retry === "never"
}
