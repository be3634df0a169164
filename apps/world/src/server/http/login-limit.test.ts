import { expect, test } from "vitest"
import { createLoginLimit } from "./login-limit.ts"

const anna = { address: "10.0.0.1", username: "anna" }
const wrong = () => Promise.resolve(false)
const right = () => Promise.resolve(true)

test("lets 5 logins fail, then one every 12 seconds", async () => {
  let nowMs = 0
  const limit = createLoginLimit(() => nowMs)
  for (let failed = 0; failed < 5; failed += 1) expect(await limit.tryLogin(anna, wrong)).toBe(false)
  expect(await limit.tryLogin(anna, right)).toEqual({ retryAfterMs: 12_000 })
  expect(await limit.tryLogin({ ...anna, username: "ANNA" }, right)).toEqual({ retryAfterMs: 12_000 })
  nowMs = 11_999
  expect(await limit.tryLogin(anna, right)).toEqual({ retryAfterMs: 1000 })
  nowMs = 12_000
  expect(await limit.tryLogin(anna, wrong)).toBe(false)
  expect(await limit.tryLogin(anna, wrong)).toEqual({ retryAfterMs: 12_000 })
})

test("counts each name and each address for itself", async () => {
  const limit = createLoginLimit(() => 0)
  for (let failed = 0; failed < 5; failed += 1) await limit.tryLogin(anna, wrong)
  expect(await limit.tryLogin({ ...anna, username: "bob" }, right)).toBe(true)
  expect(await limit.tryLogin({ ...anna, address: "10.0.0.2" }, right)).toBe(true)
})

test("counts no login that succeeds", async () => {
  const limit = createLoginLimit(() => 0)
  for (let login = 0; login < 20; login += 1) expect(await limit.tryLogin(anna, right)).toBe(true)
})

test("lets no more than 5 run at once, and again after one of them threw", async () => {
  const limit = createLoginLimit(() => 0)
  let fail: (error: Error) => void = () => {}
  const stuck = new Promise<boolean>((_, reject) => {
    fail = reject
  })
  const all = Promise.allSettled(Array.from({ length: 5 }, () => limit.tryLogin(anna, () => stuck)))
  expect(await limit.tryLogin(anna, right)).toEqual({ retryAfterMs: 1000 })
  fail(new Error("the store failed"))
  expect((await all).map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => "rejected"))
  expect(await limit.tryLogin(anna, right)).toBe(true)
})
