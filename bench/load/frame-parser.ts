// Splits a server's bytes into WebSocket frames (RFC 6455, section 5), for many connections that share one read buffer.
// Copies only the incomplete frame at the end of a chunk. Must not know a protocol above frames.

export interface FrameSink {
  /** One whole text or binary message; the bytes are valid only during the call. */
  message(bytes: Buffer, start: number, end: number): void
  /** A close, ping or pong. */
  control(opcode: number, payload: Buffer): void
}

export const opcode = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

const nothing = Buffer.alloc(0)

export class FrameParser {
  readonly #sink: FrameSink
  #kept: Buffer = nothing
  #keptBytes = 0

  constructor(sink: FrameSink) {
    this.#sink = sink
  }

  /** Reads the first `length` bytes of `chunk`, which may be overwritten afterwards. */
  push(chunk: Buffer, length: number): void {
    if (this.#keptBytes === 0) {
      const used = this.#parse(chunk, length)
      if (used < length) this.#keep(chunk, used, length)
      return
    }
    this.#keep(chunk, 0, length)
    const used = this.#parse(this.#kept, this.#keptBytes)
    if (used === 0) return
    this.#kept.copyWithin(0, used, this.#keptBytes)
    this.#keptBytes -= used
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    const needed = this.#keptBytes + end - start
    if (needed > this.#kept.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#kept.length))
      this.#kept.copy(larger, 0, 0, this.#keptBytes)
      this.#kept = larger
    }
    chunk.copy(this.#kept, this.#keptBytes, start, end)
    this.#keptBytes = needed
  }

  /** Passes on every whole frame and returns the number of bytes of these frames. */
  #parse(bytes: Buffer, length: number): number {
    let at = 0
    while (length - at >= 2) {
      const first = bytes[at] ?? 0
      const second = bytes[at + 1] ?? 0
      if ((first & 0x80) === 0 || (second & 0x80) !== 0)
        throw new Error("a server sent a fragmented or a masked frame")
      let start = at + 2
      let payloadBytes = second
      if (second === 126) {
        start += 2
        if (start > length) break
        payloadBytes = bytes.readUInt16BE(at + 2)
      } else if (second === 127) {
        start += 8
        if (start > length) break
        payloadBytes = Number(bytes.readBigUInt64BE(at + 2))
      }
      const end = start + payloadBytes
      if (end > length) break
      at = end
      if ((first & 0x08) === 0) this.#sink.message(bytes, start, end)
      else this.#sink.control(first & 0x0f, bytes.subarray(start, end))
    }
    return at
  }
}
