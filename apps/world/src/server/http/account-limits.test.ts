import { expect, test } from "vitest"
import { createAccountLimits } from "./account-limits.ts"
import { defaultDoorLimits } from "./door-limits.ts"

const bounds = defaultDoorLimits(2)
const near = { key: "10.0.0.1", isLocal: false }
const other = { key: "10.0.0.2", isLocal: false }
const local = { key: "127.0.0.1", isLocal: true }

function limitsAt(clock: { nowMs: number }) {
  const limits = createAccountLimits(bounds, () => clock.nowMs)
  return {
    ...limits,
    /** Milliseconds to wait; 0 after a log-in with this outcome. */
    login: (
      address: typeof near,
      username: string,
      outcome: "right" | "failed" | "unknown" = "failed",
    ): number => {
      const attempt = limits.beginLogin(address, username)
      if ("retryAfterMs" in attempt) return attempt.retryAfterMs
      attempt.end(outcome)
      return 0
    },
  }
}

/** Returns how many of `count` consecutive calls have to wait. */
function refusals(count: number, call: () => number | object | undefined): number {
  return Array.from({ length: count }, call).filter((outcome) => outcome !== 0 && outcome !== undefined)
    .length
}

test("door-3 lets an address register 20 accounts at once and then 6 a minute, so that 20 of 1,040 in 9 s succeed", () => {
  const clock = { nowMs: 0 }
  const { register } = limitsAt(clock)
  let done = 0
  for (let request = 0; request < 1_040; request += 1) {
    clock.nowMs = (request * 9_000) / 1_040
    if (register(near) === undefined) done += 1
  }
  expect(done).toBe(20)
  expect(register(other)).toBeUndefined()
  clock.nowMs = 10_000
  expect(register(near)).toBeUndefined()
  expect(register(near)).toEqual({ retryAfterMs: 10_000 })
})

test("door-3 lets this machine register thirty times as many", () => {
  const { register } = limitsAt({ nowMs: 0 })
  const done = 1_040 - refusals(1_040, () => register(local))
  // A third of a second is not an exact number.
  expect(done).toBeGreaterThanOrEqual(599)
  expect(done).toBeLessThanOrEqual(600)
})

test("door-3 lets an address fail 30 log-ins under any names, and then 10 a minute, for any password", () => {
  const clock = { nowMs: 0 }
  const { login } = limitsAt(clock)
  expect(refusals(1_000, () => login(near, `name-${Math.random()}`))).toBe(970)
  expect(login(near, "anna", "right")).toBe(6_000)
  expect(login(other, "anna", "right")).toBe(0)
  clock.nowMs = 6_000
  expect(login(near, "anna")).toBe(0)
  expect(login(near, "anna")).toBe(6_000)
})

test("lets 5 log-ins of an address fail under one name in any case, then one every 12 seconds", () => {
  const clock = { nowMs: 0 }
  const { login } = limitsAt(clock)
  expect(refusals(5, () => login(near, "anna"))).toBe(0)
  expect(login(near, "anna", "right")).toBe(12_000)
  expect(login(near, "ANNA", "right")).toBe(12_000)
  expect(login(near, "bob", "right")).toBe(0)
  expect(login(other, "anna", "right")).toBe(0)
  clock.nowMs = 11_999
  expect(login(near, "anna", "right")).toBe(1_000)
  clock.nowMs = 12_000
  expect(login(near, "anna")).toBe(0)
  expect(login(near, "anna")).toBe(12_000)
})

test("does not count a log-in that succeeds, or one without a comparison", () => {
  const { login } = limitsAt({ nowMs: 0 })
  expect(refusals(100, () => login(near, "anna", "right"))).toBe(0)
  expect(refusals(100, () => login(near, "anna", "unknown"))).toBe(0)
})

test("allows 5 attempts under way for a name and 30 for an address, and further ones after their end", () => {
  const { beginLogin } = limitsAt({ nowMs: 0 })
  const begin = (username: string) => beginLogin(near, username)
  const ofAnna = Array.from({ length: 5 }, () => begin("anna"))
  expect(begin("anna")).toEqual({ retryAfterMs: 1_000 })
  const ofOthers = Array.from({ length: 25 }, (_, index) => begin(`name-${index}`))
  expect(begin("another")).toEqual({ retryAfterMs: 1_000 })
  for (const attempt of [...ofAnna, ...ofOthers]) {
    if ("retryAfterMs" in attempt) expect.unreachable()
    else attempt.end("unknown")
  }
  expect(begin("anna")).toHaveProperty("end")
})

test("counts only one outcome of an attempt", () => {
  const { beginLogin, login } = limitsAt({ nowMs: 0 })
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const begun = beginLogin(near, "anna")
    if ("retryAfterMs" in begun) expect.unreachable()
    else {
      begun.end("right")
      begun.end("failed")
    }
  }
  expect(login(near, "anna")).toBe(0)
})
