// The text of published events. Servers make it, so that a publisher's request is small for events of any size.

const sentence = "the tide turns at noon; "
let last = ""

/** A text of `bytes` bytes; cached between calls. */
export function fillerText(lengthBytes: number): string {
  if (last.length !== lengthBytes)
    last = sentence.repeat(Math.ceil(lengthBytes / sentence.length)).slice(0, lengthBytes)
  return last
}
