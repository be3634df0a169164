// The buckets of one session's user, one for each limited call that it has made: looked up once, not at each request.
import type { RateLimit } from "@hawser/protocol"
import type { HeldBucket, RateLimiter } from "@hawser/protocol/core"

export class CallBuckets {
  readonly #limiter: RateLimiter
  readonly #userId: string
  /** Undefined until the first: many sessions make no limited call. */
  #held: Map<string, HeldBucket> | undefined
  #released = false

  constructor(limiter: RateLimiter, userId: string) {
    this.#limiter = limiter
    this.#userId = userId
  }

  /** Spends one permit and returns 0, or spends nothing and returns the milliseconds until there is one. */
  take(name: string, limit: RateLimit, nowMs: number): number {
    const held = this.#held?.get(name)
    if (held !== undefined) return held.take(nowMs)
    const bucket = this.#limiter.hold(`${this.#userId}\n${name}`, limit, nowMs)
    const waitMs = bucket.take(nowMs)
    // A request whose validation took longer than its session keeps nothing.
    if (this.#released) bucket.release()
    else (this.#held ??= new Map()).set(name, bucket)
    return waitMs
  }

  /** The session has ended. */
  release(): void {
    for (const bucket of this.#held?.values() ?? []) bucket.release()
    this.#held = undefined
    this.#released = true
  }
}
