// Values ↔ MessagePack, for the codecs of both profiles. Knows no frames and no envelopes.
import type { MessageLimits } from "../limits.ts"
import type { WireError } from "./frame.ts"
import { Packer } from "./pack.ts"
import { Unpacker } from "./unpack.ts"

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

type Decoded =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: WireError }

export interface PayloadCodec {
  /**
   * Integers above 2³² leave as uint64, undefined members of maps are left out, and half a surrogate pair (an emoji
   * cut by `slice`) leaves as U+FFFD: ill-formed text would be refused by the peer. Shared encodings (`Encoded`) may
   * stand anywhere. All three ways to encode throw a RangeError for what is nested deeper than a peer takes, by
   * `limits.maxDepth`, and a TypeError for what MessagePack cannot hold.
   */
  encode(value: unknown): Uint8Array
  /** One byte, then an array of the parts. */
  encodeFrame(firstByte: number, parts: readonly unknown[]): Uint8Array
  /** A map in the order of its members. */
  encodeMap(members: Readonly<Record<string, unknown>>): Uint8Array
  /** Reads bytes[start..] as exactly one value. Binaries are views of `bytes`. Never throws. */
  decode(bytes: Uint8Array, start: number): Decoded
}

export function createPayloadCodec(limits: MessageLimits): PayloadCodec {
  const packer = new Packer(limits.maxDepth)
  const unpacker = new Unpacker(limits)

  return {
    encode: (value) => packer.pack(value),
    encodeFrame: (firstByte, parts) => packer.pack(parts, firstByte),
    encodeMap: (members) => packer.pack(members),
    decode(bytes, start) {
      const result = unpacker.unpack(bytes, start)
      if (result.ok) return result
      const code = result.code === "message_too_large" ? result.code : "sys_invalid_message"
      return { ok: false, error: { code, message: result.reason, category: "validation" } }
    },
  }
}
