import fc from "fast-check"
import { expect, it } from "vitest"
import { Histogram, absenceBoundsMs, latencyBoundsMs } from "./histogram.ts"

it("puts a value on a bound into the bucket of that bound, and larger values than all bounds into one more", () => {
  const histogram = new Histogram([1, 5])
  for (const valueMs of [0, 1, 1.1, 5, 5.1, 1e9]) histogram.record(valueMs)
  expect(histogram.read()).toEqual({ boundsMs: [1, 5], counts: [2, 2, 2], count: 6, sumMs: 1e9 + 12.2 })
})

it("starts empty", () => {
  expect(new Histogram([1]).read()).toEqual({ boundsMs: [1], counts: [0, 0], count: 0, sumMs: 0 })
})

it.each([
  ["latencies", latencyBoundsMs],
  ["absences", absenceBoundsMs],
])("has bounds for %s that ascend", (_, boundsMs) => {
  expect([...boundsMs].sort((a, b) => a - b)).toEqual(boundsMs)
  expect(new Set(boundsMs).size).toBe(boundsMs.length)
})

it("counts every value exactly once, in the one bucket that it belongs to", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 20_000, noNaN: true })), (values) => {
      const histogram = new Histogram(latencyBoundsMs)
      for (const value of values) histogram.record(value)
      const { counts, count, boundsMs } = histogram.read()
      const expected = [...boundsMs, Number.POSITIVE_INFINITY].map(
        (bound, index) =>
          values.filter((value) => value <= bound && (index === 0 || value > (boundsMs[index - 1] ?? 0)))
            .length,
      )
      expect([counts, count]).toEqual([expected, values.length])
    }),
  )
})
