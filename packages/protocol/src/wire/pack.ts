// A value → MessagePack, in the shortest form. Refuses what a peer with the same limits would refuse for its depth;
// better the sender learns it. Must not know what the value means or which frame carries it.
import { nestingMax } from "../limits.ts"
import { Encoded, type Encoding } from "./encoded.ts"

const scratchBytes = 1024
/** A larger scratch buffer is let go of after the message that needed it. */
const keptBytes = 64 * 1024
const headMaxBytes = 5
/** Up to here a loop beats the platform's encoder, as measured on Node 20. */
const shortText = 40

/** Of the platform, in browsers, Node and Bun alike; this package has no types of any of them. */
declare class TextEncoder {
  encodeInto(text: string, into: Uint8Array): { readonly written: number }
}

/**
 * Writes values into one scratch buffer, and copies each out when it is whole. Getters of a value may pack others: these
 * come behind what is written so far and are gone from the buffer when they are done.
 */
export class Packer {
  readonly #maxDepth: number
  readonly #encoder = new TextEncoder()
  readonly #encode = (value: unknown): Encoding => this.#encoding(value)
  #bytes = new Uint8Array(scratchBytes)
  #view = new DataView(this.#bytes.buffer)
  #at = 0
  /** The deepest container so far. */
  #deepest = 0

  /** @param maxDepth containers inside each other. */
  constructor(maxDepth: number) {
    this.#maxDepth = Math.min(maxDepth, nestingMax)
  }

  /**
   * The value's bytes, behind `firstByte` if there is one. Integers beyond 32 bits leave as 64 bits, undefined members of
   * maps are left out, and other `undefined` leaves as nil. Half a surrogate pair leaves as U+FFFD. An object is a map of
   * its own enumerable members, whatever its class, except `Date` (a timestamp), views of an `ArrayBuffer` (a binary)
   * and `Encoded` (its bytes).
   * @throws RangeError for what is nested too deep, TypeError for a bigint, a function or a symbol.
   */
  pack(value: unknown, firstByte?: number): Uint8Array {
    return this.#encoding(value, firstByte).bytes
  }

  #encoding(value: unknown, firstByte?: number): Encoding {
    const start = this.#at
    const outerDeepest = this.#deepest
    this.#deepest = 0
    try {
      if (firstByte !== undefined) this.#byte(firstByte)
      this.#value(value, 0)
      return { bytes: this.#bytes.slice(start, this.#at), depth: this.#deepest }
    } finally {
      this.#at = start
      this.#deepest = outerDeepest
      if (start === 0 && this.#bytes.length > keptBytes) this.#resize(scratchBytes)
    }
  }

  /** @param depth containers around it. */
  #value(value: unknown, depth: number): void {
    switch (typeof value) {
      case "number":
        return this.#number(value)
      case "string":
        return this.#text(value)
      case "boolean":
        return this.#byte(value ? 0xc3 : 0xc2)
      case "undefined":
        return this.#byte(0xc0)
      case "object":
        return value === null ? this.#byte(0xc0) : this.#object(value, depth)
      case "bigint":
      case "function":
      case "symbol":
        throw new TypeError(`MessagePack cannot hold a ${typeof value}`)
    }
  }

  #object(value: object, depth: number): void {
    if (Array.isArray(value)) this.#array(value, this.#entered(depth + 1))
    else if (value instanceof Encoded) this.#shared(value.encoding(this.#encode), depth)
    else if (value instanceof Date) this.#date(value.getTime())
    else if (ArrayBuffer.isView(value)) this.#binary(value)
    else this.#map(value, this.#entered(depth + 1))
  }

  #entered(depth: number): number {
    if (depth > this.#maxDepth) {
      const most = `a message holds at most ${this.#maxDepth} containers inside each other`
      throw new RangeError(`nested too deep: ${most}, its own array or map included`)
    }
    if (depth > this.#deepest) this.#deepest = depth
    return depth
  }

  #array(items: readonly unknown[], depth: number): void {
    const count = items.length
    this.#reserve(headMaxBytes)
    this.#count(count, 0x90, 0xdc)
    for (let index = 0; index < count; index += 1) this.#value(items[index], depth)
  }

  #map(map: object, depth: number): void
  #map(map: Readonly<Record<string, unknown>>, depth: number): void {
    const keys = Object.keys(map)
    this.#reserve(headMaxBytes)
    const start = this.#at
    const from = start + countHeadBytes(keys.length)
    this.#at = from
    let count = 0
    for (const key of keys) {
      const member = map[key]
      if (member === undefined) continue
      this.#text(key)
      this.#value(member, depth)
      count += 1
    }
    const end = this.#moved(from, start + countHeadBytes(count))
    this.#at = start
    this.#count(count, 0x80, 0xde)
    this.#at = end
  }

  #shared(encoding: Encoding, depth: number): void {
    this.#entered(depth + encoding.depth)
    this.#copy(encoding.bytes)
  }

  #text(text: string): void {
    const length = text.length
    this.#reserve(headMaxBytes + 3 * length)
    const start = this.#at
    // Its place if it is ASCII.
    const from = start + textHeadBytes(length)
    this.#at = from
    if (!this.#isAscii(text)) this.#at += this.#encoder.encodeInto(text, this.#bytes.subarray(from)).written
    const size = this.#at - from
    const end = this.#moved(from, start + textHeadBytes(size))
    this.#at = start
    if (size < 32) this.#uint8(0xa0 | size)
    else this.#sized(0xd9, size)
    this.#at = end
  }

  /** Whether it is short and ASCII, and then it is written. */
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

  #binary({ buffer, byteOffset, byteLength }: ArrayBufferView): void {
    this.#reserve(headMaxBytes)
    this.#sized(0xc4, byteLength)
    this.#copy(new Uint8Array(buffer, byteOffset, byteLength))
  }

  /** A timestamp of 4, 8 or 12 bytes, the first that holds it. An invalid date leaves as the beginning of 1970. */
  #date(ms: number): void {
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

  /** The head of an array or map. */
  #count(count: number, short: number, wide: number): void {
    if (count < 16) return this.#uint8(short | count)
    this.#uint8(count < 0x10000 ? wide : wide + 1)
    if (count < 0x10000) this.#uint16(count)
    else this.#uint32(count)
  }

  /** A number in 8, 16 or 32 bits, behind the byte that says which: `head` or one of the two after it. */
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

  // These four write where room has been reserved. Of a number that is too large or negative the low bits are kept.

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

  /** Moves what was written last, and says where it ends now. */
  #moved(from: number, to: number): number {
    if (from !== to) this.#bytes.copyWithin(to, from, this.#at)
    return to + this.#at - from
  }

  #reserve(size: number): void {
    const needed = this.#at + size
    if (needed > this.#bytes.length) this.#resize(Math.max(needed, 2 * this.#bytes.length))
  }

  #resize(size: number): void {
    const bytes = new Uint8Array(size)
    bytes.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
  }
}

function countHeadBytes(count: number): number {
  if (count < 16) return 1
  return count < 0x10000 ? 3 : 5
}

function textHeadBytes(size: number): number {
  if (size < 32) return 1
  if (size < 0x100) return 2
  return size < 0x10000 ? 3 : 5
}
