import { HawserError } from "@hawser/protocol"
import { SimulatedClock } from "@hawser/protocol/testing"
import { expect, it } from "vitest"
import { CallStats } from "./call-stats.ts"

/** A promise that the test settles. */
function later() {
  let resolve: (value: unknown) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

it("counts outcomes by name and code, and how long they took", async () => {
  const clock = new SimulatedClock()
  const stats = new CallStats(clock)
  const calls = [later(), later(), later()]
  for (const { promise } of calls) stats.watch("move", promise)
  expect(stats.read()).toEqual({})
  await clock.advance(10)
  calls[0]?.resolve({})
  await clock.advance(20)
  calls[1]?.reject(new HawserError("timeout"))
  calls[2]?.reject(new HawserError("move_blocked"))
  await clock.settle()
  expect(stats.read()).toEqual({
    move: { count: 3, failedByCode: { timeout: 1, move_blocked: 1 }, totalMs: 70, longestMs: 30 },
  })
})

it("counts what is no error of ours as `other`, and leaves the rejection to the caller", async () => {
  const clock = new SimulatedClock()
  const stats = new CallStats(clock)
  const outcome = Promise.reject(new TypeError("a listener's own"))
  stats.watch("move", outcome)
  await expect(outcome).rejects.toThrow("a listener's own")
  await clock.settle()
  expect(stats.read()["move"]?.failedByCode).toEqual({ other: 1 })
})
