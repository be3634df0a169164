// How a stranger's value is shown in a message or a log: short, on one line, and with nothing in it that a terminal
// or a log reader would act on. Nothing else of a peer's may enter a text.

const quotedMaxLength = 64
const lineMaxLength = 200

// Controls, unseen and directional characters, halves of pairs, what Unicode has not assigned; separators of lines.
const unseenCharacter = /[\p{C}\p{Zl}\p{Zp}]/u

/** Text in quotes, escaped as in JSON and cut behind 64 characters; of any other value its sort, or the value if short. */
export function quoted(value: unknown): string {
  if (typeof value === "string") return quotedText(value)
  if (typeof value === "number" || typeof value === "boolean") return String(value)
  if (value === undefined) return "nothing"
  if (value === null) return "nil"
  if (typeof value !== "object") return `a ${typeof value}`
  if (Array.isArray(value)) return "an array"
  if (ArrayBuffer.isView(value)) return "a binary"
  return value instanceof Date ? "a timestamp" : "a map"
}

function quotedText(text: string): string {
  const shown = shownPart(text, quotedMaxLength, (character) =>
    character === '"' || character === "\\" ? `\\${character}` : escaped(character),
  )
  return shown.isCut ? `"${shown.text}"…` : `"${shown.text}"`
}

/** Text of our own or a library's in which a peer's may stand: on one line, without quotes, cut behind 200 characters. */
export function oneLine(text: string): string {
  const shown = shownPart(text, lineMaxLength, escaped)
  return shown.isCut ? `${shown.text}…` : shown.text
}

function shownPart(
  text: string,
  maxLength: number,
  show: (character: string) => string,
): { readonly text: string; readonly isCut: boolean } {
  let shown = ""
  for (const character of text) {
    const next = shown + show(character)
    if (next.length > maxLength) return { text: shown, isCut: true }
    shown = next
  }
  return { text: shown, isCut: false }
}

function escaped(character: string): string {
  if (!unseenCharacter.test(character)) return character
  return character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("")
}
