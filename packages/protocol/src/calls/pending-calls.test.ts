import { describe, expect, it } from "vitest"
import { HawserError } from "../base/errors.ts"
import { SimulatedClock } from "../testing/simulated-clock.ts"
import { TimerQueue } from "../base/timer-queue.ts"
import type { Reference } from "../wire/frame.ts"
import { PendingCalls } from "./pending-calls.ts"
import type { PendingCall } from "./pending-calls.ts"

/** Calls on a simulated clock, with their recorded outcomes. */
function setUp() {
  const clock = new SimulatedClock()
  const faults: unknown[] = []
  const timers = new TimerQueue(clock, (error) => faults.push(error))
  const abandoned: Reference[] = []
  const calls = new PendingCalls(timers, (reference) => abandoned.push(reference))
  const ends: string[] = []
  const open = (name: string, timeoutMs = 1000): PendingCall =>
    calls.open({
      deadlineMs: clock.now() + timeoutMs,
      expired: () => new HawserError("timeout"),
      resolve: (payload) => ends.push(`${name} = ${String(payload)}`),
      reject: (error) => ends.push(`${name}: ${error.code}`),
    })
  return { clock, timers, calls, abandoned, ends, open, faults }
}

describe("PendingCalls", () => {
  it("settles a call with its reply, once", () => {
    const { calls, ends, open, timers, abandoned } = setUp()
    const call = open("a")
    calls.sent(call, 7)
    expect(calls.resolve(7, "ok")).toBe(true)
    expect(calls.resolve(7, "again")).toBe(false)
    expect(calls.reject(7, new HawserError("forbidden"))).toBe(false)
    calls.abandon(call, new HawserError("cancelled"))
    expect(ends).toEqual(["a = ok"])
    expect([calls.size, timers.size, call.settled, abandoned.length]).toEqual([0, 0, true, 0])
  })

  it("settles a call with its error", () => {
    const { calls, ends, open } = setUp()
    calls.sent(open("a"), "x")
    expect(calls.reject("x", new HawserError("forbidden"))).toBe(true)
    expect(ends).toEqual(["a: forbidden"])
  })

  it.each([7, "7", null])("knows no reply to %s", (reference) => {
    const { calls, open } = setUp()
    calls.sent(open("a"), 8)
    expect(calls.resolve(reference, 1)).toBe(false)
    expect(calls.size).toBe(1)
  })

  it("rejects a call at its deadline, and reports only sent calls as abandoned", async () => {
    const { calls, ends, open, clock, abandoned, timers } = setUp()
    calls.sent(open("sent"), 1)
    open("waiting")
    await clock.advance(999)
    expect(ends).toEqual([])
    await clock.advance(1)
    expect(ends).toEqual(["sent: timeout", "waiting: timeout"])
    expect(abandoned).toEqual([1])
    expect([calls.size, timers.size, clock.pendingCount]).toEqual([0, 0, 0])
    expect(calls.resolve(1, "late")).toBe(false)
  })

  it("sets no timer for a call without a deadline", async () => {
    const { calls, clock, timers } = setUp()
    const ends: unknown[] = []
    const call = calls.open({
      deadlineMs: undefined,
      expired: () => new HawserError("timeout"),
      resolve: (payload) => ends.push(payload),
      reject: (error) => ends.push(error.code),
    })
    calls.sent(call, 1)
    expect([timers.size, calls.size]).toEqual([0, 1])
    await clock.advance(86_400_000)
    expect(ends).toEqual([])
    expect(calls.resolve(1, "ok")).toBe(true)
    expect([ends, calls.size]).toEqual([["ok"], 0])
  })

  it("ignores `sent` for a settled call", () => {
    const { calls, open } = setUp()
    const call = open("a")
    calls.abandon(call, new HawserError("cancelled"))
    calls.sent(call, 5)
    expect(call.reference).toBeUndefined()
    expect(calls.resolve(5, 1)).toBe(false)
  })

  it("rejects sent calls and keeps unsent ones in rejectSent", () => {
    const { calls, ends, open, abandoned, timers } = setUp()
    calls.sent(open("sent"), 1)
    open("waiting")
    calls.rejectSent(() => new HawserError("connection_lost"))
    expect(ends).toEqual(["sent: connection_lost"])
    expect([calls.size, timers.size, abandoned.length]).toEqual([1, 1, 0])
    calls.rejectAll(() => new HawserError("client_closed"))
    expect(ends).toEqual(["sent: connection_lost", "waiting: client_closed"])
    expect([calls.size, timers.size]).toEqual([0, 0])
  })

  it("removes the reference of a call that never arrived, so that it can be sent under another", () => {
    const { calls, ends, open, abandoned, timers } = setUp()
    const call = open("again")
    calls.unsent(call)
    expect(call.reference).toBeUndefined()
    calls.sent(call, 1)
    calls.unsent(call)
    expect([call.reference, call.settled, calls.size, timers.size]).toEqual([undefined, false, 1, 1])
    calls.rejectSent(() => new HawserError("connection_lost"))
    expect(calls.resolve(1, "of the old session")).toBe(false)
    expect(ends).toEqual([])
    calls.sent(call, 2)
    expect(calls.resolve(2, "ok")).toBe(true)
    expect(ends).toEqual(["again = ok"])
    expect([calls.size, timers.size, abandoned.length]).toEqual([0, 0, 0])
  })

  it("does not report an unsent call as abandoned", async () => {
    const { calls, ends, open, abandoned, clock } = setUp()
    const call = open("again")
    calls.sent(call, 1)
    calls.unsent(call)
    await clock.advance(1000)
    expect(ends).toEqual(["again: timeout"])
    expect(abandoned).toEqual([])
    calls.unsent(call)
    expect([call.settled, calls.size]).toEqual([true, 0])
  })

  it("keeps the reference of a later call with the same number", () => {
    const { calls, ends, open } = setUp()
    const [old, young] = [open("old"), open("young")]
    calls.sent(old, 1)
    calls.sent(young, 1)
    calls.unsent(old)
    expect(calls.resolve(1, "ok")).toBe(true)
    expect(ends).toEqual(["young = ok"])
  })

  it("settles each call once although callbacks open and reject others", () => {
    const { calls, timers, clock } = setUp()
    const ended: number[] = []
    const open = (index: number): PendingCall =>
      calls.open({
        deadlineMs: clock.now() + 10,
        expired: () => new HawserError("timeout"),
        resolve: () => {},
        reject: () => {
          ended.push(index)
          if (index === 0) calls.rejectAll(() => new HawserError("client_closed"))
          if (index === 1) open(9)
        },
      })
    for (const index of [0, 1, 2]) open(index)
    calls.rejectAll(() => new HawserError("client_closed"))
    expect(ended.toSorted((a, b) => a - b)).toEqual([0, 1, 2])
    expect([calls.size, timers.size]).toEqual([1, 1])
  })

  it("is empty after 100,000 requests of which half time out", async () => {
    const { calls, clock, timers, abandoned, faults } = setUp()
    let resolved = 0
    let timedOut = 0
    for (let number = 1; number <= 100_000; number += 1) {
      const call = calls.open({
        deadlineMs: clock.now() + 1 + (number % 500),
        expired: () => new HawserError("timeout"),
        resolve: () => (resolved += 1),
        reject: (error) => (timedOut += error.code === "timeout" ? 1 : 0),
      })
      calls.sent(call, number)
    }
    expect([calls.size, timers.size, clock.pendingCount]).toEqual([100_000, 100_000, 1])
    for (let number = 2; number <= 100_000; number += 2) calls.resolve(number, null)
    await clock.advance(500)
    expect([resolved, timedOut, abandoned.length]).toEqual([50_000, 50_000, 50_000])
    expect([calls.size, timers.size, clock.pendingCount, faults.length]).toEqual([0, 0, 0, 0])
    expect(calls.resolve(1, "late")).toBe(false)
  })
})
