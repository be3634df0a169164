// Values ↔ MessagePack, for the codecs of both profiles. Knows no frames and no envelopes.
import type { MessageLimits } from "./message-limits.ts"
import { Encoded, plain } from "./encoded.ts"
import type { Encodable } from "./encoded.ts"
import type { WireError } from "./frame.ts"
import { Packer } from "./pack.ts"
import { Unpacker } from "./unpack.ts"

/** A plain object: what a map decodes to, and what is encoded as one. Neither an array nor an object of a class. */
export function isMap(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

type Decoded =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: WireError }

/** Every way to encode throws an UnsendableError for what the receiver would refuse, or read as another value. */
export interface PayloadCodec {
  /** Shared encodings (`Encoded`) may stand anywhere. */
  encode(value: unknown): Uint8Array
  /** One byte, then an array of the parts. A path of an error begins inside of a part. */
  encodeFrame(firstByte: number, parts: readonly unknown[]): Uint8Array
  /** A map in the order of its members. A path of an error begins inside of a member. */
  encodeMap(members: Readonly<Record<string, unknown>>): Uint8Array
  /**
   * Encodes a value at once, for a message that is written later; changes of the value have no effect on it.
   * @param around containers around it in that message.
   */
  hold<T>(value: Encodable<T>, around: number): Encoded<T>
  /** Reads bytes[start..] as exactly one value. Binaries are views of `bytes`. Never throws. */
  decode(bytes: Uint8Array, start: number): Decoded
}

/** @param reads limits of this end's reader. @param writes limits of the other end's. */
export function createPayloadCodec(reads: MessageLimits, writes = reads): PayloadCodec {
  const packer = new Packer(writes)
  const unpacker = new Unpacker(reads)

  return {
    encode: (value) => packer.pack(value),
    encodeFrame: (firstByte, parts) => packer.packFrame(firstByte, parts),
    encodeMap: (members) => packer.pack(members, 1),
    hold: (value, around) => Encoded.of(plain(value), packer.hold(value, around)),
    decode(bytes, start) {
      const result = unpacker.unpack(bytes, start)
      if (result.ok) return result
      const code = result.code === "message_too_large" ? result.code : "sys_invalid_message"
      return { ok: false, error: { code, message: result.reason, category: "validation" } }
    },
  }
}
