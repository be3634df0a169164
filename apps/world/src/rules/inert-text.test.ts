import { expect, it } from "vitest"
import { checkChat } from "./chat.ts"
import { inertText } from "./inert-text.ts"

/** Returns one character, or a range of them. */
function range(first: number, last = first): readonly string[] {
  return Array.from({ length: last - first + 1 }, (_, offset) => String.fromCodePoint(first + offset))
}

const acting = [
  ...range(0x00, 0x08),
  ...range(0x0e, 0x1f),
  ...range(0x7f, 0x84),
  ...range(0x86, 0x9f),
  ...range(0x061c),
  ...range(0x200b),
  ...range(0x200e, 0x200f),
  ...range(0x202a, 0x202e),
  ...range(0x2060, 0x206f),
  ...range(0xfeff),
]

it("door-7 removes control characters and direction marks from a chat line", () => {
  for (const char of acting) expect(inertText(`a${char}b`)).toBe("ab")
  expect(inertText("Server: \u202Egnitset\u202C \u001B[31mred")).toBe("Server: gnitset [31mred")
})

it("door-7 joins several lines into one", () => {
  expect(inertText("one\ntwo\r\nthree\tfour\u2028five\u0085six")).toBe("one two  three four five six")
})

it("leaves every script and emoji as they are", () => {
  for (const text of [
    "שלום עולם",
    "مرحبا بالعالم",
    "نمی\u200Cخواهم",
    "👩‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "e\u0301",
    "two  words",
    "日本語",
  ])
    expect(inertText(text)).toBe(text)
})

it("door-7 returns an empty text for an invisible line", () => {
  const speaker = { role: "player", inputMaxLength: 500 } as const
  for (const input of ["\u200B\u2060", "\u202E\u3164 ", "\u0000"])
    expect(checkChat("local", input, speaker)).toMatchObject({ ok: false, code: "chat_message_empty" })
  expect(checkChat("local", " \u202Eahoy\u0007 ", speaker)).toEqual({ ok: true, message: "ahoy" })
})
