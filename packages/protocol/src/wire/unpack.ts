// Decodes MessagePack to a value, or returns the reason of a refusal. Checks the peer's bytes in one pass while it reads: one
// complete value, within the limits, without content that loses its meaning in JavaScript. Must not know the meaning of the
// value or its frame.
//
// Elements: each array item counts one, each map entry two (key and value), the outermost value none. Depth counts
// containers, empty ones too: `1` has depth 0, `[]` depth 1, `[[]]` depth 2.
// A header is refused unless all outstanding values of it and its enclosing containers fit into the remaining bytes at one
// byte each. Therefore a count without content allocates nothing.
//
// Of duplicate keys the last one wins. This is harmless in a payload; a reader that interprets keys (an envelope) must expect
// it. `constructor` and `prototype` are ordinary keys of a payload.
// Beyond the rules of the format it refuses keys that are not text, `__proto__`, and timestamps that a Date cannot hold.
// An absent value, the three bytes d4 00 00, is `undefined`. It is refused everywhere but at the payload's position.
import { type MessageLimits, nestingMax } from "./message-limits.ts"

/** Result of decoding. The reason is a fixed text without the peer's bytes. */
export type Unpacked =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false
      readonly code: "message_too_large" | "message_malformed"
      readonly reason: string
    }

const reasons = {
  truncated: "the message ends before its value does",
  trailing: "bytes follow the value",
  tooDeep: "containers are nested deeper than maxDepth",
  tooManyElements: "the value has more elements than maxElements",
  unusedByte: "the byte 0xc1 is not MessagePack",
  unsafeInteger: "an integer is outside -(2^53 - 1) to 2^53 - 1",
  illFormedText: "a string is not well-formed UTF-8",
  foreignExtension: "only the extension type -1 (timestamp) is allowed",
  badTimestamp: "a timestamp is not one that a Date can hold",
  badKeyType: "a map key has a type that is not allowed",
  longKey: "a map key has more bytes than maxKeyBytes",
  protoKey: "the map key __proto__ is not allowed",
} as const

/** Length up to which a loop is faster than the platform's decoder, measured on Node 20. */
const shortTextBytes = 32
/** Size of the key cache; a power of two. */
const keyPlaces = 256
const maxNanoseconds = 999_999_999
// ECMA-262, "Time Values and Time Range".
const maxDateMs = 8.64e15
const noBytes = new Uint8Array(0)

/** Global of browsers, Node and Bun. This package has the types of none of them. */
declare class TextDecoder {
  constructor(encoding: "utf-8", options: { readonly fatal: boolean; readonly ignoreBOM: boolean })
  decode(bytes: Uint8Array): string
}

/**
 * Reads one message after another. A byte after the end reads as 0, and the position advances. The next read, or the check at
 * the end of the message, reports the truncation.
 */
export class Unpacker {
  readonly #limits: MessageLimits
  readonly #maxDepth: number
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
  /** Cache of key strings by a hash of their bytes. Keys repeat, and the engine looks up an interned string faster. */
  readonly #keys: string[] = Array.from({ length: keyPlaces }, () => "")
  readonly #float = new DataView(new ArrayBuffer(8))
  #bytes: Uint8Array = noBytes
  #at = 0
  #end = 0
  #elements = 0
  #absentCount = 0
  #fault: keyof typeof reasons | undefined

  constructor(limits: MessageLimits) {
    this.#limits = limits
    this.#maxDepth = Math.min(limits.maxDepth, nestingMax)
  }

  /**
   * Reads `bytes[start..]`, which must be exactly one value. Binaries are views of `bytes`. The code is `message_too_large` if
   * `bytes` is longer than `limits.maxBytes`, otherwise `message_malformed`. Never throws.
   * @param payloadAt index of the one item of the outermost array that may be absent; undefined: none may.
   */
  unpack(bytes: Uint8Array, start: number, payloadAt?: number): Unpacked {
    if (bytes.length > this.#limits.maxBytes) {
      return { ok: false, code: "message_too_large", reason: "the message has more bytes than maxBytes" }
    }
    this.#bytes = bytes
    this.#at = start
    this.#end = bytes.length
    const value = this.#value(0, 0)
    if (this.#at !== this.#end) this.#refuse(this.#at > this.#end ? "truncated" : "trailing")
    if (this.#absentCount > 0 && !(this.#absentCount === 1 && isAbsent(value, payloadAt)))
      this.#refuse("foreignExtension")
    const fault = this.#fault
    this.#absentCount = 0
    this.#bytes = noBytes
    this.#elements = 0
    this.#fault = undefined
    return fault === undefined
      ? { ok: true, value }
      : { ok: false, code: "message_malformed", reason: reasons[fault] }
  }

  /** Records the first fault. Loops stop at it. */
  #refuse(fault: keyof typeof reasons): undefined {
    this.#fault ??= fault
  }

  /** @param depth enclosing containers. @param owed values of enclosing containers that must follow. */
  #value(depth: number, owed: number): unknown {
    if (this.#at >= this.#end) return this.#refuse("truncated")
    const head = this.#uint8()
    if (head < 0x80) return head
    if (head < 0x90) return this.#map(head & 0x0f, depth, owed)
    if (head < 0xa0) return this.#array(head & 0x0f, depth, owed)
    if (head < 0xc0) return this.#text(head & 0x1f)
    if (head >= 0xe0) return head - 0x100
    switch (head) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#binary(this.#length(head - 0xc4))
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.#extension(this.#length(head - 0xc7))
      case 0xca:
        return this.#float32()
      case 0xcb:
        return this.#float64()
      case 0xcc:
        return this.#uint8()
      case 0xcd:
        return this.#uint16()
      case 0xce:
        return this.#uint32()
      case 0xcf:
        return this.#safe(this.#uint32() * 0x1_0000_0000 + this.#uint32())
      case 0xd0:
        return (this.#uint8() << 24) >> 24
      case 0xd1:
        return (this.#uint16() << 16) >> 16
      case 0xd2:
        return this.#uint32() | 0
      case 0xd3:
        return this.#safe(this.#int64())
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#length(head - 0xd9))
      case 0xdc:
      case 0xdd:
        return this.#array(this.#length(head - 0xdb), depth, owed)
      case 0xde:
      case 0xdf:
        return this.#map(this.#length(head - 0xdd), depth, owed)
      case 0xc1:
        return this.#refuse("unusedByte")
      default: // fixext 1 to 16: 0xd4 to 0xd8
        return head === 0xd4 && this.#isAbsent() ? undefined : this.#extension(1 << (head - 0xd4))
    }
  }

  #float32(): number {
    this.#float.setUint32(0, this.#uint32())
    return this.#float.getFloat32(0)
  }

  #float64(): number {
    this.#float.setUint32(0, this.#uint32())
    this.#float.setUint32(4, this.#uint32())
    return this.#float.getFloat64(0)
  }

  #array(count: number, depth: number, owed: number): unknown {
    if (!this.#mayEnter(count, depth, owed)) return undefined
    const items: unknown[] = []
    for (let left = count - 1; left >= 0 && this.#fault === undefined; left -= 1) {
      items.push(this.#value(depth + 1, owed + left))
    }
    return items
  }

  #map(count: number, depth: number, owed: number): unknown {
    if (!this.#mayEnter(2 * count, depth, owed)) return undefined
    const map: Record<string, unknown> = {}
    for (let left = count - 1; left >= 0; left -= 1) {
      const key = this.#key()
      if (key === undefined || this.#fault !== undefined) break
      map[key] = this.#value(depth + 1, owed + 2 * left)
    }
    return map
  }

  /** Returns true if a container with this number of direct elements may be read. */
  #mayEnter(elements: number, depth: number, owed: number): boolean {
    this.#elements += elements
    if (depth >= this.#maxDepth) this.#refuse("tooDeep")
    else if (this.#elements > this.#limits.maxElements) this.#refuse("tooManyElements")
    else if (elements + owed > this.#end - this.#at) this.#refuse("truncated")
    return this.#fault === undefined
  }

  #key(): string | undefined {
    if (this.#at >= this.#end) return this.#refuse("truncated")
    const head = this.#uint8()
    let length = head & 0x1f
    if (head >= 0xd9 && head <= 0xdb) length = this.#length(head - 0xd9)
    else if (head < 0xa0 || head > 0xbf) return this.#refuse("badKeyType")
    if (length > this.#limits.maxKeyBytes) return this.#refuse("longKey")
    const key = length <= shortTextBytes ? this.#knownKey(length) : this.#text(length)
    return key === "__proto__" ? this.#refuse("protoKey") : key
  }

  #knownKey(length: number): string | undefined {
    const from = this.#at
    const end = from + length
    if (end > this.#end) return this.#refuse("truncated")
    let hash = length
    for (let at = from; at < end; at += 1) hash = (hash * 31 + (this.#bytes[at] ?? 0)) | 0
    const place = hash & (keyPlaces - 1)
    const known = this.#keys[place] ?? ""
    if (known.length === length && this.#isNext(known)) {
      this.#at = end
      return known
    }
    const key = this.#text(length)
    // With as many characters as bytes it is ASCII, which `#isNext` can compare.
    if (key?.length === length) this.#keys[place] = key
    return key
  }

  #isNext(ascii: string): boolean {
    for (let index = 0; index < ascii.length; index += 1) {
      if (ascii.charCodeAt(index) !== this.#bytes[this.#at + index]) return false
    }
    return true
  }

  #text(length: number): string | undefined {
    const from = this.#at
    const end = from + length
    if (end > this.#end) return this.#refuse("truncated")
    this.#at = end
    if (length <= shortTextBytes) {
      const text = this.#ascii(from, end)
      if (text !== undefined) return text
    }
    try {
      return this.#decoder.decode(this.#bytes.subarray(from, end))
    } catch {
      return this.#refuse("illFormedText")
    }
  }

  /** Returns the text; undefined if it is not ASCII. */
  #ascii(from: number, end: number): string | undefined {
    const units: number[] = []
    for (let at = from; at < end; at += 1) {
      const unit = this.#bytes[at] ?? 0
      if (unit > 0x7f) return undefined
      units.push(unit)
    }
    return String.fromCharCode.apply(undefined, units)
  }

  #binary(length: number): Uint8Array | undefined {
    const from = this.#at
    this.#at += length
    return this.#at > this.#end ? this.#refuse("truncated") : this.#bytes.subarray(from, this.#at)
  }

  /** Reads the rest of an absent value. Returns false, and reads nothing, for any other extension. */
  #isAbsent(): boolean {
    const at = this.#at
    if (at + 2 > this.#end || this.#bytes[at] !== 0 || this.#bytes[at + 1] !== 0) return false
    this.#at += 2
    this.#absentCount += 1
    return true
  }

  /** Reads a timestamp, with any form of header. Refuses every other extension. */
  #extension(length: number): Date | undefined {
    const type = this.#uint8()
    const end = this.#at + length
    if (end > this.#end) return this.#refuse("truncated")
    if (type !== 0xff) return this.#refuse("foreignExtension")
    if (length === 4) return new Date(this.#uint32() * 1e3)
    if (length !== 8 && length !== 12) return this.#refuse("badTimestamp")
    const word = this.#uint32()
    const nanoseconds = length === 8 ? word >>> 2 : word
    const seconds = length === 8 ? (word & 3) * 0x1_0000_0000 + this.#uint32() : this.#int64()
    const ms = seconds * 1e3 + nanoseconds / 1e6
    return nanoseconds > maxNanoseconds || Math.abs(ms) > maxDateMs
      ? this.#refuse("badTimestamp")
      : new Date(ms)
  }

  /** Refuses a 64-bit integer that a number cannot represent exactly. */
  #safe(integer: number): number | undefined {
    return Number.isSafeInteger(integer) || this.#at > this.#end ? integer : this.#refuse("unsafeInteger")
  }

  /** Reads a length of 8, 16 or 32 bits. */
  #length(form: number): number {
    if (form === 0) return this.#uint8()
    return form === 1 ? this.#uint16() : this.#uint32()
  }

  #uint8(): number {
    return this.#bytes[this.#at++] ?? 0
  }

  #uint16(): number {
    return (this.#uint8() << 8) | this.#uint8()
  }

  #uint32(): number {
    return this.#uint16() * 0x10000 + this.#uint16()
  }

  #int64(): number {
    return (this.#uint32() | 0) * 0x1_0000_0000 + this.#uint32()
  }
}

/** Without a fault, only the absent value is `undefined`. */
function isAbsent(value: unknown, payloadAt: number | undefined): boolean {
  if (payloadAt === undefined || !Array.isArray(value) || payloadAt >= value.length) return false
  const items: readonly unknown[] = value
  return items[payloadAt] === undefined
}
