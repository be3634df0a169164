import { expect, it } from "vitest"
import { lookup } from "./header-fields.ts"

it("finds header fields by any case, joins repeated ones, and finds no member of objects", () => {
  const fields = lookup({ headers: { cookie: "session=1", "set-cookie": ["a", "b"] } })
  const found = ["Cookie", "cookie", "set-cookie", "authorization", "constructor", "__proto__"]
  const missing = undefined
  expect(found.map((name) => fields.get(name))).toEqual([
    "session=1",
    "session=1",
    "a, b",
    missing,
    missing,
    missing,
  ])
})
