// Takes out of a text what would act on its reader's screen instead of being read: control characters, direction marks and
// characters that show nothing. Pure.

/** Line ends and tabs of every kind: a chat line has one line. */
const breaks = /[\t\n\v\f\r\u0085\u2028\u2029]/gu

/**
 * Control characters; marks, embeddings, overrides and isolates of direction, which reorder what stands around them; blanks
 * without width and fillers, which hide words from each other or make a line look empty. The joiners U+200C and U+200D stay:
 * Persian and emoji need them.
 */
const inactive =
  /[\p{Cc}\u00AD\u061C\u115F\u1160\u180E\u200B\u200E\u200F\u202A-\u202E\u2060-\u206F\u3164\uFEFF\uFFA0\uFFF9-\uFFFB]/gu

/** The same text without those characters; a line end or a tab becomes a blank. */
export function inertText(text: string): string {
  return text.replace(breaks, " ").replace(inactive, "")
}
