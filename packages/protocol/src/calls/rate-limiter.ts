// Decides whether a key (a user, a user and a message type, an address) may spend a permit now, and if not, when.
// Must not know the limited action, the configuration or the clock: `nowMs` is an argument of each call.
//
// The algorithm is the generic cell rate algorithm (GCRA). Each key has one number, the theoretical arrival time: the time at
// which the bucket is full. A permit adds `everyMs` to it. A request is refused if the sum would exceed the current time by
// more than `burst * everyMs`. An absent key has a full bucket.
//
// The bound is `maxKeys` keys. Each new key examines two others in turn and evicts those with a full bucket, so that memory
// follows the keys in use. At the bound it examines eight. If none of them is full, it evicts the one that is full soonest,
// which gives that key at most one extra burst. Therefore `maxKeys` must exceed the number of keys in use at once. Otherwise
// the owner of many keys can evict the buckets of others, and its own.
import type { RateLimit } from "../contract/rate-limit.ts"

/** Bounds of a `RateLimiter`. */
export interface RateLimiterOptions {
  /** Number of keys; default 100,000. At the bound one of eight keys is evicted: the one whose bucket is full soonest. */
  readonly maxKeys?: number
}

const defaultMaxKeys = 100_000
const keysSweptPerNewKey = 2
const keysSweptAtBound = 8

/**
 * Buckets of permits by key, with O(1) work and one number per key.
 * `nowMs` is monotonic and starts near 0 with the process: values around 1e12 (time since 1970) would round the small
 * increments of a limit in bytes. Pass the same limit for a key in every call.
 */
export class RateLimiter {
  readonly #buckets = new Map<string, Bucket>()
  readonly #maxKeys: number
  #sweep: Iterator<[string, Bucket], unknown> = this.#buckets.entries()

  constructor(options: RateLimiterOptions = {}) {
    this.#maxKeys = options.maxKeys ?? defaultMaxKeys
    if (!(this.#maxKeys >= 1)) throw new RangeError(`maxKeys must be at least 1, not ${this.#maxKeys}`)
  }

  /** Number of keys, at most `maxKeys`. */
  get size(): number {
    return this.#buckets.size
  }

  /**
   * Returns the bucket of a key, for repeated use without a look-up. It is not evicted until every holder has released it.
   * Throws RangeError for an invalid limit.
   */
  hold(key: string, limit: RateLimit, nowMs: number): HeldBucket {
    checkedBurst(limit, nowMs, 0)
    const bucket = this.#bucketOf(key, nowMs)
    bucket.holders += 1
    return new HeldBucket(bucket, limit)
  }

  /**
   * Spends `cost` permits (default 1) if the bucket has them, and returns 0. Otherwise spends none, and returns the whole
   * milliseconds after which the same call succeeds without spending in between. For a cost above the burst returns
   * Infinity; see `debit`. A cost of 0 tests whether the key is free of debt.
   * Throws RangeError for an invalid limit, time or cost.
   */
  // oxlint-disable-next-line eslint/max-params -- the hot path allocates no options object
  take(key: string, limit: RateLimit, nowMs: number, cost = 1): number {
    const burst = checkedBurst(limit, nowMs, cost)
    if (cost > burst) return Infinity
    if (cost === 0 && !this.#buckets.has(key)) return 0
    return take(this.#bucketOf(key, nowMs), limit, nowMs, cost)
  }

  /**
   * Spends `cost` permits even if the bucket lacks them. Returns the whole milliseconds after which the key is out of debt
   * (0 if it is not in debt) and a `take` of cost 0 succeeds.
   * To let a full bucket pay a cost above its burst, `take` the burst and `debit` the rest.
   * Throws RangeError for an invalid limit, time or cost.
   */
  // oxlint-disable-next-line eslint/max-params -- the hot path allocates no options object
  debit(key: string, limit: RateLimit, nowMs: number, cost: number): number {
    checkedBurst(limit, nowMs, cost)
    const known = this.#buckets.get(key)
    if (cost === 0 && known === undefined) return 0
    return debit(known ?? this.#bucketOf(key, nowMs), limit, nowMs, cost)
  }

  #bucketOf(key: string, nowMs: number): Bucket {
    const known = this.#buckets.get(key)
    if (known !== undefined) return known
    this.#evict(nowMs)
    const bucket: Bucket = { fullAtMs: 0, holders: 0 }
    this.#buckets.set(key, bucket)
    return bucket
  }

  #evict(nowMs: number): void {
    const atBound = this.#buckets.size >= this.#maxKeys
    let soonestKey: string | undefined
    let soonestMs = Infinity
    for (let looked = 0; looked < (atBound ? keysSweptAtBound : keysSweptPerNewKey); looked += 1) {
      const entry = this.#nextEntry()
      if (entry === undefined) return
      const [key, { fullAtMs, holders }] = entry
      if (holders > 0) continue
      if (fullAtMs <= nowMs) {
        this.#buckets.delete(key)
      } else if (fullAtMs < soonestMs) {
        soonestKey = key
        soonestMs = fullAtMs
      }
    }
    if (soonestKey !== undefined && this.#buckets.size >= this.#maxKeys) this.#buckets.delete(soonestKey)
  }

  /** Returns the next entry of an endless sweep in insertion order; undefined if the map is empty. */
  #nextEntry(): [string, Bucket] | undefined {
    const next = this.#sweep.next()
    if (next.done !== true) return next.value
    this.#sweep = this.#buckets.entries()
    const first = this.#sweep.next()
    return first.done === true ? undefined : first.value
  }
}

interface Bucket {
  /** Time at which the bucket is full; in the past if it is full. */
  fullAtMs: number
  /** Number of holders. A bucket with holders is not evicted; the holders' owner bounds their number. */
  holders: number
}

/** A key's bucket with its limit. Created by `RateLimiter.hold`. */
export class HeldBucket {
  readonly #bucket: Bucket
  readonly #limit: RateLimit
  #isHeld = true

  constructor(bucket: Bucket, limit: RateLimit) {
    this.#bucket = bucket
    this.#limit = limit
  }

  /** As `RateLimiter.take` with cost 1. */
  take(nowMs: number): number {
    return take(this.#bucket, this.#limit, nowMs, 1)
  }

  /** As `RateLimiter.debit`. */
  debit(nowMs: number, cost: number): number {
    return debit(this.#bucket, this.#limit, nowMs, cost)
  }

  /** Allows the bucket to be evicted. Idempotent. */
  release(): void {
    if (this.#isHeld) this.#bucket.holders -= 1
    this.#isHeld = false
  }
}

// oxlint-disable-next-line eslint/max-params -- the hot path allocates no options object
function take(bucket: Bucket, { everyMs, burst = 1 }: RateLimit, nowMs: number, cost: number): number {
  const fromMs = bucket.fullAtMs < nowMs ? nowMs : bucket.fullAtMs
  const waitMs = wholeWaitMs(fromMs + (cost - burst) * everyMs, nowMs)
  if (waitMs === 0 && cost > 0) bucket.fullAtMs = fromMs + cost * everyMs
  return waitMs
}

// oxlint-disable-next-line eslint/max-params -- the hot path allocates no options object
function debit(bucket: Bucket, { everyMs, burst = 1 }: RateLimit, nowMs: number, cost: number): number {
  const fullAtMs = (bucket.fullAtMs < nowMs ? nowMs : bucket.fullAtMs) + cost * everyMs
  if (cost > 0) bucket.fullAtMs = fullAtMs
  return wholeWaitMs(fullAtMs - burst * everyMs, nowMs)
}

/** Rounds up to whole milliseconds. The next call compares the sum, and the difference may have been rounded down. */
function wholeWaitMs(freeAtMs: number, nowMs: number): number {
  if (freeAtMs <= nowMs) return 0
  const waitMs = Math.ceil(freeAtMs - nowMs)
  return nowMs + waitMs < freeAtMs ? waitMs + 1 : waitMs
}

function checkedBurst(limit: RateLimit, nowMs: number, cost: number): number {
  const burst = limit.burst ?? 1
  if (!(limit.everyMs > 0 && limit.everyMs < Infinity)) {
    throw new RangeError(`everyMs must be above 0 and finite, not ${limit.everyMs}`)
  }
  if (!(burst >= 1 && burst < Infinity))
    throw new RangeError(`burst must be at least 1 and finite, not ${burst}`)
  if (!Number.isFinite(nowMs)) throw new RangeError(`nowMs must be finite, not ${nowMs}`)
  if (!(cost >= 0 && cost < Infinity)) throw new RangeError(`cost must be at least 0 and finite, not ${cost}`)
  return burst
}
