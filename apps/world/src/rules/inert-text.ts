// Removes characters that act on the reader's screen instead of being read: control characters, direction marks and
// invisible characters. Pure.

/** Line ends and tabs of every kind: a chat line has one line. */
const breaks = /[\t\n\v\f\r\u0085\u2028\u2029]/gu

/**
 * Control characters; direction marks, embeddings, overrides and isolates, which reorder the text around them;
 * zero-width spaces and fillers, which split words invisibly or make a line look empty. The joiners U+200C and U+200D
 * stay: Persian and emoji need them.
 */
const inactive =
  /[\p{Cc}\u00AD\u061C\u115F\u1160\u180E\u200B\u200E\u200F\u202A-\u202E\u2060-\u206F\u3164\uFEFF\uFFA0\uFFF9-\uFFFB]/gu

/** Returns the text without these characters; a line end or a tab becomes a space. */
export function inertText(text: string): string {
  return text.replace(breaks, " ").replace(inactive, "")
}
