// Formats a peer's value for a message or a log: short, on one line, without characters that a terminal or a log reader
// interprets. A text must not contain a peer's value in any other form.

const quotedMaxLength = 64
const lineMaxLength = 200

// Control, invisible, directional and unassigned characters, lone surrogates, line and paragraph separators.
const unseenCharacter = /[\p{C}\p{Zl}\p{Zp}]/u

/** Returns a text in quotes, escaped as in JSON and cut to 64 characters. Other values: the value if short, else its kind. */
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

/** Returns a text that may contain a peer's value on one line, escaped, without quotes, cut to 200 characters. */
export function oneLine(text: string): string {
  const shown = shownPart(text, lineMaxLength, escaped)
  return shown.isCut ? `${shown.text}…` : shown.text
}

/** Returns a whole line of a longer text, escaped like `oneLine`. */
export function escapedLine(line: string): string {
  return shownPart(line, Infinity, escaped).text
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
