// Codec of one end of profile `hawser.1`: the first byte (class and kind), then a MessagePack array. The specification is
// docs/protocol.md. The bodies of frames are arguments, so that an end loads only those that it sends and receives.
// Must not know sessions.
import type { MessageLimits } from "./message-limits.ts"
import type { Codec } from "./codec.ts"
import type { FrameBody } from "./common-encode.ts"
import type { Fields } from "./common-decode.ts"
import { classifyFirstByte, frameByte, isReservedControl, payloadAt } from "./frame-byte.ts"
import type { BadFrame, Frame } from "./frame.ts"
import { createPayloadCodec } from "./payload-codec.ts"
import type { TypeTable } from "./type-table.ts"

/** Bodies of the frames of one end. */
export interface Bodies<Sent extends Frame> {
  /** Returns the body of a frame that this end sends. */
  readonly bodyOf: (frame: Sent, types: TypeTable) => FrameBody
  /** Decoders of the frames that this end receives, by the first byte. They return undefined for fields of another shape. */
  readonly decoders: Readonly<
    Record<number, (fields: Fields, types: TypeTable, count: number) => Frame | undefined>
  >
}

/** Limits of both readers. */
export interface CodecLimits {
  /** Limits of this end's reader. */
  readonly reads: MessageLimits
  /** Limits of the peer's reader. */
  readonly writes: MessageLimits
}

/** @param types type names of the session; the client fills the table at WELCOME. */
export function createBodyCodec<Sent extends Frame>(
  { bodyOf, decoders }: Bodies<Sent>,
  types: TypeTable,
  { reads, writes }: CodecLimits,
): Codec<Sent> {
  const payloads = createPayloadCodec(reads, writes)

  function encode(frame: Sent): Uint8Array {
    if (frame.kind === "replicaParts") return frame.bytes
    const { byte, fields } = bodyOf(frame, types)
    return payloads.encodeFrame(byte, fields)
  }

  function decode(bytes: Uint8Array, count: number): Frame | BadFrame {
    const byte = bytes[0] ?? 0xff
    // The body is packed by the replica's schema; `readReplicaFrame` checks it.
    if (byte === frameByte.replicaParts) return { kind: "replicaParts", bytes }
    const reference = byte === frameByte.request ? count : null
    const body = payloads.decode(bytes, 1, payloadAt[byte])
    if (!body.ok) return { kind: "bad", reference, error: body.error }
    if (!Array.isArray(body.value)) return bad(reference, "the body of a frame must be an array")
    const fields: Fields = body.value
    if (isReservedControl(byte)) return { kind: "unknownControl" }
    const decoder = decoders[byte]
    return decoder?.(fields, types, count) ?? bad(reference, faultOf(byte, decoder !== undefined))
  }

  return {
    profile: "hawser.1",
    counts: true,
    classify: (bytes) => classifyFirstByte(bytes[0]),
    decode,
    encode,
    hold: (payload, around) => payloads.hold(payload, around),
  }
}

function bad(reference: number | null, message: string): BadFrame {
  return { kind: "bad", reference, error: { code: "sys_invalid_message", message, category: "validation" } }
}

function faultOf(byte: number, isReceived: boolean): string {
  const name = Object.entries(frameByte).find(([, value]) => value === byte)?.[0]
  const shown = `0x${byte.toString(16).padStart(2, "0")}`
  if (name === undefined) return `unknown frame ${shown}`
  const frame = `frame ${shown} (${name})`
  return isReceived ? `the fields of ${frame} are not as specified` : `${frame} is not for this end`
}
