// The text of published events. Servers make it, so that a publisher's request is small however large its events are.

const sentence = "the tide turns at noon; "
let last = ""

/** A text of so many bytes; kept from one call to the next. */
export function saidText(lengthBytes: number): string {
  if (last.length !== lengthBytes)
    last = sentence.repeat(Math.ceil(lengthBytes / sentence.length)).slice(0, lengthBytes)
  return last
}
