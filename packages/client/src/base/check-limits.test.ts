import { defaultClientLimits } from "@hawser/protocol"
import { describe, expect, it } from "vitest"
import { checkLimits } from "./check-limits.ts"

describe("the limits of a client", () => {
  it("are the defaults, with the application's choices over them", () => {
    expect(checkLimits()).toEqual(defaultClientLimits)
    expect(checkLimits({ dialBurst: 1, dialsPerMinute: 0.5 })).toEqual({
      ...defaultClientLimits,
      dialBurst: 1,
      dialsPerMinute: 0.5,
    })
  })

  it.each(["dialBurst", "dialsPerMinute", "dialTimeoutMs", "dialTimeoutMaxMs", "stableAfterMs"] as const)(
    "are refused when %s is no number above 0 that a timer can hold",
    (name) => {
      for (const value of [0, -1, NaN, Infinity, 2 ** 31])
        expect(() => checkLimits({ [name]: value })).toThrow(`limits.${name} must be a number above 0`)
    },
  )

  it("surprise-A2 are refused when the budget holds no whole dial", () => {
    expect(() => checkLimits({ dialBurst: 0.5 })).toThrow(
      new RangeError("limits.dialBurst must be at least 1, not 0.5"),
    )
  })

  it("are refused when a bound of a message is none", () => {
    const message = { ...defaultClientLimits.message, maxBytes: 0 }
    expect(() => checkLimits({ message })).toThrow("limits.message.maxBytes must be a number above 0")
  })
})
