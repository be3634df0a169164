import { expect, it } from "vitest"
import { RecentTimes } from "./tick.ts"

it("returns null without times, else the quantiles of the last ones", () => {
  const times = new RecentTimes(100)
  expect(times.quantile(0.5)).toBeNull()
  for (let ms = 1; ms <= 100; ms += 1) times.add(ms)
  expect([times.quantile(0.5), times.quantile(0.99), times.quantile(1)]).toEqual([50, 99, 100])
  for (let count = 0; count < 60; count += 1) times.add(1_000)
  expect([times.quantile(0.4), times.quantile(0.5)]).toEqual([100, 1_000])
})
