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
  #bytes: Uint8Array | undefined

  /** @param parts for a composed value: its members in order, each encoded by itself. */
  constructor(value: T, header?: Uint8Array, parts?: readonly unknown[]) {
    this.value = value
    this.#header = header
    this.#parts = parts
  }

  /** The value's MessagePack, computed at the first call. */
  bytes(encode: (value: unknown) => Uint8Array): Uint8Array {
    this.#bytes ??=
      this.#parts === undefined || this.#header === undefined
        ? encode(this.value)
        : concatenate([this.#header, ...this.#parts.map((part) => bytesOf(part, encode))])
    return this.#bytes
  }
}

/** A value or its shared encoding: what every sending method accepts. */
export type Encodable<T> = T | Encoded<T>

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

function bytesOf(value: unknown, encode: (value: unknown) => Uint8Array): Uint8Array {
  return value instanceof Encoded ? value.bytes(encode) : encode(value)
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
  if (typeof value !== "object" || value === null || value instanceof Date || ArrayBuffer.isView(value))
    return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [wellFormed(key), wellFormed(member)]),
  )
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
   * cut by `slice`) leaves as U+FFFD: ill-formed text would be refused by the peer's guard.
   */
  encode(value: unknown): Uint8Array
  /** One byte, then an array of the parts; parts may be shared encodings. */
  encodeFrame(firstByte: number, parts: readonly unknown[]): Uint8Array
  /** A map in the given order; members may be shared encodings. */
  encodeMap(members: readonly (readonly [string, unknown])[]): Uint8Array
  /** Guards, then decodes bytes[start..] as exactly one value. Never throws. */
  decode(bytes: Uint8Array, start: number): Decoded
}

export function createPayloadCodec(limits: MessageLimits): PayloadCodec {
  // The peer's guard would refuse a deeper value; better the sender learns it.
  const encoder = new Encoder({ ignoreUndefined: true, maxDepth: limits.maxDepth })
  const decoder = new Decoder()
  const encode = (value: unknown): Uint8Array => {
    const bytes = encoder.encode(value)
    return mayHoldSurrogate(bytes) ? encoder.encode(wellFormed(value)) : bytes
  }

  return {
    encode,
    encodeFrame(firstByte, parts) {
      if (parts.some((part) => part instanceof Encoded)) {
        const header = lengthHeader(0x90, 0xdc, parts.length)
        return concatenate([Uint8Array.of(firstByte), header, ...parts.map((part) => bytesOf(part, encode))])
      }
      const shared = encoder.encodeSharedRef(parts)
      const body = mayHoldSurrogate(shared) ? encoder.encodeSharedRef(wellFormed(parts)) : shared
      const frame = new Uint8Array(body.length + 1)
      frame[0] = firstByte
      frame.set(body, 1)
      return frame
    },
    encodeMap(members) {
      const header = lengthHeader(0x80, 0xde, members.length)
      return concatenate([
        header,
        ...members.flatMap(([key, member]) => [encode(key), bytesOf(member, encode)]),
      ])
    },
    decode(bytes, start) {
      const verdict = guardMessagePack(bytes, start, limits)
      if (verdict !== undefined) {
        const code = verdict.code === "message_too_large" ? "message_too_large" : "sys_invalid_message"
        return { ok: false, error: { code, message: verdict.reason, category: "validation" } }
      }
      try {
        return { ok: true, value: decoder.decode(start === 0 ? bytes : bytes.subarray(start)) }
      } catch (cause) {
        // The guard accepts nothing that the decoder refuses (a property test); this is the belt to its braces.
        const message = `not MessagePack: ${cause instanceof Error ? cause.message : "unknown"}`
        return { ok: false, error: { code: "sys_invalid_message", message, category: "validation" } }
      }
    },
  }
}
