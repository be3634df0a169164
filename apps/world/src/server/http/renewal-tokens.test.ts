import { expect, test } from "vitest"
import { createRenewalTokens } from "./renewal-tokens.ts"

const tokens = createRenewalTokens("k".repeat(32))

test("door-6 reads the tokens that it wrote, but no changed one and none of another world", () => {
  const family = tokens.newFamily()
  const text = tokens.write({ family, generation: 7 })
  expect(tokens.read(text)).toEqual({ family, generation: 7 })
  const [head = "", count = "", signature = ""] = text.split(".")
  for (const other of [
    `${head}.8.${signature}`,
    `${tokens.newFamily()}.${count}.${signature}`,
    `${head}.${count}.${"A".repeat(43)}`,
    `${head}.${count}.${signature.slice(1)}`,
    `${head}.07.${signature}`,
    `${text}x`,
    "",
    "..",
  ])
    expect(tokens.read(other)).toBeUndefined()
  expect(createRenewalTokens("l".repeat(32)).read(text)).toBeUndefined()
})

test("derives the cookie's name from the world's secret, because ports of one host share their cookies", () => {
  expect(tokens.cookieName).toMatch(/^hawser_login_[0-9a-f]{8}$/)
  expect(createRenewalTokens("k".repeat(32)).cookieName).toBe(tokens.cookieName)
  expect(createRenewalTokens("l".repeat(32)).cookieName).not.toBe(tokens.cookieName)
  expect(tokens.newFamily()).not.toBe(tokens.newFamily())
})
