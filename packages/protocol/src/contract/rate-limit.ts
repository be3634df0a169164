// Declares a rate limit of a contract or an option. `calls/rate-limiter.ts` applies it.

/** A token bucket: refill interval and capacity. */
export interface RateLimit {
  /** Time in which one permit is refilled, in milliseconds; above 0, fractions are allowed. */
  readonly everyMs: number
  /** Capacity of the bucket, in permits; at least 1, default 1. A full bucket allows this many at once. */
  readonly burst?: number
}
