// Text ↔ UTF-8 of the ids and short texts in replicas. Whatever the bytes are, reading them is no fault: what is no UTF-8
// becomes U+FFFD, by the rule of the WHATWG's decoder, and so does a lone surrogate that is written.

// Both are there in Node, Bun and browsers; this package has the types of none of them.
declare class TextEncoder {
  encode(text: string): Uint8Array
}
declare class TextDecoder {
  constructor(label: "utf-8", options: { readonly ignoreBOM: true })
  decode(bytes: Uint8Array): string
}

const encoder = new TextEncoder()
// A mark of the byte order is a character like others.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

export function encodeText(text: string): Uint8Array {
  return encoder.encode(text)
}

export function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}
