import { describe, expect, it } from "vitest"
import { describeIssues, validate } from "./schema.ts"
import type { Schema } from "./schema.ts"

it("passes no value of a validator whose promise is that of another library", () => {
  // oxlint-disable-next-line unicorn/no-thenable -- a promise that is no Promise is the case
  const result: unknown = { then: () => {} }
  const foreign: Schema = { "~standard": { version: 1, vendor: "test", validate: () => untyped(result) } }
  expect(() => validate(foreign, "a")).toThrow(/returned no value, no issues/)
})

/** The result as a validator without types returns it. */
function untyped<T>(result: unknown): T
function untyped(result: unknown): unknown {
  return result
}

describe("describeIssues", () => {
  it("joins paths and messages in one sentence", () => {
    const issues = [
      { path: "direction", message: 'expected "UP" | "DOWN"' },
      { path: "", message: "expected a map" },
    ]
    expect(describeIssues(issues)).toBe('direction: expected "UP" | "DOWN"; expected a map')
  })

  it("shows a peer's keys and text cut and on one line", () => {
    const issues = [
      { path: "a\n\u2028b", message: 'unknown key "\u001b[31m"' },
      { path: "", message: "x".repeat(60_000) },
    ]
    expect(describeIssues(issues)).toBe(`a\\u000a\\u2028b: unknown key "\\u001b[31m"; ${"x".repeat(200)}…`)
  })
})
