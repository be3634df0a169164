// Makes a text for a person well-formed and short, so that no frame is refused because of its text. Codecs make the texts
// of errors well-formed; the sender of a control frame also cuts its text.

/** Maximum length of a text in a control frame, in UTF-16 units; the rest is cut. */
const sentenceMaxLength = 1_024

/** Matches lone surrogates only: with the flag `u`, a complete pair is one character. */
const halfPair = /[\ud800-\udfff]/u

/** Returns the text cut to `sentenceMaxLength` and well-formed. */
export function sentence(text: string): string {
  return wellFormed(text.slice(0, sentenceMaxLength))
}

/** Replaces each lone surrogate by U+FFFD. */
export function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udfff]/gu, "\ufffd")
}

/** Returns false for a text with half a surrogate pair, which UTF-8 cannot encode. */
export function isWellFormed(text: string): boolean {
  return !halfPair.test(text)
}
