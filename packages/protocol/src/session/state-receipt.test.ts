import { describe, expect, it } from "vitest"
import { StateReceipt } from "./state-receipt.ts"

const limits = { ackEveryBytes: 1_000, ackDelayMs: 500 }

/** Times of the acknowledgements for frames of ten bytes that arrive at these times, with a timer that fires on time. */
function acknowledgedAt(arrivals: readonly number[]): number[] {
  const receipt = new StateReceipt(limits)
  const times: number[] = []
  const told = (atMs: number): void => {
    receipt.acknowledged(atMs)
    times.push(atMs)
  }
  for (let nowMs = 0; nowMs <= 5_000; nowMs += 1) {
    for (const atMs of arrivals) if (atMs === nowMs) receipt.receive(10, nowMs)
    if (receipt.unacknowledged > 0 && receipt.dueInMs(nowMs) <= 0) told(nowMs)
  }
  return times
}

describe("frames of state", () => {
  it("are acknowledged together, soon after the first", () => {
    expect(acknowledgedAt([100, 103, 108])).toEqual([110])
  })

  it("are acknowledged twice a second while one arrives in every tick", () => {
    const everyTick = Array.from({ length: 80 }, (_, tick) => 50 * tick)
    expect(acknowledgedAt(everyTick)).toEqual([10, 510, 1_010, 1_510, 2_010, 2_510, 3_010, 3_510, 4_010])
  })

  it("are acknowledged when no other follows, at most five times a second", () => {
    expect(acknowledgedAt([0, 20])).toEqual([10, 210])
    expect(acknowledgedAt([0, 400])).toEqual([10, 510])
    expect(acknowledgedAt([0, 300])).toEqual([10, 450])
    const often = Array.from({ length: 20 }, (_, index) => 155 * index)
    expect(acknowledgedAt(often).length).toBeLessThanOrEqual(16)
  })

  it("are acknowledged at once at ackEveryBytes", () => {
    const receipt = new StateReceipt(limits)
    receipt.receive(10, 0)
    receipt.acknowledged(10)
    receipt.receive(999, 20)
    expect(receipt.dueInMs(20)).toBeGreaterThan(0)
    receipt.receive(1, 20)
    expect(receipt.dueInMs(20)).toBe(0)
    receipt.acknowledged(20)
    expect([receipt.received, receipt.unacknowledged]).toEqual([3, 0])
  })
})
