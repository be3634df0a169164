import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { RateLimit } from "../contract/rate-limit.ts"
import { RateLimiter } from "./rate-limiter.ts"

const once: RateLimit = { everyMs: 1000 }
const twice: RateLimit = { everyMs: 200, burst: 2 }

/** Reference model of a token bucket, which GCRA must match. It uses integers only, so it is exact. */
class TokenBucket {
  readonly #everyMs: number
  readonly #burst: number
  #levelMs: number
  #atMs = 0

  constructor(limit: RateLimit) {
    this.#everyMs = limit.everyMs
    this.#burst = limit.burst ?? 1
    this.#levelMs = this.#burst * this.#everyMs
  }

  take(nowMs: number, cost: number): number {
    this.#refill(nowMs)
    if (cost > this.#burst) return Infinity
    const lackMs = cost * this.#everyMs - this.#levelMs
    if (lackMs > 0) return lackMs
    this.#levelMs -= cost * this.#everyMs
    return 0
  }

  debit(nowMs: number, cost: number): number {
    this.#refill(nowMs)
    this.#levelMs -= cost * this.#everyMs
    return Math.max(0, -this.#levelMs)
  }

  #refill(nowMs: number): void {
    this.#levelMs = Math.min(this.#levelMs + nowMs - this.#atMs, this.#burst * this.#everyMs)
    this.#atMs = nowMs
  }
}

const wholeLimits = fc.record({
  everyMs: fc.integer({ min: 1, max: 50 }),
  burst: fc.integer({ min: 1, max: 6 }),
})
const anyLimits = fc.record({
  everyMs: fc.double({ min: 0.001, max: 5000, noNaN: true }),
  burst: fc.oneof(fc.double({ min: 1, max: 10, noNaN: true }), fc.double({ min: 1, max: 1e6, noNaN: true })),
})
const share = fc.oneof(
  fc.constant(0),
  fc.nat(999).map((drawn) => drawn / 999),
  fc.double({ min: 0, max: 1, noNaN: true }),
)
const startMs = fc.double({ min: 0, max: 1e9, noNaN: true })
/** Requests that cost a share of the burst, each after a share of half the time that fills the bucket. */
const requests = fc
  .tuple(anyLimits, startMs, fc.array(fc.tuple(share, share), { maxLength: 40, size: "max" }))
  .map(([limit, firstMs, shares]) => {
    let atMs = firstMs
    const asked = shares.map(([time, cost]) => {
      atMs += (time * limit.burst * limit.everyMs) / 2
      return { atMs, cost: cost * limit.burst }
    })
    return { limit, asked }
  })
const wholeSteps = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.constant(0), fc.nat(60)),
    cost: fc.integer({ min: 0, max: 7 }),
    isDebit: fc.boolean(),
  }),
  { maxLength: 60 },
)
describe("take", () => {
  it("admits one permit at first and the next after everyMs", () => {
    const limiter = new RateLimiter()
    expect(limiter.take("a", once, 0)).toBe(0)
    expect(limiter.take("a", once, 0)).toBe(1000)
    expect(limiter.take("a", once, 400)).toBe(600)
    expect(limiter.take("a", once, 999)).toBe(1)
    expect(limiter.take("a", once, 1000)).toBe(0)
    expect(limiter.take("a", once, 1000)).toBe(1000)
  })

  it("admits as many at once as the burst allows, and gains one more every everyMs", () => {
    const limiter = new RateLimiter()
    expect(limiter.take("a", twice, 0)).toBe(0)
    expect(limiter.take("a", twice, 0)).toBe(0)
    expect(limiter.take("a", twice, 0)).toBe(200)
    expect(limiter.take("a", twice, 200)).toBe(0)
    expect(limiter.take("a", twice, 200)).toBe(200)
    expect(limiter.take("a", twice, 10_000)).toBe(0)
    expect(limiter.take("a", twice, 10_000)).toBe(0)
    expect(limiter.take("a", twice, 10_000)).toBe(200)
  })

  it("counts each key separately, also keys that name members of Object.prototype", () => {
    const limiter = new RateLimiter()
    for (const key of ["a", "b", "", "__proto__", "constructor", "toString"]) {
      expect(limiter.take(key, once, 0), key).toBe(0)
      expect(limiter.take(key, once, 0), key).toBe(1000)
    }
    expect(limiter.size).toBe(6)
  })

  it("spends as many permits as the request costs", () => {
    const limiter = new RateLimiter()
    const limit = { everyMs: 10, burst: 100 }
    expect(limiter.take("a", limit, 0, 60)).toBe(0)
    expect(limiter.take("a", limit, 0, 60)).toBe(200)
    expect(limiter.take("a", limit, 0, 40)).toBe(0)
    expect(limiter.take("a", limit, 0, 1)).toBe(10)
  })

  it("refuses a cost above the burst with Infinity, and stores no key for it", () => {
    const limiter = new RateLimiter()
    expect(limiter.take("a", twice, 0, 2.5)).toBe(Infinity)
    expect(limiter.take("a", twice, 1e9, 3)).toBe(Infinity)
    expect(limiter.size).toBe(0)
    expect(limiter.take("a", twice, 1e9, 2)).toBe(0)
  })

  it("rounds the wait up to whole milliseconds", () => {
    const limiter = new RateLimiter()
    expect(limiter.take("a", { everyMs: 0.5 }, 0)).toBe(0)
    expect(limiter.take("a", { everyMs: 0.5 }, 0)).toBe(1)
    expect(limiter.take("b", { everyMs: 100.25 }, 0)).toBe(0)
    expect(limiter.take("b", { everyMs: 100.25 }, 0)).toBe(101)
    expect(limiter.take("b", { everyMs: 100.25 }, 100)).toBe(1)
  })

  it.each([
    { everyMs: 179.4, firstMs: 27.8, secondMs: 68.2, waitMs: 140 },
    { everyMs: 51.6, firstMs: 7.2, secondMs: 25.8, waitMs: 34 },
    { everyMs: 29.8, firstMs: 0.6, secondMs: 14.4, waitMs: 17 },
  ])("names a wait that is enough when fractions round: %j", ({ everyMs, firstMs, secondMs, waitMs }) => {
    const limiter = new RateLimiter()
    expect(limiter.take("a", { everyMs }, firstMs)).toBe(0)
    expect(limiter.take("a", { everyMs }, secondMs)).toBe(waitMs)
    expect(limiter.take("a", { everyMs }, secondMs + waitMs)).toBe(0)
  })

  it("agrees with a token bucket, debits included", () => {
    fc.assert(
      fc.property(wholeLimits, wholeSteps, (limit, steps) => {
        const limiter = new RateLimiter()
        const bucket = new TokenBucket(limit)
        let nowMs = 0
        for (const { afterMs, cost, isDebit } of steps) {
          nowMs += afterMs
          if (isDebit) expect(limiter.debit("a", limit, nowMs, cost)).toBe(bucket.debit(nowMs, cost))
          else expect(limiter.take("a", limit, nowMs, cost)).toBe(bucket.take(nowMs, cost))
        }
      }),
      { numRuns: 3000 },
    )
  })

  it("admits no more than burst + elapsed / everyMs in any window", () => {
    fc.assert(
      fc.property(requests, ({ limit, asked }) => {
        const limiter = new RateLimiter()
        const admitted = asked.filter(({ atMs, cost }) => limiter.take("a", limit, atMs, cost) === 0)
        // One assertion for all windows: hundreds of thousands of them would take longer than a test may.
        let mostExceeded = 0
        admitted.forEach((first, index) => {
          let spent = 0
          for (const { atMs, cost } of admitted.slice(index)) {
            spent += cost
            const allowed = limit.burst + (atMs - first.atMs) / limit.everyMs
            const roundedMs = asked.length * atMs * Number.EPSILON // each permit may be early by a rounding
            const bound = allowed * (1 + 1e-9) + roundedMs / limit.everyMs
            mostExceeded = Math.max(mostExceeded, spent - bound)
          }
        })
        expect(mostExceeded).toBe(0)
      }),
      { numRuns: 2000 },
    )
  })

  it("leaves the state as it was when it refuses", () => {
    fc.assert(
      fc.property(requests, ({ limit, asked }) => {
        const limiter = new RateLimiter()
        const spared = new RateLimiter() // receives only the requests that the other one admitted
        let lastMs = 0
        for (const { atMs, cost } of asked) {
          lastMs = atMs
          if (limiter.take("a", limit, atMs, cost) === 0) expect(spared.take("a", limit, atMs, cost)).toBe(0)
        }
        expect(limiter.debit("a", limit, lastMs, 1)).toBe(spared.debit("a", limit, lastMs, 1))
        expect(limiter.size).toBe(spared.size)
      }),
      { numRuns: 2000 },
    )
  })

  it("admits after exactly the wait that it returned", () => {
    let refusals = 0
    fc.assert(
      fc.property(requests, ({ limit, asked }) => {
        const limiter = new RateLimiter()
        let delayMs = 0
        for (const { atMs, cost } of asked) {
          const waitMs = limiter.take("a", limit, atMs + delayMs, cost)
          if (waitMs === 0) continue
          refusals += 1
          expect(waitMs).toSatisfy(Number.isInteger)
          const laterMs = atMs + delayMs + waitMs
          expect(limiter.take("a", limit, laterMs, cost)).toBe(0)
          delayMs = laterMs - atMs
        }
      }),
      { numRuns: 5000 },
    )
    expect(refusals).toBeGreaterThan(5000)
  })

  it("returns a wait that is not a millisecond too long", () => {
    fc.assert(
      fc.property(wholeLimits, wholeSteps, (limit, steps) => {
        const limiter = new RateLimiter()
        let nowMs = 0
        for (const { afterMs, cost } of steps) {
          nowMs += afterMs
          const waitMs = limiter.take("a", limit, nowMs, cost)
          if (waitMs === 0 || waitMs === Infinity) continue
          expect(limiter.take("a", limit, nowMs + waitMs - 1, cost)).toBe(1)
          nowMs += waitMs
          expect(limiter.take("a", limit, nowMs, cost)).toBe(0)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it("becomes stricter, never laxer, when time runs backwards", () => {
    const limiter = new RateLimiter()
    expect(limiter.take("a", once, 5000)).toBe(0)
    expect(limiter.take("a", once, 0)).toBe(6000)
  })
})

describe("debit", () => {
  it("spends missing permits and returns the end of the debt", () => {
    const limiter = new RateLimiter()
    const limit = { everyMs: 10, burst: 5 }
    expect(limiter.debit("a", limit, 0, 5)).toBe(0)
    expect(limiter.debit("a", limit, 0, 3)).toBe(30)
    expect(limiter.debit("a", limit, 10, 0)).toBe(20)
    expect(limiter.take("a", limit, 29, 0)).toBe(1)
    expect(limiter.take("a", limit, 30, 0)).toBe(0)
    expect(limiter.take("a", limit, 30, 1)).toBe(10)
    expect(limiter.take("a", limit, 40, 1)).toBe(0)
  })

  it("lets a full bucket pay for more than its burst, once", () => {
    const limiter = new RateLimiter()
    const limit = { everyMs: 1, burst: 1000 }
    const publish = (nowMs: number, recipients: number): boolean => {
      if (limiter.take("a", limit, nowMs, Math.min(recipients, 1000)) > 0) return false
      if (recipients > 1000) limiter.debit("a", limit, nowMs, recipients - 1000)
      return true
    }
    expect(publish(0, 10_000)).toBe(true)
    expect(publish(9_000, 1)).toBe(false)
    expect(publish(9_001, 1)).toBe(true)
    expect(publish(18_000, 10_000)).toBe(true)
    expect(publish(18_000, 10_000)).toBe(false)
  })

  it("returns a wait after which the key is out of debt", () => {
    const cost = fc.double({ min: 0, max: 1e7, noNaN: true })
    fc.assert(
      fc.property(anyLimits, startMs, cost, (limit, nowMs, spent) => {
        const limiter = new RateLimiter()
        const waitMs = limiter.debit("a", limit, nowMs, spent)
        expect(limiter.take("a", limit, nowMs + waitMs, 0)).toBe(0)
        if (waitMs > 0) expect(limiter.take("a", limit, nowMs, 0)).toBe(waitMs)
      }),
      { numRuns: 3000 },
    )
  })

  it("stores no key for a cost of 0", () => {
    const limiter = new RateLimiter()
    expect(limiter.debit("a", once, 0, 0)).toBe(0)
    expect(limiter.take("a", once, 0, 0)).toBe(0)
    expect(limiter.size).toBe(0)
  })
})

describe("the bound on keys", () => {
  it("evicts keys with a full bucket when new ones arrive", () => {
    const limiter = new RateLimiter()
    for (let user = 0; user < 1000; user += 1) limiter.take(`early ${user}`, once, 0)
    expect(limiter.size).toBe(1000)
    for (let user = 0; user < 1000; user += 1) limiter.take(`late ${user}`, once, 1000)
    expect(limiter.size).toBeLessThanOrEqual(1001)
    expect(limiter.take("late 0", once, 1000)).toBe(1000)
  })

  it("keeps only keys in use, for any number of new ones", () => {
    const limiter = new RateLimiter()
    let largest = 0
    for (let nowMs = 0; nowMs < 100_000; nowMs += 1) {
      limiter.take(`visitor ${nowMs}`, { everyMs: 100 }, nowMs)
      largest = Math.max(largest, limiter.size)
    }
    expect(largest).toBeLessThanOrEqual(300) // 100 are not yet full at any time
  })

  it("never holds more than maxKeys", () => {
    const limiter = new RateLimiter({ maxKeys: 50 })
    for (let user = 0; user < 5000; user += 1) {
      expect(limiter.take(`user ${user}`, once, 0)).toBe(0)
      expect(limiter.size).toBeLessThanOrEqual(50)
    }
    expect(limiter.size).toBe(50)
    expect(limiter.debit("another", once, 0, 5)).toBe(4000)
    expect(limiter.size).toBe(50)
  })

  it("evicts at the bound the key that is full soonest, and no other", () => {
    const limiter = new RateLimiter({ maxKeys: 3 })
    limiter.debit("deep", once, 0, 9)
    limiter.debit("light", once, 0, 2)
    limiter.debit("heavy", once, 0, 5)
    expect(limiter.take("new", once, 0)).toBe(0)
    expect(limiter.size).toBe(3)
    expect(limiter.take("deep", once, 0)).toBe(9000)
    expect(limiter.take("heavy", once, 0)).toBe(5000)
    expect(limiter.take("new", once, 0)).toBe(1000)
    expect(limiter.take("light", once, 0)).toBe(0)
  })

  it("prefers at the bound a key with a full bucket to any in use", () => {
    const limiter = new RateLimiter({ maxKeys: 2 })
    limiter.take("rested", once, 0)
    limiter.debit("used", once, 0, 9)
    expect(limiter.take("new", once, 1000)).toBe(0)
    expect(limiter.take("used", once, 1000)).toBe(8000)
    expect(limiter.size).toBe(2)
  })

  it("works with a single key", () => {
    const limiter = new RateLimiter({ maxKeys: 1 })
    expect(limiter.take("a", once, 0)).toBe(0)
    expect(limiter.take("b", once, 0)).toBe(0)
    expect(limiter.take("b", once, 0)).toBe(1000)
    expect(limiter.size).toBe(1)
  })

  it("evicts nothing for a request that it refuses", () => {
    const limiter = new RateLimiter({ maxKeys: 1 })
    limiter.take("a", once, 0)
    expect(limiter.take("b", once, 0, 2)).toBe(Infinity)
    expect(limiter.take("a", once, 0)).toBe(1000)
  })
})

describe("mistakes", () => {
  it.each([
    [{ everyMs: 0 }, "everyMs must be above 0 and finite, not 0"],
    [{ everyMs: -5 }, "everyMs must be above 0 and finite, not -5"],
    [{ everyMs: NaN }, "everyMs must be above 0 and finite, not NaN"],
    [{ everyMs: Infinity }, "everyMs must be above 0 and finite, not Infinity"],
    [{ everyMs: 1, burst: 0.9 }, "burst must be at least 1 and finite, not 0.9"],
    [{ everyMs: 1, burst: NaN }, "burst must be at least 1 and finite, not NaN"],
    [{ everyMs: 1, burst: Infinity }, "burst must be at least 1 and finite, not Infinity"],
  ])("names the bad value of %j", (limit, message) => {
    const limiter = new RateLimiter()
    expect(() => limiter.take("a", limit, 0)).toThrow(new RangeError(message))
    expect(() => limiter.debit("a", limit, 0, 1)).toThrow(new RangeError(message))
    expect(limiter.size).toBe(0)
  })

  it.each([-1, NaN, Infinity])("refuses a cost of %d", (cost) => {
    const error = new RangeError(`cost must be at least 0 and finite, not ${cost}`)
    expect(() => new RateLimiter().take("a", once, 0, cost)).toThrow(error)
    expect(() => new RateLimiter().debit("a", once, 0, cost)).toThrow(error)
  })

  it.each([NaN, Infinity, -Infinity])("refuses the time %d, which would corrupt the bucket", (nowMs) => {
    const error = new RangeError(`nowMs must be finite, not ${nowMs}`)
    expect(() => new RateLimiter().take("a", once, nowMs)).toThrow(error)
    expect(() => new RateLimiter().debit("a", once, nowMs, 1)).toThrow(error)
  })

  it.each([0, -1, NaN])("refuses a bound of %d keys", (maxKeys) => {
    const error = new RangeError(`maxKeys must be at least 1, not ${maxKeys}`)
    expect(() => new RateLimiter({ maxKeys })).toThrow(error)
  })
})
