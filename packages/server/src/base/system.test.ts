import { expect, it } from "vitest"
import { randomSessionIds } from "./system.ts"

it("makes ids of 22 characters and never the same twice, across draws too", () => {
  const next = randomSessionIds()
  const ids = Array.from({ length: 1_000 }, () => next())
  expect(new Set(ids).size).toBe(1_000)
  expect(ids.every((id) => /^[\w-]{22}$/.test(id))).toBe(true)
})
