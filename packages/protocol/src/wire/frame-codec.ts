// Encodes and decodes frames of profile `hawser.1`: the first byte (class and kind), then a MessagePack array. The
// specification is docs/protocol.md. Must not know sessions.
import type { MessageLimits } from "./message-limits.ts"
import type { Codec } from "./codec.ts"
import { classifyFirstByte, frameByte, payloadAt } from "./frame-byte.ts"
import { decodeBody } from "./frame-decode.ts"
import { frameBody } from "./frame-encode.ts"
import type { BadFrame, Frame } from "./frame.ts"
import { createPayloadCodec } from "./payload-codec.ts"
import type { TypeTable } from "./type-table.ts"

/**
 * @param types type names of the session; the client fills the table at WELCOME.
 * @param reads limits of this end's reader.
 * @param writes limits of the peer's reader.
 */
export function createFrameCodec(types: TypeTable, reads: MessageLimits, writes = reads): Codec {
  const payloads = createPayloadCodec(reads, writes)

  function encode(frame: Frame): Uint8Array {
    if (frame.kind === "replicaParts") return frame.bytes
    const { byte, fields } = frameBody(frame, types)
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
    const fields: readonly unknown[] = body.value
    return decodeBody({ byte, fields, count }, types) ?? bad(reference, describeShape(byte))
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

function describeShape(byte: number): string {
  const name = Object.entries(frameByte).find(([, value]) => value === byte)?.[0]
  const shown = `0x${byte.toString(16).padStart(2, "0")}`
  return name === undefined
    ? `unknown frame ${shown}`
    : `the fields of frame ${shown} (${name}) are not as specified`
}
