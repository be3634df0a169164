// Decides whether bytes from a peer are one MessagePack value that is safe to hand to a decoder: whole, alone,
// shallow, small, and without anything on which a decoder throws or which loses its meaning in JavaScript.
// Must not know what the value means, which frame carries it, or which decoder reads it afterwards.
//
// It goes through the bytes once, never recurses and never allocates by a number that the peer wrote. What it
// counts: each array item is one element, each map entry two (its key and its value); the value itself is none.
// Depth counts containers, empty ones too: `1` has depth 0, `[]` depth 1, `[[]]` depth 2.
// A header is refused unless all values that are still promised, by it and by the containers around it, could
// fit into the bytes left at one byte each. So no decoder reserves more slots than the message has bytes.
//
// Not checked: duplicate keys. The decoder keeps the last of them, which is harmless in a payload; whoever gives
// keys a meaning (an envelope) has to expect it. `constructor` and `prototype` are ordinary keys of a payload.
// Refused beyond the format's own rules: ill-formed UTF-8 (an overlong `__proto__` would pass a comparison of
// bytes and be `__proto__` once decoded), and timestamps that a Date cannot hold.

/** What a message may contain. Sizes in bytes, depth and elements as counts; a value at its limit still passes. */
export interface GuardLimits {
  /** Length of the whole message, what stands before `start` included. Above it: `message_too_large`. */
  readonly maxBytes: number
  /** Containers inside each other, empty ones included. */
  readonly maxDepth: number
  /** Array items plus twice the map entries, summed over the whole value. */
  readonly maxElements: number
  /** UTF-8 length of a map key. */
  readonly maxKeyBytes: number
  /** Whether map keys have to be strings; when false, integers are keys too. Default: true. */
  readonly stringKeysOnly?: boolean
}

/** `undefined` when the value is safe to decode, else why not. The reason is fixed text without the peer's bytes. */
export type GuardVerdict =
  | undefined
  | { readonly code: "message_too_large" | "message_malformed"; readonly reason: string }

/**
 * Scans `bytes[start..]`, which has to be exactly one MessagePack value: nothing missing, nothing after it.
 * Returns `undefined` when it is safe to decode, `message_too_large` when the message is longer than
 * `limits.maxBytes`, and `message_malformed` for everything else. It never throws.
 */
export function guardMessagePack(bytes: Uint8Array, start: number, limits: GuardLimits): GuardVerdict {
  const end = bytes.length
  if (end > limits.maxBytes) {
    return { code: "message_too_large", reason: "the message has more bytes than allowed" }
  }
  // One number per container that waits for an inner one: twice the values it still lacks, plus 1 for a map.
  // A list that grows with the depth costs 10 ns more than a shared scratch buffer would.
  const waiting: number[] = []
  let at = start
  let promised = 1
  let read = 0
  let missing = 1
  let inMap = false
  let depth = 0
  while (missing > 0) {
    if (at >= end) return refused(truncated)
    const head = byteAt(bytes, at)
    const isKey = inMap && missing % 2 === 0
    missing -= 1
    read += 1
    if (isKey) {
      at = keyEnd(bytes, at, limits)
      if (at < 0) return refused(at)
    } else if (isContainer(head)) {
      const count = elementCount(bytes, at)
      at += containerHeaderBytes(head)
      promised += count
      depth += 1
      if (depth > limits.maxDepth) return refused(tooDeep)
      if (promised - 1 > limits.maxElements) return refused(tooManyElements)
      if (promised - read > end - at) return refused(truncated)
      waiting.push(missing * 2 + (inMap ? 1 : 0))
      missing = count
      inMap = isMap(head)
    } else {
      at = leafEnd(bytes, at)
      if (at < 0) return refused(at)
    }
    while (missing === 0 && depth > 0) {
      const outer = waiting.pop() ?? 0
      missing = outer >>> 1
      inMap = outer % 2 === 1
      depth -= 1
    }
  }
  if (at === end) return undefined
  return refused(at > end ? truncated : trailing)
}

// The functions below answer with a position, or with one of these faults, which are all negative.
const truncated = -1
const trailing = -2
const tooDeep = -3
const tooManyElements = -4
const unusedByte = -5
const unsafeInteger = -6
const illFormedText = -7
const foreignExtension = -8
const badTimestamp = -9
const badKeyType = -10
const longKey = -11
const protoKey = -12

const reasons: readonly string[] = [
  "",
  "the message ends before its value does",
  "bytes follow the value",
  "containers are nested deeper than allowed",
  "the value has more elements than allowed",
  "the byte 0xc1 is not MessagePack",
  "an integer is outside -(2^53 - 1) to 2^53 - 1",
  "a string is not well-formed UTF-8",
  "only the extension type -1 (timestamp) is allowed",
  "a timestamp is not one that a Date can hold",
  "a map key has a type that is not allowed",
  "a map key is longer than allowed",
  "the map key __proto__ is not allowed",
]

function refused(fault: number): GuardVerdict {
  return { code: "message_malformed", reason: reasons[-fault] ?? "the message is malformed" }
}

/** The byte at a position, 0 behind the end: whoever moves behind the end is refused as truncated afterwards. */
function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0
}

function uint16At(bytes: Uint8Array, at: number): number {
  return (byteAt(bytes, at) << 8) | byteAt(bytes, at + 1)
}

function uint32At(bytes: Uint8Array, at: number): number {
  return uint16At(bytes, at) * 0x10000 + uint16At(bytes, at + 2)
}

function isContainer(head: number): boolean {
  return (head >= 0x80 && head <= 0x9f) || (head >= 0xdc && head <= 0xdf)
}

function isMap(head: number): boolean {
  return head <= 0x8f || head >= 0xde
}

function containerHeaderBytes(head: number): number {
  if (head <= 0x9f) return 1
  return head % 2 === 0 ? 3 : 5
}

function elementCount(bytes: Uint8Array, at: number): number {
  const head = byteAt(bytes, at)
  if (head <= 0x8f) return (head & 0x0f) * 2
  if (head <= 0x9f) return head & 0x0f
  const count = head % 2 === 0 ? uint16At(bytes, at + 1) : uint32At(bytes, at + 1)
  return isMap(head) ? count * 2 : count
}

/** Where a value ends that contains no other value; a position behind the end means that bytes are missing. */
function leafEnd(bytes: Uint8Array, at: number): number {
  const head = byteAt(bytes, at)
  if (head < 0x80 || head >= 0xe0) return at + 1
  switch (head) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      return at + 1
    case 0xc1:
      return unusedByte
    case 0xcc: // uint 8
    case 0xd0: // int 8
      return at + 2
    case 0xcd: // uint 16
    case 0xd1: // int 16
      return at + 3
    case 0xca: // float 32
    case 0xce: // uint 32
    case 0xd2: // int 32
      return at + 5
    case 0xcb: // float 64
      return at + 9
    case 0xcf: // uint 64
    case 0xd3: // int 64
      return at + 9 > bytes.length || isSafeInt64(bytes, at) ? at + 9 : unsafeInteger
    case 0xc4: // bin 8
      return at + 2 + byteAt(bytes, at + 1)
    case 0xc5: // bin 16
      return at + 3 + uint16At(bytes, at + 1)
    case 0xc6: // bin 32
      return at + 5 + uint32At(bytes, at + 1)
    default:
      return isText(head) ? textEnd(bytes, at) : extensionEnd(bytes, at)
  }
}

/** Whether a uint 64 or int 64 survives as a JavaScript number, that is, lies within ±(2^53 - 1). */
function isSafeInt64(bytes: Uint8Array, at: number): boolean {
  const high = uint32At(bytes, at + 1)
  if (high <= 0x1fffff) return true
  if (byteAt(bytes, at) === 0xcf) return false
  return high > 0xffe00000 || (high === 0xffe00000 && uint32At(bytes, at + 5) > 0)
}

function isText(head: number): boolean {
  return (head >= 0xa0 && head <= 0xbf) || (head >= 0xd9 && head <= 0xdb)
}

function textHeaderBytes(head: number): number {
  if (head <= 0xbf) return 1
  if (head === 0xd9) return 2
  return head === 0xda ? 3 : 5
}

function textBytes(bytes: Uint8Array, at: number): number {
  const head = byteAt(bytes, at)
  if (head <= 0xbf) return head & 0x1f
  if (head === 0xd9) return byteAt(bytes, at + 1)
  return head === 0xda ? uint16At(bytes, at + 1) : uint32At(bytes, at + 1)
}

function textEnd(bytes: Uint8Array, at: number): number {
  const from = at + textHeaderBytes(byteAt(bytes, at))
  const end = from + textBytes(bytes, at)
  if (end > bytes.length) return truncated
  let next = from
  while (next < end) {
    if (byteAt(bytes, next) < 0x80) {
      next += 1
      // ASCII four bytes at a time: about twice as fast as one by one.
      while (next + 4 <= end && fourBytesMerged(bytes, next) < 0x80) next += 4
    } else {
      const size = sequenceBytes(bytes, next)
      if (size === 0 || next + size > end) return illFormedText
      next += size
    }
  }
  return end
}

function fourBytesMerged(bytes: Uint8Array, at: number): number {
  return byteAt(bytes, at) | byteAt(bytes, at + 1) | byteAt(bytes, at + 2) | byteAt(bytes, at + 3)
}

/** Length of the UTF-8 sequence of a character above U+007F, 0 if ill-formed (Unicode 16, table 3-7). */
function sequenceBytes(bytes: Uint8Array, at: number): number {
  const lead = byteAt(bytes, at)
  const second = byteAt(bytes, at + 1)
  if (lead < 0xc2 || lead > 0xf4 || !isContinuation(second)) return 0
  if (lead <= 0xdf) return 2
  if (!isContinuation(byteAt(bytes, at + 2))) return 0
  if (lead <= 0xef) {
    if (lead === 0xe0 && second < 0xa0) return 0 // overlong
    return lead === 0xed && second > 0x9f ? 0 : 3 // a surrogate
  }
  if (!isContinuation(byteAt(bytes, at + 3))) return 0
  if (lead === 0xf0 && second < 0x90) return 0 // overlong
  return lead === 0xf4 && second > 0x8f ? 0 : 4 // above U+10FFFF
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80
}

function keyEnd(bytes: Uint8Array, at: number, limits: GuardLimits): number {
  const head = byteAt(bytes, at)
  if (!isText(head)) {
    return limits.stringKeysOnly === false && isInteger(head) ? leafEnd(bytes, at) : badKeyType
  }
  const length = textBytes(bytes, at)
  if (length > limits.maxKeyBytes) return longKey
  if (length === protoBytes.length && isProto(bytes, at + textHeaderBytes(head))) return protoKey
  return textEnd(bytes, at)
}

function isInteger(head: number): boolean {
  return head < 0x80 || head >= 0xe0 || (head >= 0xcc && head <= 0xd3)
}

// "__proto__" in ASCII: the only well-formed UTF-8 that decodes to it.
const protoBytes: readonly number[] = [0x5f, 0x5f, 0x70, 0x72, 0x6f, 0x74, 0x6f, 0x5f, 0x5f]

function isProto(bytes: Uint8Array, from: number): boolean {
  return protoBytes.every((byte, index) => byteAt(bytes, from + index) === byte)
}

/** The extensions, of which only timestamps pass: type -1 with 4, 8 or 12 bytes, whatever the form of the header. */
function extensionEnd(bytes: Uint8Array, at: number): number {
  const typeAt = at + 1 + extensionLengthBytes(byteAt(bytes, at))
  const from = typeAt + 1
  const length = extensionBytes(bytes, at)
  if (from + length > bytes.length) return truncated
  if (byteAt(bytes, typeAt) !== 0xff) return foreignExtension
  return isDate(bytes, from, length) ? from + length : badTimestamp
}

function extensionLengthBytes(head: number): number {
  return head >= 0xd4 ? 0 : 1 << (head - 0xc7)
}

function extensionBytes(bytes: Uint8Array, at: number): number {
  const head = byteAt(bytes, at)
  if (head >= 0xd4) return 1 << (head - 0xd4) // fixext 1 to 16: 0xd4 to 0xd8
  if (head === 0xc7) return byteAt(bytes, at + 1)
  return head === 0xc8 ? uint16At(bytes, at + 1) : uint32At(bytes, at + 1)
}

function isDate(bytes: Uint8Array, from: number, length: number): boolean {
  if (length === 4) return true
  if (length === 8) return uint32At(bytes, from) >>> 2 <= maxNanoseconds
  if (length !== 12) return false
  const nanoseconds = uint32At(bytes, from)
  const seconds = (uint32At(bytes, from + 4) | 0) * 0x1_0000_0000 + uint32At(bytes, from + 8)
  return nanoseconds <= maxNanoseconds && Math.abs(seconds * 1e3 + nanoseconds / 1e6) <= maxDateMs
}

const maxNanoseconds = 999_999_999
// ECMA-262, "Time Values and Time Range".
const maxDateMs = 8.64e15
