// Holds the rate-limit buckets of one session's user, one for each limited call that the session has made. Sessions of a user share
// the buckets. A held bucket needs no lookup.
import type { RateLimit } from "@hawser/protocol"
import type { HeldBucket, RateLimiter } from "@hawser/protocol/core"

export class CallBuckets {
  readonly #limiter: RateLimiter
  readonly #userId: string
  /** Undefined before the first limited call: many sessions make none. */
  #held: Map<string, HeldBucket> | undefined
  #released = false

  constructor(limiter: RateLimiter, userId: string) {
    this.#limiter = limiter
    this.#userId = userId
  }

  /** Spends one permit and returns 0. Without a permit it returns the milliseconds until the next one. */
  take(name: string, limit: RateLimit, nowMs: number): number {
    const held = this.#held?.get(name)
    if (held !== undefined) return held.take(nowMs)
    const bucket = this.#limiter.hold(`${this.#userId}\n${name}`, limit, nowMs)
    const waitMs = bucket.take(nowMs)
    // The validation of this request ended after its session.
    if (this.#released) bucket.release()
    else (this.#held ??= new Map()).set(name, bucket)
    return waitMs
  }

  /** Releases all buckets at the end of the session. */
  release(): void {
    for (const bucket of this.#held?.values() ?? []) bucket.release()
    this.#held = undefined
    this.#released = true
  }
}
