// Declares a rate limit of a contract or an option, and checks it. `calls/rate-limiter.ts` applies it.
import { quoted } from "../base/quoted.ts"

/** A token bucket: refill interval and capacity. */
export interface RateLimit {
  /** Time in which one permit is refilled, in milliseconds; above 0, fractions are allowed. */
  readonly everyMs: number
  /** Capacity of the bucket, in permits; at least 1, default 1. A full bucket allows this many at once. */
  readonly burst?: number
}

/** @throws RangeError that names the field and its value. @param where subject of the sentence: the call with its contract. */
export function assertRateLimit(where: string, { everyMs, burst = 1 }: RateLimit): void {
  if (!isNumber(everyMs) || everyMs <= 0)
    throw new RangeError(`${where}: limit.everyMs must be a number above 0, not ${quoted(everyMs)}`)
  if (!isNumber(burst) || burst < 1)
    throw new RangeError(`${where}: limit.burst must be a number from 1, not ${quoted(burst)}`)
}

function isNumber(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value)
}
