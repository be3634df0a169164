import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { dialDelayMs, postponeDial, spendDial } from "./dial-budget.ts"

const budget = { dialBurst: 3, dialsPerMinute: 12 }

describe("the dial budget", () => {
  it("gives a rested client its burst at once, then a dial each 5 s", () => {
    let fullAtMs = 0
    const delays = [0, 0, 0, 0, 5_000, 6_000, 10_000, 60_000].map((nowMs) => {
      const delayMs = dialDelayMs(budget, fullAtMs, nowMs)
      if (delayMs === 0) fullAtMs = spendDial(budget, fullAtMs, nowMs)
      return delayMs
    })
    expect(delays).toEqual([0, 0, 0, 5_000, 0, 4_000, 0, 0])
  })

  it("counts a dial that came late as one of the time when it came", () => {
    const spentAtMs = spendDial({ dialBurst: 1, dialsPerMinute: 12 }, 0, 0)
    const fullAtMs = postponeDial({ dialBurst: 1, dialsPerMinute: 12 }, spentAtMs, 4_000)
    expect(fullAtMs).toBe(9_000)
    expect(postponeDial(budget, 15_000, 4_000)).toBe(15_000)
  })

  it("never names a delay after which it would still hold back, whatever the figures", () => {
    const anyBudget = fc.record({
      dialBurst: fc.double({ min: 1, max: 100, noNaN: true }),
      dialsPerMinute: fc.double({ min: 0.01, max: 1e6, noNaN: true }),
    })
    const ms = fc.double({ min: 0, max: 1e9, noNaN: true })
    fc.assert(
      fc.property(anyBudget, ms, ms, (anyone, fullAtMs, nowMs) => {
        const delayMs = dialDelayMs(anyone, fullAtMs, nowMs)
        expect(delayMs).toBeGreaterThanOrEqual(0)
        expect(dialDelayMs(anyone, fullAtMs, nowMs + delayMs)).toBe(0)
        if (delayMs > 1) expect(dialDelayMs(anyone, fullAtMs, nowMs + delayMs - 2)).toBeGreaterThan(0)
      }),
    )
  })
})
