import { describe, expect, it } from "vitest"
import { median, relativeSpread, spreadOf } from "./statistics.ts"

describe("median", () => {
  it("is the middle, or the mean of the two middle ones", () => {
    expect(median([7])).toBe(7)
    expect(median([9, 1, 5])).toBe(5)
    expect(median([4, 1, 3, 2])).toBe(2.5)
  })

  it("throws without values", () => {
    expect(() => median([])).toThrow(RangeError)
  })
})

describe("spreadOf", () => {
  it("has both ends, and their distance as a share", () => {
    const spread = spreadOf([10, 12, 8])
    expect(spread).toEqual({ median: 10, least: 8, most: 12 })
    expect(relativeSpread(spread)).toBeCloseTo(0.4)
    expect(relativeSpread({ median: 0, least: 0, most: 0 })).toBe(0)
  })
})
