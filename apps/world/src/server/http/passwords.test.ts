import { expect, test } from "vitest"
import { createPasswords } from "./passwords.ts"

test("verifies the right password only, and salts", async () => {
  const passwords = createPasswords()
  const [kept, again] = await Promise.all([passwords.hash("correct horse"), passwords.hash("correct horse")])
  expect(kept).toMatch(/^\$argon2id\$/)
  expect(again).not.toBe(kept)
  expect(await passwords.verify("correct horse", kept)).toBe(true)
  expect(await passwords.verify("wrong horse", kept)).toBe(false)
})

test("returns false without a stored hash", async () => {
  expect(await createPasswords().verify("nobody", undefined)).toBe(false)
})
