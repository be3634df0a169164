import { expect, it } from "vitest"
import { CallStats } from "./call-stats.ts"

it("counts answers, failures by code and latencies by the names of the contract", () => {
  const stats = new CallStats(["move", "look"])
  stats.answered("move", 3, undefined)
  stats.answered("move", 300, "rate_limited")
  stats.answered("move", 4, "move_blocked")
  const { move, look } = stats.read()
  expect(move).toMatchObject({ count: 3, failedByCode: { rate_limited: 1, move_blocked: 1 } })
  expect(move?.latency).toMatchObject({ count: 3, sumMs: 307 })
  expect(move?.latency.counts[2]).toBe(2)
  expect(look).toMatchObject({ count: 0, failedByCode: {} })
})

it("counts names outside the contract as `unknown`, also names of object members", () => {
  const stats = new CallStats(["move"])
  for (let count = 0; count < 100; count += 1) stats.answered(`name${count}`, 1, "sys_invalid_message")
  stats.answered("__proto__", 1, "sys_invalid_message")
  stats.answered("toString", 1, "sys_invalid_message")
  const read = stats.read()
  expect(Object.keys(read)).toEqual(["move", "unknown"])
  expect(read["unknown"]).toMatchObject({ count: 102, failedByCode: { sys_invalid_message: 102 } })
})

it("keeps one row where the contract itself has a call of that name", () => {
  const stats = new CallStats(["unknown"])
  stats.answered("unknown", 1, undefined)
  stats.answered("stranger", 1, "sys_invalid_message")
  expect(stats.read()).toMatchObject({ unknown: { count: 2, failedByCode: { sys_invalid_message: 1 } } })
})

it("keeps a bounded number of the application's own codes", () => {
  const stats = new CallStats(["move"])
  for (let count = 0; count < 1_000; count += 1) stats.answered("move", 1, `own_${count}`)
  expect(Object.keys(stats.read()["move"]?.failedByCode ?? {})).toHaveLength(33)
})
