import { expect, it } from "vitest"
import { Latencies } from "./latencies.ts"

it("returns the median and a high quantile, and clears them", () => {
  const latencies = new Latencies()
  expect(latencies.quantile(0.5)).toBe(0)
  for (let ms = 1; ms <= 100; ms += 1) latencies.add(ms - 0.05)
  expect([latencies.quantile(0.5), latencies.quantile(0.99), latencies.count]).toEqual([50, 99, 100])
  latencies.add(1_000_000)
  expect(latencies.quantile(1)).toBe(10_000)
  latencies.clear()
  expect([latencies.quantile(0.5), latencies.count]).toEqual([0, 0])
})
