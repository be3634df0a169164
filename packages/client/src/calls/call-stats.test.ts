import { HawserError } from "@hawser/protocol"
import { errorWithCode } from "@hawser/protocol/core"
import { SimulatedClock } from "@hawser/protocol/testing"
import { expect, it } from "vitest"
import { CallStats } from "./call-stats.ts"

it("counts outcomes by name and code, and how long they took", async () => {
  const clock = new SimulatedClock()
  const stats = new CallStats(clock)
  const [first, second, third] = [stats.watch("move"), stats.watch("move"), stats.watch("move")]
  expect(stats.read()).toEqual({})
  await clock.advance(10)
  first.succeeded()
  await clock.advance(20)
  second.failed(new HawserError("timeout"))
  third.failed(errorWithCode("move_blocked"))
  expect(stats.read()).toEqual({
    move: { count: 3, failedByCode: { timeout: 1, move_blocked: 1 }, totalMs: 70, longestMs: 30 },
  })
})

it("counts what is no error of ours as `other`", () => {
  const stats = new CallStats(new SimulatedClock())
  stats.watch("move").failed(new TypeError("a validator's own"))
  expect(stats.read()["move"]?.failedByCode).toEqual({ other: 1 })
})
