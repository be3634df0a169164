// Encodes and decodes values as MessagePack, for the codecs of both profiles. Must not know frames or envelopes.
import type { MessageLimits } from "./message-limits.ts"
import { Encoded, plain } from "./encoded.ts"
import type { Encodable } from "./encoded.ts"
import type { WireError } from "./frame.ts"
import { Packer } from "./pack.ts"
import { Unpacker } from "./unpack.ts"

/** Returns true for a plain object, which corresponds to a map. False for an array and for an instance of a class. */
export function isMap(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

type Decoded =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: WireError }

/** Codec of payloads. The encoding methods throw UnsendableError for a value that the receiver would refuse or misread. */
export interface PayloadCodec {
  /** Encodes a value, which may contain shared encodings (`Encoded`) at any place. */
  encode(value: unknown): Uint8Array
  /** Encodes one byte and an array of the parts; an `undefined` part is absent. The path of an error begins inside a part. */
  encodeFrame(firstByte: number, parts: readonly unknown[]): Uint8Array
  /** Encodes a map in the order of its members. The path of an error begins inside a member. */
  encodeMap(members: Readonly<Record<string, unknown>>): Uint8Array
  /**
   * Encodes a value now for a message that is written later. Later changes of the value have no effect.
   * @param around number of containers around it in that message.
   */
  hold<T>(value: Encodable<T>, around: number): Encoded<T>
  /**
   * Decodes bytes[start..] as exactly one value. Binaries are views of `bytes`. Never throws.
   * @param payloadAt index of the one item of the outermost array that may be absent; undefined: none may.
   */
  decode(bytes: Uint8Array, start: number, payloadAt?: number): Decoded
}

/** @param reads limits of this end's reader. @param writes limits of the peer's reader. */
export function createPayloadCodec(reads: MessageLimits, writes = reads): PayloadCodec {
  const packer = new Packer(writes)
  const unpacker = new Unpacker(reads)

  return {
    encode: (value) => packer.pack(value),
    encodeFrame: (firstByte, parts) => packer.packFrame(firstByte, parts),
    encodeMap: (members) => packer.pack(members, 1),
    hold: (value, around) => Encoded.of(plain(value), packer.hold(value, around)),
    decode(bytes, start, payloadAt) {
      const result = unpacker.unpack(bytes, start, payloadAt)
      if (result.ok) return result
      const code = result.code === "message_too_large" ? result.code : "sys_invalid_message"
      return { ok: false, error: { code, message: result.reason, category: "validation" } }
    },
  }
}
