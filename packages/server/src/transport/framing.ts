// WebSocket frames, made once for all who get them, and the memory of those that one connection alone gets.
import type { OutboundMessage } from "@hawser/protocol/core"

const slabBytes = 64 * 1024
const longestHeaderBytes = 10

/** First byte of an unfragmented frame, by its opcode (RFC 6455, section 5.2). */
export const opcode = { binary: 0x82, pong: 0x8a } as const

/**
 * Memory for messages that have one recipient: framed one behind the other, so that what follows one another for the
 * same connection is one piece to write. Nobody keeps it longer than the socket does: a piece that would wait in a socket
 * behind others is copied by `ownMemory`, or a few bytes for a peer that reads nothing would hold the whole slab.
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

  /** Copies pieces one behind the other, into one. */
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

/** The piece itself, or its copy if it is a part of larger memory. */
export function ownMemory(piece: Buffer): Buffer {
  if (piece.length === piece.buffer.byteLength) return piece
  const copy = Buffer.allocUnsafeSlow(piece.length)
  copy.set(piece)
  return copy
}

/** What many recipients get is framed for the first of them. */
export function framedOnce(message: OutboundMessage): Buffer {
  if (message.framed instanceof Buffer) return message.framed
  const framed = frameBinary(message.bytes)
  message.framed = framed
  return framed
}

/** One unmasked, unfragmented binary frame (RFC 6455, section 5.2), in memory of its own. */
export function frameBinary(bytes: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafeSlow(headerLength(bytes.length) + bytes.length)
  framed.set(bytes, writeHeader(framed, 0, bytes.length))
  return framed
}

function headerLength(length: number): number {
  return length < 126 ? 2 : length < 0x10000 ? 4 : longestHeaderBytes
}

/** Returns how long it is. */
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
