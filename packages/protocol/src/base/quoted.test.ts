import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { oneLine, quoted } from "./quoted.ts"

describe("quoted", () => {
  it.each<[string, unknown, string]>([
    ["plain text", "cmd_move", '"cmd_move"'],
    ["no text", "", '""'],
    ["text of any script", "Zoë 한국어 😀", '"Zoë 한국어 😀"'],
    ["quotes and backslashes", 'a"b\\c', '"a\\"b\\\\c"'],
    ["a newline, a tab and NUL", "a\r\n\t\0", '"a\\u000d\\u000a\\u0009\\u0000"'],
    ["an escape sequence", "\u001b[31m", '"\\u001b[31m"'],
    ["the C1 controls and DEL", "\u007f\u0085\u009b", '"\\u007f\\u0085\\u009b"'],
    ["the separators of lines and paragraphs", "\u2028\u2029", '"\\u2028\\u2029"'],
    ["directional characters", "\u202e\u2066", '"\\u202e\\u2066"'],
    ["invisible characters", "\u200b\ufeff\u00ad", '"\\u200b\\ufeff\\u00ad"'],
    ["a tag beyond 16 bits", "\u{e0041}", '"\\udb40\\udc41"'],
    ["half a surrogate pair", "a\ud83d", '"a\\ud83d"'],
    ["a number", 2, "2"],
    ["NaN", NaN, "NaN"],
    ["a boolean", false, "false"],
    ["nil", null, "nil"],
    ["undefined", undefined, "nothing"],
    ["an array", ["\n"], "an array"],
    ["a map", { "\n": 1 }, "a map"],
    ["a binary", new Uint8Array(60_000), "a binary"],
    ["a timestamp", new Date(NaN), "a timestamp"],
    ["a bigint, which no message holds", 5n, "a bigint"],
  ])("shows %s", (...[, value, shown]) => {
    expect(quoted(value)).toBe(shown)
  })

  it("cuts to 64 characters after escaping, and marks the cut with …", () => {
    expect(quoted("x".repeat(64))).toBe(`"${"x".repeat(64)}"`)
    expect(quoted("x".repeat(65))).toBe(`"${"x".repeat(64)}"…`)
    expect(quoted("\n".repeat(200))).toBe(`"${"\\u000a".repeat(10)}"…`)
    expect(quoted(`${"x".repeat(63)}😀`)).toBe(`"${"x".repeat(63)}"…`)
  })

  it("abuse-A35 is one short line for any text, and never halves a character", () => {
    const unit = fc.oneof(
      fc.string({ unit: "binary", maxLength: 3 }),
      fc.constantFrom("\u2028", "\u001b", '"'),
    )
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 90 }), (units) => {
        const shown = quoted(units.join(""))
        expect(shown.length).toBeLessThanOrEqual(67)
        expect(shown).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
        const back: unknown = JSON.parse(shown.replace(/…$/, ""))
        expect(units.join("").startsWith(String(back))).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe("oneLine", () => {
  it.each([
    ["keeps plain text", 'x: expected "UP" | "DOWN"', 'x: expected "UP" | "DOWN"'],
    ["escapes control characters", "a\n\u2028\u001b[0m\\", "a\\u000a\\u2028\\u001b[0m\\"],
    ["keeps 200 characters", "x".repeat(200), "x".repeat(200)],
    ["cuts to 200 characters", "x".repeat(201), `${"x".repeat(200)}…`],
  ])("%s", (...[, text, shown]) => {
    expect(oneLine(text)).toBe(shown)
  })
})
