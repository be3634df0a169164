import { defaultClientLimits } from "@hawser/protocol"
import { RoundTrip } from "@hawser/protocol/core"
import { describe, expect, it } from "vitest"
import { attemptLimits } from "./attempt-limits.ts"

function after(ms: number, count: number): RoundTrip {
  const roundTrip = new RoundTrip()
  for (let sample = 0; sample < count; sample += 1) roundTrip.observe(ms)
  return roundTrip
}

describe("the limits of an attempt", () => {
  it("are the options before any round trip was measured, and on an ordinary link", () => {
    const least = { tokenMs: 8_000, dialMs: 8_000, welcomeMs: 8_000 }
    expect(attemptLimits(defaultClientLimits, new RoundTrip())).toEqual(least)
    expect(attemptLimits(defaultClientLimits, after(400, 1))).toEqual(least)
  })

  it("surprise-C3 leave time for TCP, TLS and the upgrade, and for WELCOME, at the measured round trip", () => {
    for (const count of [1, 10, 1_000]) {
      const { tokenMs, dialMs, welcomeMs } = attemptLimits(defaultClientLimits, after(4_400, count))
      expect(Math.min(tokenMs, dialMs)).toBeGreaterThanOrEqual(4 * 4_400)
      expect(welcomeMs).toBeGreaterThanOrEqual(2 * 4_400)
    }
  })

  it("stay within dialTimeoutMaxMs, but never below the option itself", () => {
    const slow = after(60_000, 1)
    expect(attemptLimits(defaultClientLimits, slow)).toEqual({
      tokenMs: 60_000,
      dialMs: 60_000,
      welcomeMs: 60_000,
    })
    expect(attemptLimits({ ...defaultClientLimits, dialTimeoutMs: 90_000 }, slow).dialMs).toBe(90_000)
  })

  it("do not change with a missed answer: a dead connection does not slow the next dial", () => {
    const roundTrip = after(100, 10)
    for (let missed = 0; missed < 10; missed += 1) roundTrip.lengthen()
    expect(attemptLimits(defaultClientLimits, roundTrip).dialMs).toBe(8_000)
  })
})
