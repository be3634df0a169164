import { expect, it } from "vitest"
import { addCounts, trafficOf } from "./traffic.ts"
import type { Counts } from "./traffic.ts"

it("averages over the last two seconds, and returns 0 for one reading", () => {
  let readings: readonly Counts[] = []
  expect(trafficOf(readings)).toEqual({ bytesPerSecond: 0, updatesPerSecond: 0 })
  for (let atMs = 0; atMs <= 4_000; atMs += 500) {
    readings = addCounts(readings, { atMs, bytes: atMs < 2_000 ? 0 : atMs - 2_000, updates: atMs / 100 })
    if (atMs === 0) expect(trafficOf(readings)).toEqual({ bytesPerSecond: 0, updatesPerSecond: 0 })
  }
  expect(readings[0]?.atMs).toBe(2_000)
  expect(trafficOf(readings)).toEqual({ bytesPerSecond: 1_000, updatesPerSecond: 10 })
})
