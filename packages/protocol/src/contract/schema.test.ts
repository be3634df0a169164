import { describe, expect, it } from "vitest"
import { describeIssues } from "./schema.ts"

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
