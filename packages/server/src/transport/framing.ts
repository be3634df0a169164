// Builds WebSocket frames: a message with many recipients is framed once, and a message with one recipient in a shared slab.
// Must not know connections.
import type { OutboundMessage } from "@hawser/protocol/core"

const slabBytes = 64 * 1024
const longestHeaderBytes = 10

/** First byte of an unfragmented frame, by its opcode (RFC 6455, section 5.2). */
export const opcode = { binary: 0x82, pong: 0x8a } as const

/**
 * Memory for messages with one recipient. They are framed one after another, so that consecutive frames of a connection are one
 * piece to write. A piece that is queued in a socket behind others is copied by `ownBytes`; otherwise a few bytes for a peer
 * that does not read would keep the whole slab alive.
 */
export class FrameSlab {
  bytes = Buffer.allocUnsafeSlow(slabBytes)
  end = 0

  /** Frames a payload at `end`, in a new slab if the current one is full. Returns the offset of the frame. */
  frame(payload: Uint8Array, kind: number): number {
    const start = this.#reserve(longestHeaderBytes + payload.length)
    const at = start + writeHeader(this.bytes, start, payload.length)
    this.bytes[start] = kind
    this.bytes.set(payload, at)
    this.end = at + payload.length
    return start
  }

  /** Copies consecutive pieces into one piece. */
  join(pieces: readonly Buffer[], length: number): Buffer {
    const start = this.#reserve(length)
    for (const piece of pieces) {
      this.bytes.set(piece, this.end)
      this.end += piece.length
    }
    return this.bytes.subarray(start, this.end)
  }

  #reserve(length: number): number {
    if (this.end + length > slabBytes) {
      this.bytes = Buffer.allocUnsafeSlow(slabBytes)
      this.end = 0
    }
    return this.end
  }
}

/** Returns the frame of a shared message, which is framed for its first recipient. */
export function framedOnce(message: OutboundMessage): Buffer {
  if (message.framed instanceof Buffer) return message.framed
  const framed = frameBinary(message.bytes)
  message.framed = framed
  return framed
}

/** Returns an unmasked, unfragmented binary frame (RFC 6455, section 5.2) in a separate buffer. */
export function frameBinary(bytes: Uint8Array): Buffer {
  return frame(bytes, opcode.binary)
}

/** Returns a frame of any kind in a separate buffer. */
export function frame(bytes: Uint8Array, kind: number): Buffer {
  const framed = Buffer.allocUnsafeSlow(headerLength(bytes.length) + bytes.length)
  framed.set(bytes, writeHeader(framed, 0, bytes.length))
  framed[0] = kind
  return framed
}

function headerLength(length: number): number {
  return length < 126 ? 2 : length < 0x10000 ? 4 : longestHeaderBytes
}

/** Writes a frame header. Returns its length. */
function writeHeader(target: Buffer, at: number, length: number): number {
  const bytes = headerLength(length)
  target[at] = opcode.binary
  if (bytes === 2) {
    target[at + 1] = length
  } else if (bytes === 4) {
    target[at + 1] = 126
    target.writeUInt16BE(length, at + 2)
  } else {
    target[at + 1] = 127
    target.writeBigUInt64BE(BigInt(length), at + 2)
  }
  return bytes
}
