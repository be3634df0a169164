// Text for a person in frames of the session layer and in errors: such a frame is never refused for its text. Codecs make
// it well-formed; a sender of a control frame also cuts it.

/** The longest text of a control frame, in UTF-16 units; the rest is cut. */
const sentenceMaxLength = 1_024

/** With the flag, a whole pair is one character. */
const halfPair = /[\ud800-\udfff]/u

/** Well-formed, and short enough for any receiver. */
export function sentence(text: string): string {
  return wellFormed(text.slice(0, sentenceMaxLength))
}

/** Half a surrogate pair becomes U+FFFD. */
export function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udfff]/gu, "\ufffd")
}

/** False for text with half a surrogate pair: it has no UTF-8. */
export function isWellFormed(text: string): boolean {
  return !halfPair.test(text)
}
