// Stores outcomes of settled requests by user and id. Bounds: outcomes of one user, bytes of one user, bytes of all users. Above a
// bound of one user its oldest outcome is evicted; above the bound of all users, the oldest outcome of one of the largest users.
// Must not know handlers and clocks; its caller passes the time.
import type { ServerLimits } from "@hawser/protocol"
import { Encoded } from "@hawser/protocol/core"
import type { Outcome } from "./job.ts"

/** Bounds of `OutcomeMemory`. */
export type OutcomeMemoryLimits = Pick<
  ServerLimits,
  "idempotencyMaxCount" | "idempotencyUserMaxBytes" | "idempotencyMaxBytes"
>

interface Remembered {
  readonly outcome: Outcome
  readonly bytes: number
  /** Time of expiry. */
  readonly untilMs: number
}

interface UserMemory {
  readonly userId: string
  /** Outcomes by id, oldest first. */
  readonly outcomes: Map<string, Remembered>
  bytes: number
}

/** Settled request with its outcome and time of expiry. */
export interface SettledRequest {
  readonly userId: string
  readonly id: string
  readonly outcome: Outcome
  readonly untilMs: number
}

/** Estimated memory of the objects around an outcome, in bytes. */
const entryBytes = 256
/** Estimated memory of one value in the details of an error, in bytes. */
const memberBytes = 16
/** Memory of one character, in bytes. */
const charBytes = 2
/** Bound of the values in the details of an error; cyclic details reach it. Above it the outcome is not stored. */
const valuesMaxCount = 10_000

export class OutcomeMemory {
  readonly #limits: OutcomeMemoryLimits
  /** Users, in the order of their last stored outcome. */
  readonly #users = new Map<string, UserMemory>()
  /** Users by the number of binary digits of their bytes. The last set that is not empty holds the largest users. */
  readonly #byDigits = Array.from({ length: 54 }, () => new Set<UserMemory>())
  #size = 0
  #bytes = 0

  constructor(limits: OutcomeMemoryLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#size
  }

  get bytes(): number {
    return this.#bytes
  }

  get(userId: string, id: string): Remembered | undefined {
    return this.#users.get(userId)?.outcomes.get(id)
  }

  /** Stores an outcome, and evicts others above the bounds. */
  set({ userId, id, outcome, untilMs }: SettledRequest): void {
    const { idempotencyMaxCount, idempotencyUserMaxBytes, idempotencyMaxBytes } = this.#limits
    const known = this.#users.get(userId)
    if (known !== undefined) this.#delete(known, id)
    const bytes = entryBytes + charBytes * (id.length + userId.length) + outcomeBytes(outcome)
    if (bytes > idempotencyUserMaxBytes || bytes > idempotencyMaxBytes) return
    const user = known ?? { userId, outcomes: new Map<string, Remembered>(), bytes: 0 }
    this.#users.delete(userId)
    this.#users.set(userId, user)
    user.outcomes.set(id, { outcome, bytes, untilMs })
    this.#size += 1
    this.#resize(user, bytes)
    while (user.outcomes.size > idempotencyMaxCount || user.bytes > idempotencyUserMaxBytes)
      this.#deleteOldest(user)
    while (this.#bytes > idempotencyMaxBytes) this.#deleteOldest(this.#largest ?? user)
  }

  /** Yields all outcomes; those of one user in the order of their expiry. */
  *all(): IterableIterator<SettledRequest> {
    for (const { userId, outcomes } of this.#users.values())
      for (const [id, { outcome, untilMs }] of outcomes) yield { userId, id, outcome, untilMs }
  }

  /** Removes expired outcomes. Stops at the first user with an outcome that is not expired; later calls remove the others. */
  expireUntil(nowMs: number): void {
    for (const user of this.#users.values()) {
      for (const [id, { untilMs }] of user.outcomes) {
        if (untilMs > nowMs) return
        this.#delete(user, id)
      }
    }
  }

  get #largest(): UserMemory | undefined {
    for (let digits = this.#byDigits.length - 1; digits >= 0; digits -= 1)
      for (const user of this.#byDigits[digits] ?? []) return user
    return undefined
  }

  #deleteOldest(user: UserMemory): void {
    for (const id of user.outcomes.keys()) {
      this.#delete(user, id)
      return
    }
  }

  #delete(user: UserMemory, id: string): void {
    const remembered = user.outcomes.get(id)
    if (remembered === undefined) return
    user.outcomes.delete(id)
    this.#size -= 1
    this.#resize(user, -remembered.bytes)
    if (user.outcomes.size === 0) this.#users.delete(user.userId)
  }

  #resize(user: UserMemory, change: number): void {
    const before = user.bytes
    user.bytes += change
    this.#bytes += change
    if (digitsOf(before) === digitsOf(user.bytes)) return
    this.#byDigits[digitsOf(before)]?.delete(user)
    if (user.bytes > 0) this.#byDigits[digitsOf(user.bytes)]?.add(user)
  }
}

function digitsOf(bytes: number): number {
  return bytes === 0 ? 0 : Math.floor(Math.log2(bytes)) + 1
}

function outcomeBytes(outcome: Outcome): number {
  if (!outcome.ok) return charBytes * outcome.error.message.length + valueBytes(outcome.error.details)
  return "payload" in outcome ? valueBytes(outcome.payload) : 0
}

/** Returns the bytes of an encoded result, or an estimate of an error's details; Infinity above `valuesMaxCount` values. */
function valueBytes(value: unknown): number {
  const rest = [value]
  let bytes = 0
  let count = 0
  for (let next = rest.pop(); next !== undefined || rest.length > 0; next = rest.pop()) {
    count += 1
    if (count > valuesMaxCount) return Number.POSITIVE_INFINITY
    bytes += memberBytes
    if (next instanceof Encoded) bytes += next.size ?? 0
    else if (ArrayBuffer.isView(next)) bytes += next.byteLength
    else if (typeof next === "string") bytes += charBytes * next.length
    else if (typeof next === "object" && next !== null)
      for (const [name, member] of Object.entries(next)) {
        bytes += charBytes * name.length
        rest.push(member)
      }
  }
  return bytes
}
