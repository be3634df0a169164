import { describe, expect, it } from "vitest"
import { LatencyHistogram } from "./latency-histogram.ts"

describe("LatencyHistogram", () => {
  it("returns quantiles within 3 %", () => {
    const histogram = new LatencyHistogram()
    for (let ms = 1; ms <= 1_000; ms += 1) histogram.record(ms)
    for (const share of [0.01, 0.5, 0.9, 0.99]) {
      const exact = share * 1_000
      expect(Math.abs(histogram.quantileMs(share) - exact)).toBeLessThanOrEqual(exact * 0.03)
    }
    expect(histogram.quantileMs(1)).toBe(1_000)
    expect(histogram.count).toBe(1_000)
  })

  it("puts values outside its range into the first or last bucket", () => {
    const histogram = new LatencyHistogram()
    histogram.record(0)
    histogram.record(-1)
    histogram.record(1e12)
    expect(histogram.count).toBe(3)
    expect(histogram.quantileMs(0.5)).toBeLessThanOrEqual(0.0011)
    expect(histogram.maxMs).toBe(1e12)
  })

  it("returns 0 without records", () => {
    expect(new LatencyHistogram().quantileMs(0.5)).toBe(0)
  })
})
