import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { exponential, fixed, guarded, linear, noReconnect } from "./strategies.ts"
import type { ReconnectStrategy, StrategyOptions } from "./strategies.ts"

const forever = { elapsedMs: 0, leastMs: 0, random: 0.5 }

/** Delays of the first attempts of a row, if each failure follows directly after its delay. */
function delays(strategy: ReconnectStrategy, count: number, random = 0.5): (number | undefined)[] {
  let elapsedMs = 0
  return Array.from({ length: count }, (_, index) => {
    const delayMs = strategy({ attempt: index + 1, elapsedMs, leastMs: 0, random })
    elapsedMs += delayMs ?? 0
    return delayMs
  })
}

const anyOptions = fc.record<StrategyOptions>(
  {
    baseMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
    maxMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
    attempts: fc.nat(20),
    totalMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
    jitter: fc.constantFrom("full", "none"),
  },
  { requiredKeys: [] },
)
const anyContext = fc.record({
  attempt: fc.integer({ min: 1, max: 3000 }),
  elapsedMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
  leastMs: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e6, noNaN: true })),
  random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
})

describe("the presets", () => {
  const plain = { jitter: "none" } as const
  it.each<[string, ReconnectStrategy, (number | undefined)[]]>([
    [
      "doubles 1, 2, 4, 8, 16 s and gives up",
      exponential({ baseMs: 1000, factor: 2, maxMs: 16_000, attempts: 5, ...plain }),
      [1000, 2000, 4000, 8000, 16_000, undefined],
    ],
    [
      "doubles from 250 ms to 10 s by default",
      exponential(plain),
      [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000],
    ],
    ["triples with a factor of 3", exponential({ factor: 3, baseMs: 1, ...plain }), [1, 3, 9, 27]],
    ["adds the base each time", linear({ baseMs: 300, maxMs: 1000, ...plain }), [300, 600, 900, 1000, 1000]],
    ["adds a second each time by default", linear(plain), [1000, 2000, 3000]],
    ["repeats the base", fixed({ baseMs: 40, attempts: 3, ...plain }), [40, 40, 40, undefined]],
    ["repeats a second by default", fixed(plain), [1000, 1000]],
    ["never tries again", noReconnect, [undefined, undefined]],
    ["gives up before the first attempt with attempts 0", fixed({ attempts: 0 }), [undefined]],
    ["draws a full jitter by default", exponential({ baseMs: 1000 }), [500, 1000, 2000]],
    [
      "starts nothing after totalMs",
      fixed({ baseMs: 1000, totalMs: 3000, ...plain }),
      [1000, 1000, 1000, undefined],
    ],
  ])("%s", (_, strategy, expected) => {
    expect(delays(strategy, expected.length)).toEqual(expected)
  })
})

describe("the default strategy", () => {
  it("surprise-A3 waits 250 ms at most before the first attempt of an outage, and 10 s before any", () => {
    fc.assert(
      fc.property(anyContext, (context) => {
        expect(exponential()({ ...context, attempt: 1 })).toBeLessThan(250)
        for (const strategy of [exponential(), linear(), fixed()])
          expect(strategy(context)).toBeLessThanOrEqual(10_000)
      }),
    )
  })
})

describe("a strategy of the application", () => {
  const context = { ...forever, attempt: 3 }
  const broken: ReconnectStrategy = () => {
    throw new Error("no idea")
  }
  // @ts-expect-error -- JavaScript lets an application write this
  const nothing: ReconnectStrategy = () => null
  // @ts-expect-error -- and this
  const words: ReconnectStrategy = () => "7"

  it.each([
    ["throws", broken, "no idea"],
    ["returns null", nothing, "the reconnect strategy returned object, not milliseconds or undefined"],
    ["returns text", words, "the reconnect strategy returned string, not milliseconds or undefined"],
    ["returns NaN", () => NaN, "the reconnect strategy returned NaN, not milliseconds or undefined"],
  ])("is reported when it %s, and the default one answers", (_, strategy, message) => {
    const errors: unknown[] = []
    expect(guarded(strategy, (error) => errors.push(error))(context)).toBe(exponential()(context))
    expect(errors).toMatchObject([{ message }])
  })

  it("is believed otherwise", () => {
    const errors: unknown[] = []
    for (const answer of [0, -1, 7.5, Infinity, undefined])
      expect(
        guarded(
          () => answer,
          (error) => errors.push(error),
        )(context),
      ).toBe(answer)
    expect(errors).toEqual([])
  })
})

describe("the bounds", () => {
  it.each([
    ["exponential", exponential],
    ["linear", linear],
    ["fixed", fixed],
  ])("stays within maxMs, attempts and totalMs: %s", (_, create) => {
    fc.assert(
      fc.property(anyOptions, anyContext, (options, context) => {
        const delayMs = create(options)(context)
        if (delayMs === undefined) {
          expect(options.attempts !== undefined || options.totalMs !== undefined).toBe(true)
          return
        }
        expect(delayMs).toBeGreaterThanOrEqual(0)
        expect(delayMs).toBeLessThanOrEqual(options.maxMs ?? 10_000)
        expect(context.attempt).toBeLessThanOrEqual(options.attempts ?? Infinity)
        const startsAtMs = context.elapsedMs + Math.max(delayMs, context.leastMs)
        expect(startsAtMs).toBeLessThanOrEqual(options.totalMs ?? Infinity)
      }),
      { numRuns: 2000 },
    )
  })

  it("stays a number when the factor outgrows all numbers", () => {
    expect(exponential({ jitter: "none" })({ ...forever, attempt: 5000 })).toBe(10_000)
    expect(exponential({ jitter: "none", baseMs: 0 })({ ...forever, attempt: 5000 })).toBe(0)
  })

  it("gives up where the server's wait would pass totalMs", () => {
    const strategy = fixed({ baseMs: 1000, totalMs: 5000, jitter: "none" })
    expect(strategy({ ...forever, attempt: 1, leastMs: 5000 })).toBe(1000)
    expect(strategy({ ...forever, attempt: 1, leastMs: 5001 })).toBeUndefined()
  })
})

describe("the jitter", () => {
  it("scales the delay by the draw, from nothing to all of it", () => {
    fc.assert(
      fc.property(anyContext, (context) => {
        const whole = exponential({ jitter: "none" })(context) ?? 0
        expect(exponential({ jitter: "full" })(context)).toBe(whole * context.random)
      }),
    )
  })

  it("ignores the draw with jitter none", () => {
    fc.assert(
      fc.property(anyContext, (context) => {
        expect(linear({ jitter: "none" })(context)).toBe(
          linear({ jitter: "none" })({ ...context, random: 0 }),
        )
      }),
    )
  })
})
