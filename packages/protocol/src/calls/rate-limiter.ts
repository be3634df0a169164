// Decides whether a key (a user, a user and a message type, an address) may spend a permit now, and if not, when.
// Must not know what is limited, where limits are configured, or what time it is: `nowMs` arrives with each call.
//
// The generic cell rate algorithm (GCRA). Per key there is one number, the theoretical arrival time: when the
// bucket is full again. A permit pushes it on by `everyMs`; a request is refused while the push would carry it
// more than `burst * everyMs` beyond now. A key that is absent has a full bucket.
//
// The bound: `maxKeys` keys. Each new key looks at two others, in turn, and forgets those with a full bucket, so
// memory follows the keys in use. At the bound it looks at eight; if none of them is full, the one that is soonest
// full again is forgotten, which gives that key at most one fresh burst. So `maxKeys` has to be above the number
// of keys that are in use at once, or whoever owns many keys can wash others' limits (and its own) away.
import type { RateLimit } from "../contract/rate-limit.ts"

/** Bounds of a `RateLimiter`. */
export interface RateLimiterOptions {
  /** Keys remembered at most; at the limit the key that is soonest full again of eight is forgotten. Default: 100,000. */
  readonly maxKeys?: number
}

const defaultMaxKeys = 100_000
const keysSweptPerNewKey = 2
const keysSweptAtBound = 8

/**
 * Buckets of permits, one per key, with O(1) work and one number per key.
 * `nowMs` is monotonic and counts from near the start of the process: a clock in the range of 1e12 (time since
 * 1970) would round the small steps of a limit of bytes. Use one limit per key throughout.
 */
export class RateLimiter {
  readonly #buckets = new Map<string, Bucket>()
  readonly #maxKeys: number
  #sweep: Iterator<[string, Bucket], unknown> = this.#buckets.entries()

  constructor(options: RateLimiterOptions = {}) {
    this.#maxKeys = options.maxKeys ?? defaultMaxKeys
    if (!(this.#maxKeys >= 1)) throw new RangeError(`maxKeys must be at least 1, not ${this.#maxKeys}`)
  }

  /** Keys remembered now, at most `maxKeys`. */
  get size(): number {
    return this.#buckets.size
  }

  /**
   * The bucket of a key for who spends from it again and again: it is looked up once, and not forgotten before every
   * holder has released it. Throws RangeError for a limit that makes no sense.
   */
  hold(key: string, limit: RateLimit, nowMs: number): HeldBucket {
    checkedBurst(limit, nowMs, 0)
    const bucket = this.#bucketOf(key, nowMs)
    bucket.holders += 1
    return new HeldBucket(bucket, limit)
  }

  /**
   * Spends `cost` permits (default 1) if they are there and returns 0; else spends nothing and returns the whole
   * milliseconds after which the same call succeeds if nobody spends in between. A cost above the burst can never
   * succeed: returns Infinity, see `debit`. A cost of 0 asks whether the key is free of debt.
   * Throws RangeError for a limit, time or cost that makes no sense.
   */
  // oxlint-disable-next-line eslint/max-params -- the hot path allocates no options object
  take(key: string, limit: RateLimit, nowMs: number, cost = 1): number {
    const burst = checkedBurst(limit, nowMs, cost)
    if (cost > burst) return Infinity
    if (cost === 0 && !this.#buckets.has(key)) return 0
    return take(this.#bucketOf(key, nowMs), limit, nowMs, cost)
  }

  /**
   * Spends `cost` permits whether they are there or not, and returns the whole milliseconds after which the key is
   * out of debt (0 if it is not in debt): from then on a `take` of cost 0 succeeds.
   * To let a full bucket pay for something above its burst: `take` the burst, then `debit` the rest.
   * Throws RangeError for a limit, time or cost that makes no sense.
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
    this.#makeRoom(nowMs)
    const bucket: Bucket = { fullAtMs: 0, holders: 0 }
    this.#buckets.set(key, bucket)
    return bucket
  }

  #makeRoom(nowMs: number): void {
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

  /** The sweep goes round the map in the order in which keys were inserted; undefined when the map is empty. */
  #nextEntry(): [string, Bucket] | undefined {
    const next = this.#sweep.next()
    if (next.done !== true) return next.value
    this.#sweep = this.#buckets.entries()
    const first = this.#sweep.next()
    return first.done === true ? undefined : first.value
  }
}

interface Bucket {
  /** When it is full again; in the past while it is. */
  fullAtMs: number
  /** While there are any, the bucket is not forgotten. Their number is bounded by whatever holds it. */
  holders: number
}

/** A key's bucket and its limit, looked up once. */
export class HeldBucket {
  readonly #bucket: Bucket
  readonly #limit: RateLimit
  #isHeld = true

  constructor(bucket: Bucket, limit: RateLimit) {
    this.#bucket = bucket
    this.#limit = limit
  }

  /** As `RateLimiter.take`, of one permit. */
  take(nowMs: number): number {
    return take(this.#bucket, this.#limit, nowMs, 1)
  }

  /** As `RateLimiter.debit`. */
  debit(nowMs: number, cost: number): number {
    return debit(this.#bucket, this.#limit, nowMs, cost)
  }

  /** Idempotent. */
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

/** A difference of fractions can round to a millisecond too little; the sum is what the next call will compare. */
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
