import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { assertTopicName, isTopicName } from "./topic-name.ts"

describe("topic names", () => {
  it.each(["a", "room:1", "world/map_2", "a.b-c_d/e:F", "0", ".", "/", "a".repeat(128)])(
    "allow %s",
    (name) => {
      expect(isTopicName(name)).toBe(true)
      expect(() => assertTopicName(name)).not.toThrow()
    },
  )

  it.each(["", "a b", "a\n", "\n", "a..b", "..", "a*", "é", "한", "a\u0000", "$join", "#1", "a".repeat(129)])(
    "abuse-A46 refuse %j",
    (name) => {
      expect(isTopicName(name)).toBe(false)
      expect(() => assertTopicName(name)).toThrow(RangeError)
    },
  )

  it("contain no other character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 10 }), (name) => {
        const allowed = Array.from(name).every((character) => /[A-Za-z0-9:._/-]/.test(character))
        expect(isTopicName(name)).toBe(name.length > 0 && allowed && !name.includes(".."))
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    ["chat:hello world", 'it contains " "; use letters, digits, ":", ".", "_", "-" and "/"'],
    ["chat:é", 'it contains "é"; use letters, digits, ":", ".", "_", "-" and "/"'],
    ["chat:\u{1f600}", 'it contains "\u{1f600}"; use letters, digits, ":", ".", "_", "-" and "/"'],
    ["a..b", 'it contains ".."'],
    ["", "it has 0 characters; use 1 to 128"],
  ])("say in the error which part of %j is not allowed", (name, fault) => {
    expect(() => assertTopicName(name)).toThrow(`the topic name "${name}" is not allowed: ${fault}`)
  })

  it("are shown cut in the error", () => {
    expect(() => assertTopicName("x".repeat(10_000))).toThrow(
      /^the topic name "x{64}"… is not allowed: it has 10000 characters; use 1 to 128$/,
    )
  })
})
