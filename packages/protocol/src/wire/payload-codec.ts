// Values ↔ MessagePack, behind the guard. Knows no frames and no envelopes.
import { Decoder, Encoder } from "@msgpack/msgpack"
import type { WireError } from "./frame.ts"
import { guardMessagePack } from "./guard.ts"
import type { MessageLimits } from "../limits.ts"

/**
 * A payload whose bytes are computed once and shared by every message that carries it: large, immutable
 * content such as a map chunk. Never change `value` afterwards. Made by `encodeOnce` and its relatives.
 */
export class Encoded<T> {
  readonly value: T
  readonly #parts: readonly unknown[] | undefined
  readonly #header: Uint8Array | undefined
  #encoding: Encoding | undefined

  /** @param parts for a composed value: its members in order, each encoded by itself. */
  constructor(value: T, header?: Uint8Array, parts?: readonly unknown[]) {
    this.value = value
    this.#header = header
    this.#parts = parts
  }

  /** The value's MessagePack, computed at the first call. */
  encoding(encode: (value: unknown) => Uint8Array): Encoding {
    this.#encoding ??=
      this.#parts === undefined || this.#header === undefined
        ? encodingOf(this.value, encode)
        : joined(
            this.#header,
            this.#parts.map((part) => encodingOf(part, encode)),
          )
    return this.#encoding
  }
}

interface Encoding {
  readonly bytes: Uint8Array
  /** Containers inside each other, as the guard counts them. */
  readonly depth: number
}

/** A value or its shared encoding: what every sending method accepts. */
export type Encodable<T> = T | Encoded<T>

function isEncoded(part: unknown): boolean {
  return part instanceof Encoded
}

/** Marks a payload to be encoded once, however many messages carry it. */
export function encodeOnce<T>(value: T): Encoded<T> {
  return new Encoded(value)
}

/** An array whose items keep their shared encodings. */
export function encodedArray<T>(items: readonly Encodable<T>[]): Encoded<T[]> {
  return new Encoded(items.map(plain), lengthHeader(0x90, 0xdc, items.length), items)
}

/** A map whose members keep their shared encodings; member order is kept, undefined members are left out. */
export function encodedMap<T extends object>(members: { [K in keyof T]: Encodable<T[K]> }): Encoded<T>
export function encodedMap(members: Record<string, unknown>): Encoded<Record<string, unknown>> {
  const entries = Object.entries(members).filter(([, member]) => member !== undefined)
  const value = Object.fromEntries(entries.map(([key, member]) => [key, plain(member)]))
  return new Encoded(value, lengthHeader(0x80, 0xde, entries.length), entries.flat())
}

/** The value itself, whether or not its encoding is shared. */
export function plain<T>(value: Encodable<T>): T {
  return value instanceof Encoded ? value.value : value
}

function encodingOf(value: unknown, encode: (value: unknown) => Uint8Array): Encoding {
  if (value instanceof Encoded) return value.encoding(encode)
  const bytes = encode(value)
  return { bytes, depth: depthOf(value, Infinity) }
}

/** A container of the parts. */
function joined(header: Uint8Array, parts: readonly Encoding[]): Encoding {
  return {
    bytes: concatenate([header, ...parts.map(({ bytes }) => bytes)]),
    depth: 1 + parts.reduce((deepest, { depth }) => Math.max(deepest, depth), 0),
  }
}

/** A plain map: what decodes from one, and what is encoded as one. Neither a list nor a binary nor a timestamp. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value) &&
    !(value instanceof Date)
  )
}

/** Containers inside each other. Looks no deeper than one more than `most`, for a value may hold itself. */
function depthOf(value: unknown, most: number): number {
  if (!Array.isArray(value) && !isMap(value)) return 0
  const members: readonly unknown[] = Array.isArray(value) ? value : Object.values(value)
  let depth = 1
  for (const member of members) {
    if (depth > most) break
    depth = Math.max(depth, 1 + depthOf(member, most - 1))
  }
  return depth
}

/**
 * A lone surrogate shows as 0xed, 0xa0–0xbf, 0x80–0xbf. Other data may too, which costs a second encoding and nothing else;
 * looking for it costs about 30 ns a message, less than a look at every string.
 */
function mayHoldSurrogate(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(0xed); at !== -1; at = bytes.indexOf(0xed, at + 1)) {
    if (((bytes[at + 1] ?? 0) & 0xe0) === 0xa0 && ((bytes[at + 2] ?? 0) & 0xc0) === 0x80) return true
  }
  return false
}

/** The same value with U+FFFD for every lone surrogate. The encoder has accepted the value, so its depth is bounded. */
function wellFormed(value: unknown): unknown {
  if (typeof value === "string") return value.replace(/\p{Surrogate}/gu, "\ufffd")
  if (Array.isArray(value)) return value.map(wellFormed)
  if (!isMap(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [wellFormed(key), wellFormed(member)]),
  )
}

/**
 * Encodes what the guard of a peer with the same limit takes; better the sender learns it. The result is the encoder's
 * own buffer, to be copied before the next call.
 */
function createEncode(maxDepth: number): (value: unknown) => Uint8Array {
  const encoder = new Encoder({ ignoreUndefined: true, maxDepth })
  const encode = (value: unknown): Uint8Array => {
    try {
      return encoder.encodeSharedRef(value)
    } catch {
      // The library counts what stands in the innermost container as one level more; the guard counts containers.
      if (depthOf(value, maxDepth) > maxDepth) throw tooDeep(maxDepth)
      return new Encoder({ ignoreUndefined: true, maxDepth: maxDepth + 1 }).encodeSharedRef(value)
    }
  }
  return (value) => {
    const bytes = encode(value)
    return mayHoldSurrogate(bytes) ? encode(wellFormed(value)) : bytes
  }
}

function tooDeep(maxDepth: number): RangeError {
  const most = `a message holds at most ${maxDepth} containers inside each other, its own array or map included`
  return new RangeError(`nested too deep: ${most}`)
}

/** Whether U+FEFF (0xef, 0xbb, 0xbf) may be in it. Bytes are looked at one by one only from the first 0xef on. */
function mayHoldMark(bytes: Uint8Array): boolean {
  const first = bytes.indexOf(0xef)
  if (first === -1) return false
  for (let at = first; at + 2 < bytes.length; at += 1) {
    if (bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf) return true
  }
  return false
}

/**
 * The library reads long text with a `TextDecoder` that drops a byte order mark at its beginning, and has no option for
 * it. `raw` is the same value with bytes for text (but not for keys, which are short): they tell how many there were.
 * Changes the containers of `value`, which nobody else has seen yet.
 */
function withMarks(value: unknown, raw: unknown): unknown {
  if (typeof value === "string") {
    const marks = raw instanceof Uint8Array ? countMarks(raw) : 0
    return marks === 0 ? value : "\ufeff".repeat(marks) + value.replace(/^\ufeff+/, "")
  }
  if (Array.isArray(value) && Array.isArray(raw)) {
    const [items, raws]: [unknown[], readonly unknown[]] = [value, raw]
    for (const [index, item] of items.entries()) items[index] = withMarks(item, raws[index])
  } else if (isMap(value) && isMap(raw)) {
    for (const [key, member] of Object.entries(value)) value[key] = withMarks(member, raw[key])
  }
  return value
}

function countMarks(text: Uint8Array): number {
  let at = 0
  while (text[at] === 0xef && text[at + 1] === 0xbb && text[at + 2] === 0xbf) at += 3
  return at / 3
}

/** The header of an array (0x90, 0xdc) or map (0x80, 0xde): `short` for ≤ 15 members, else 16 or 32 bits. */
export function lengthHeader(short: number, wide: number, length: number): Uint8Array {
  if (length < 16) return Uint8Array.of(short | length)
  if (length < 0x10000) return Uint8Array.of(wide, length >>> 8, length & 0xff)
  return Uint8Array.of(wide + 1, length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff)
}

export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const joined = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

type Decoded =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: WireError }

export interface PayloadCodec {
  /**
   * Integers above 2³² leave as uint64, undefined members of maps are left out, and half a surrogate pair (an emoji
   * cut by `slice`) leaves as U+FFFD: ill-formed text would be refused by the peer's guard. All three ways to encode
   * throw a RangeError for what is nested deeper than that guard takes, by `limits.maxDepth`.
   */
  encode(value: unknown): Uint8Array
  /** One byte, then an array of the parts; parts may be shared encodings. */
  encodeFrame(firstByte: number, parts: readonly unknown[]): Uint8Array
  /** A map in the order of its members, which may be shared encodings. */
  encodeMap(members: Readonly<Record<string, unknown>>): Uint8Array
  /** Guards, then decodes bytes[start..] as exactly one value. Never throws. */
  decode(bytes: Uint8Array, start: number): Decoded
}

export function createPayloadCodec(limits: MessageLimits): PayloadCodec {
  const { maxDepth } = limits
  const decoder = new Decoder()
  const rawDecoder = new Decoder({ rawStrings: true })
  const encodeShared = createEncode(maxDepth)
  const encode = (value: unknown): Uint8Array => encodeShared(value).slice()
  const join = (header: Uint8Array, parts: readonly unknown[]): Uint8Array => {
    const { bytes, depth } = joined(
      header,
      parts.map((part) => encodingOf(part, encode)),
    )
    if (depth > maxDepth) throw tooDeep(maxDepth)
    return bytes
  }
  const decode = (bytes: Uint8Array): unknown => {
    const value = decoder.decode(bytes)
    return mayHoldMark(bytes) ? withMarks(value, rawDecoder.decode(bytes)) : value
  }

  return {
    encode,
    encodeFrame(firstByte, parts) {
      const body = parts.some(isEncoded)
        ? join(lengthHeader(0x90, 0xdc, parts.length), parts)
        : encodeShared(parts)
      const frame = new Uint8Array(body.length + 1)
      frame[0] = firstByte
      frame.set(body, 1)
      return frame
    },
    encodeMap(members) {
      const entries = Object.entries(members)
      return entries.some(([, member]) => member instanceof Encoded)
        ? join(lengthHeader(0x80, 0xde, entries.length), entries.flat())
        : encode(members)
    },
    decode(bytes, start) {
      const verdict = guardMessagePack(bytes, start, limits)
      if (verdict !== undefined) {
        const code = verdict.code === "message_too_large" ? "message_too_large" : "sys_invalid_message"
        return { ok: false, error: { code, message: verdict.reason, category: "validation" } }
      }
      try {
        return { ok: true, value: decode(start === 0 ? bytes : bytes.subarray(start)) }
      } catch (cause) {
        // The guard accepts nothing that the decoder refuses (a property test); this is the belt to its braces.
        const message = `not MessagePack: ${cause instanceof Error ? cause.message : "unknown"}`
        return { ok: false, error: { code: "sys_invalid_message", message, category: "validation" } }
      }
    },
  }
}
