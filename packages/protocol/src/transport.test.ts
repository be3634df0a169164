import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { closeReason } from "./transport.ts"

const bytesIn = (text: string): number => Buffer.byteLength(text)

describe("closeReason", () => {
  it.each([
    ["", ""],
    ["bye", "bye"],
    ["a".repeat(123), "a".repeat(123)],
    ["a".repeat(124), "a".repeat(123)],
    ["é".repeat(62), "é".repeat(61)],
    ["한".repeat(42), "한".repeat(41)],
    ["😀".repeat(31), "😀".repeat(30)],
    [`${"a".repeat(120)}😀`, "a".repeat(120)],
    [`${"a".repeat(119)}😀b`, `${"a".repeat(119)}😀`],
  ])("shortens %s", (text, expected) => {
    expect(closeReason(text)).toBe(expected)
  })

  it("abuse-A47 keeps the longest prefix of whole characters that has 123 bytes at most", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200, size: "max" }), (text) => {
        const reason = closeReason(text)
        expect(text.startsWith(reason)).toBe(true)
        expect(bytesIn(reason)).toBeLessThanOrEqual(123)
        const [next] = text.slice(reason.length)
        if (next !== undefined) expect(bytesIn(reason + next)).toBeGreaterThan(123)
        expect(Buffer.from(reason).toString()).toBe(reason)
      }),
      { numRuns: 500 },
    )
  })

  it("counts half a surrogate pair as the three bytes of its replacement U+FFFD", () => {
    expect(bytesIn(closeReason("\ud83d".repeat(50)))).toBe(123)
  })
})
