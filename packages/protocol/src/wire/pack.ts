// Encodes a value as MessagePack, in the shortest form. Enforces every rule that unpack.ts applies at the receiver, in the same
// pass: depth, elements, keys, well-formed text, dates, size. Refuses a value that would arrive as another one. The error
// contains the path in the value. Must not know the meaning of the value or its frame.
import { type MessageLimits, nestingMax } from "./message-limits.ts"
import { Encoded, type Encoding } from "./encoded.ts"
import { ofThisRealm } from "./foreign-objects.ts"
import { countHeadBytes, headMaxBytes, textHeadBytes } from "./head-bytes.ts"
import { isWellFormed } from "../base/sentence.ts"
import { Refusal, refused, unsendableOf } from "./unsendable.ts"

const scratchBytes = 1024
/** Size up to which the scratch buffer is retained. A larger one is released after the message that needed it. */
const keptBytes = 64 * 1024
/** Length up to which a loop is faster than the platform's encoder, measured on Node 20. */
const shortText = 40
/** An absent payload (W24). Only parts of a frame may be absent. */
const absent = Uint8Array.of(0xd4, 0, 0)
/** Marks a value without a first byte. */
const noFrame = -1
const atOnce = { around: 0, hiddenSteps: 0 }

/** Global of browsers, Node and Bun. This package has the types of none of them. */
declare class TextEncoder {
  encodeInto(text: string, into: Uint8Array): { readonly written: number }
}

/**
 * Writes values into one scratch buffer, and copies each complete encoding. A getter of a value may pack another value, which
 * is written after the current position and removed when it is complete.
 */
export class Packer {
  readonly #limits: MessageLimits
  readonly #maxDepth: number
  readonly #encoder = new TextEncoder()
  readonly #encode = (value: unknown): Encoding => {
    if (value === undefined) throw refused.hole()
    return this.#encoding(value, noFrame, 0)
  }
  #bytes = new Uint8Array(scratchBytes)
  #view = new DataView(this.#bytes.buffer)
  #at = 0
  /** State of the current encoding: start, deepest container, elements, longest key. */
  #start = 0
  #deepest = 0
  #elements = 0
  #longestKeyBytes = 0

  /** @param limits limits of the receiver. */
  constructor(limits: MessageLimits) {
    this.#limits = limits
    this.#maxDepth = Math.min(limits.maxDepth, nestingMax)
  }

  /**
   * Returns the bytes. A number that is not an integer within 53 bits is a float; `undefined` members of maps are omitted. An
   * object is a map of its own enumerable members. `Date`s are timestamps, `ArrayBuffer`s and their byte views binaries.
   * @param hiddenSteps number of leading steps of an error's path that are not part of the application's value.
   * @throws UnsendableError `message_too_large` for more than `limits.maxBytes`, `invalid_input` for any other value that the
   * receiver would refuse or misread.
   */
  pack(value: unknown, hiddenSteps = 0): Uint8Array {
    return this.#whole(value, noFrame, { around: 0, hiddenSteps }).bytes
  }

  /** Returns one byte and an array of the parts; an `undefined` part is absent (W24). Paths of errors begin inside a part. */
  packFrame(firstByte: number, parts: readonly unknown[]): Uint8Array {
    return this.#whole(parts, firstByte, atOnce).bytes
  }

  /** Encodes a part of a later message, and checks it as if it had `around` containers around it. */
  hold(value: unknown, around: number): Encoding {
    return this.#whole(value, noFrame, { around, hiddenSteps: 0 })
  }

  #whole(
    value: unknown,
    firstByte: number,
    { around, hiddenSteps }: { readonly around: number; readonly hiddenSteps: number },
  ): Encoding {
    try {
      return this.#encoding(value, firstByte, around)
    } catch (thrown) {
      throw unsendableOf(thrown, hiddenSteps)
    }
  }

  #encoding(value: unknown, firstByte: number, around: number): Encoding {
    const from = this.#at
    const outerStart = this.#start
    const outerDeepest = this.#deepest
    const outerElements = this.#elements
    const outerLongest = this.#longestKeyBytes
    this.#start = from
    this.#deepest = around
    this.#elements = 0
    this.#longestKeyBytes = 0
    try {
      if (firstByte === noFrame) this.#value(value, around)
      else this.#frame(firstByte, value)
      this.#assertSize(this.#at - from)
      return {
        bytes: this.#bytes.slice(from, this.#at),
        depth: this.#deepest - around,
        elements: this.#elements,
        longestKeyBytes: this.#longestKeyBytes,
      }
    } finally {
      this.#at = from
      this.#start = outerStart
      this.#deepest = outerDeepest
      this.#elements = outerElements
      this.#longestKeyBytes = outerLongest
      if (from === 0 && this.#bytes.length > keptBytes) this.#resize(scratchBytes)
    }
  }

  #assertSize(bytes: number): void {
    if (bytes > this.#limits.maxBytes) throw refused.size(bytes, this.#limits.maxBytes)
  }

  /** @param depth number of enclosing containers. */
  #value(value: unknown, depth: number): void {
    switch (typeof value) {
      case "number":
        return this.#number(value)
      case "string":
        return void this.#text(value)
      case "boolean":
        return this.#byte(value ? 0xc3 : 0xc2)
      case "undefined":
        return this.#copy(absent)
      case "object":
        return value === null ? this.#byte(0xc0) : this.#object(value, depth)
      case "bigint":
      case "function":
      case "symbol":
        throw refused.type(typeof value)
    }
  }

  #object(value: object, depth: number): void {
    if (Array.isArray(value)) return this.#array(value, depth + 1)
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype === Object.prototype || prototype === null) return this.#map(value, depth + 1)
    if (value instanceof Encoded) return this.#shared(value.encoding(this.#encode), depth)
    if (value instanceof Date) return this.#date(value.getTime())
    if (value instanceof Uint8Array) return this.#binary(value)
    const known = ofThisRealm(value, prototype)
    return known === value ? this.#map(value, depth + 1) : this.#object(known, depth)
  }

  /** Writes the array of parts. It is not part of the application's value: paths begin inside a part, and one may be absent. */
  #frame(firstByte: number, parts: unknown): void {
    if (!Array.isArray(parts)) throw new TypeError("the parts of a frame must be an array")
    this.#byte(firstByte)
    this.#entered(1)
    this.#addElements(parts.length)
    this.#reserve(headMaxBytes)
    this.#count(parts.length, 0x90, 0xdc)
    for (const part of parts) this.#value(part, 1)
  }

  #entered(depth: number): void {
    if (depth > this.#maxDepth) throw refused.depth(this.#maxDepth)
    if (depth > this.#deepest) this.#deepest = depth
  }

  #addElements(count: number): void {
    this.#elements += count
    if (this.#elements > this.#limits.maxElements) throw refused.elements(this.#limits.maxElements)
  }

  #array(items: readonly unknown[], depth: number): void {
    const count = items.length
    this.#entered(depth)
    this.#addElements(count)
    this.#reserve(headMaxBytes)
    this.#count(count, 0x90, 0xdc)
    let index = 0
    try {
      for (; index < count; index += 1) {
        const item = items[index]
        if (item === undefined) throw refused.hole()
        this.#value(item, depth)
      }
    } catch (thrown) {
      throw Refusal.at(index, thrown)
    }
  }

  #map(map: object, depth: number): void
  #map(map: Readonly<Record<string, unknown>>, depth: number): void {
    const keys = Object.keys(map)
    this.#entered(depth)
    this.#reserve(headMaxBytes)
    const start = this.#at
    const from = start + countHeadBytes(keys.length)
    this.#at = from
    let count = 0
    let key = ""
    try {
      for (key of keys) {
        const member = map[key]
        if (member === undefined) continue
        this.#key(key)
        this.#value(member, depth)
        count += 1
      }
    } catch (thrown) {
      throw Refusal.at(key, thrown)
    }
    this.#addElements(2 * count)
    const end = this.#moved(from, start + countHeadBytes(count))
    this.#at = start
    this.#count(count, 0x80, 0xde)
    this.#at = end
  }

  #key(key: string): void {
    if (key === "__proto__") throw refused.proto()
    this.#longest(this.#text(key))
  }

  #longest(keyBytes: number): void {
    if (keyBytes <= this.#longestKeyBytes) return
    const { maxKeyBytes } = this.#limits
    if (keyBytes > maxKeyBytes) throw refused.key(keyBytes, maxKeyBytes)
    this.#longestKeyBytes = keyBytes
  }

  #shared(encoding: Encoding, depth: number): void {
    if (encoding.depth > 0) this.#entered(depth + encoding.depth)
    this.#addElements(encoding.elements)
    this.#longest(encoding.longestKeyBytes)
    this.#copy(encoding.bytes)
  }

  /** Writes a text. Returns the length of its UTF-8 in bytes. */
  #text(text: string): number {
    const length = text.length
    if (length > shortText) this.#assertSize(length)
    this.#reserve(headMaxBytes + 3 * length)
    const start = this.#at
    // The position of an ASCII text.
    const from = start + textHeadBytes(length)
    this.#at = from
    if (!this.#isAscii(text)) {
      this.#at += this.#encoder.encodeInto(text, this.#bytes.subarray(from)).written
      if (this.#at - from > length && !isWellFormed(text)) throw refused.halfPair()
    }
    const size = this.#at - from
    const end = this.#moved(from, start + textHeadBytes(size))
    this.#at = start
    if (size < 32) this.#uint8(0xa0 | size)
    else this.#sized(0xd9, size)
    this.#at = end
    return size
  }

  /** Writes a short ASCII text. Returns false for any other text; the position then stays. */
  #isAscii(text: string): boolean {
    const length = text.length
    if (length > shortText) return false
    const bytes = this.#bytes
    const at = this.#at
    for (let index = 0; index < length; index += 1) {
      const unit = text.charCodeAt(index)
      if (unit > 0x7f) return false
      bytes[at + index] = unit
    }
    this.#at += length
    return true
  }

  #binary(bytes: Uint8Array): void {
    this.#assertSize(bytes.length)
    this.#reserve(headMaxBytes)
    this.#sized(0xc4, bytes.length)
    this.#copy(bytes)
  }

  /** Writes a timestamp of 4, 8 or 12 bytes, the shortest that can represent it. */
  #date(ms: number): void {
    if (Number.isNaN(ms)) throw refused.date()
    this.#reserve(15)
    const seconds = Math.floor(ms / 1e3)
    const nanoseconds = (ms - seconds * 1e3) * 1e6
    if (!(seconds >= 0 && seconds < 2 ** 34)) {
      this.#uint8(0xc7)
      this.#uint16(0x0cff)
      this.#uint32(nanoseconds)
      this.#int64(seconds)
    } else if (nanoseconds === 0 && seconds < 2 ** 32) {
      this.#uint16(0xd6ff)
      this.#uint32(seconds)
    } else {
      this.#uint16(0xd7ff)
      this.#uint32(nanoseconds * 4 + Math.floor(seconds / 2 ** 32))
      this.#uint32(seconds)
    }
  }

  #number(value: number): void {
    this.#reserve(9)
    if (!Number.isSafeInteger(value)) {
      this.#uint8(0xcb)
      this.#view.setFloat64(this.#at, value)
      this.#at += 8
    } else if (value >= -0x20 && value < 0x80) {
      this.#uint8(value)
    } else if (value >= 0 && value < 2 ** 32) {
      this.#sized(0xcc, value)
    } else if (value >= -0x80 && value < 0) {
      this.#uint16(0xd000 | (value & 0xff))
    } else if (value >= -0x8000 && value < 0) {
      this.#uint8(0xd1)
      this.#uint16(value)
    } else if (value >= -(2 ** 31) && value < 0) {
      this.#uint8(0xd2)
      this.#uint32(value)
    } else {
      this.#uint8(value < 0 ? 0xd3 : 0xcf)
      this.#int64(value)
    }
  }

  #byte(byte: number): void {
    this.#reserve(1)
    this.#uint8(byte)
  }

  #copy(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  /** Writes the head of an array or map. */
  #count(count: number, short: number, wide: number): void {
    if (count < 16) return this.#uint8(short | count)
    this.#uint8(count < 0x10000 ? wide : wide + 1)
    if (count < 0x10000) this.#uint16(count)
    else this.#uint32(count)
  }

  /** Writes a number of 8, 16 or 32 bits after the byte for its size: `head`, `head + 1` or `head + 2`. */
  #sized(head: number, size: number): void {
    if (size < 0x100) {
      this.#uint8(head)
      this.#uint8(size)
    } else if (size < 0x10000) {
      this.#uint8(head + 1)
      this.#uint16(size)
    } else {
      this.#uint8(head + 2)
      this.#uint32(size)
    }
  }

  // These four require reserved space. They write the low bits of a number that is too large or negative.

  #uint8(value: number): void {
    this.#bytes[this.#at++] = value
  }

  #uint16(value: number): void {
    this.#bytes[this.#at++] = value >>> 8
    this.#bytes[this.#at++] = value
  }

  #uint32(value: number): void {
    this.#uint16(value >>> 16)
    this.#uint16(value)
  }

  #int64(value: number): void {
    this.#uint32(Math.floor(value / 2 ** 32))
    this.#uint32(value)
  }

  /** Moves the bytes that were written last, and returns their new end. */
  #moved(from: number, to: number): number {
    if (from !== to) this.#bytes.copyWithin(to, from, this.#at)
    return to + this.#at - from
  }

  #reserve(size: number): void {
    const needed = this.#at + size
    if (needed <= this.#bytes.length) return
    this.#assertSize(this.#at - this.#start)
    this.#resize(Math.max(needed, 2 * this.#bytes.length))
  }

  #resize(size: number): void {
    const bytes = new Uint8Array(size)
    bytes.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
  }
}
