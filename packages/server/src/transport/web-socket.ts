// One WebSocket of the library `ws` behind the transport port: framing once per message, one write per connection and
// turn of the event loop. Knows no frames of ours.
import { closeReason } from "@hawser/protocol"
import type { Connection, ConnectionEvents, OutboundMessage } from "@hawser/protocol"
import type { Duplex } from "node:stream"
import type { RawData, WebSocket } from "ws"
import { Turn } from "./turn.ts"

const nothing = Buffer.alloc(0)
const slabBytes = 64 * 1024
/** Larger messages are framed in memory of their own. */
const slabMessageMaxBytes = 4 * 1024
/** What a turn writes is joined up to here: one piece is cheaper to write than several, as long as copying is cheap. */
const joinedMaxBytes = 16 * 1024
const longestHeaderBytes = 10
/** Of the library's sockets. */
const openState = 1

/**
 * Memory for messages that have one recipient: framed one behind the other, so that what follows one another for the
 * same connection is one piece to write. Nobody keeps it longer than the socket does.
 */
class FrameSlab {
  bytes = Buffer.allocUnsafeSlow(slabBytes)
  end = 0

  /** Frames a message at `end`, in a new slab if there is no room. Returns where it begins. */
  frame(message: Uint8Array): number {
    if (this.end + longestHeaderBytes + message.length > slabBytes) {
      this.bytes = Buffer.allocUnsafeSlow(slabBytes)
      this.end = 0
    }
    const start = this.end
    const at = start + writeHeader(this.bytes, start, message.length)
    this.bytes.set(message, at)
    this.end = at + message.length
    return start
  }

  /** Copies pieces one behind the other, into one. */
  join(pieces: readonly Buffer[], length: number): Buffer {
    if (this.end + length > slabBytes) {
      this.bytes = Buffer.allocUnsafeSlow(slabBytes)
      this.end = 0
    }
    const start = this.end
    for (const piece of pieces) {
      this.bytes.set(piece, this.end)
      this.end += piece.length
    }
    return this.bytes.subarray(start, this.end)
  }
}

/** All connections of a server write through one. */
export class TurnWriter extends Turn {
  readonly slab = new FrameSlab()
}

export class WebSocketConnection implements Connection {
  readonly #webSocket: WebSocket
  readonly #socket: Duplex
  readonly #writer: TurnWriter
  #events: ConnectionEvents | undefined
  /** False while the kernel has taken everything that was written: then nobody need look. */
  #hasBacklog = false
  #awaitsDrain = false
  /** What this turn has to write: finished pieces, mostly one or none, and the one that still grows in the slab. */
  #first: Buffer | undefined
  #pieces: Buffer[] | undefined
  #pieceSlab: Buffer = nothing
  #pieceStart = 0
  #pieceEnd = 0
  #pendingBytes = 0

  constructor(webSocket: WebSocket, socket: Duplex, writer: TurnWriter) {
    this.#webSocket = webSocket
    this.#socket = socket
    this.#writer = writer
  }

  bind(events: ConnectionEvents, onError: (error: unknown) => void): void {
    const webSocket = this.#webSocket
    webSocket.binaryType = "nodebuffer"
    webSocket.on("message", (data: RawData, isBinary: boolean) => {
      if (!isBinary) events.text()
      else if (Buffer.isBuffer(data)) events.message(data)
    })
    webSocket.on("pong", () => events.pong())
    webSocket.on("close", (code: number, reason: Buffer) => events.closed(code, reason.toString("utf8")))
    // `close` always follows; the error only says why.
    webSocket.on("error", onError)
    this.#events = events
  }

  get bufferedBytes(): number {
    return this.#pendingBytes + (this.#hasBacklog ? this.#socket.writableLength : 0)
  }

  awaitDrain(): void {
    if (this.#awaitsDrain) return
    this.#awaitsDrain = true
    if (this.#pendingBytes === 0) this.#tellDrained()
  }

  send(message: OutboundMessage): boolean {
    if (this.#webSocket.readyState !== openState) return false
    if (this.#pendingBytes === 0) this.#writer.add(this)
    // Written past the library's sender, which makes a header per recipient. It writes at once too (no compression),
    // so its control frames keep their place in the order.
    if (message.isShared === true) {
      this.#add(framedOnce(message))
    } else if (message.bytes.length > slabMessageMaxBytes) {
      this.#add(frameBinary(message.bytes))
    } else {
      this.#append(message.bytes)
    }
    return true
  }

  /** Everything of this turn in one write. */
  flush(): void {
    if (this.#pendingBytes === 0) return
    this.#endPiece()
    const length = this.#pendingBytes
    const pieces = this.#pieces
    const only =
      pieces === undefined || length > joinedMaxBytes ? this.#first : this.#writer.slab.join(pieces, length)
    this.#forgetPieces()
    const socket = this.#socket
    if (!socket.writable) return
    if (only !== undefined) {
      socket.write(only)
    } else if (pieces !== undefined) {
      socket.cork()
      for (const piece of pieces) socket.write(piece)
      socket.uncork()
    }
    this.#hasBacklog = socket.writableLength > 0
    if (this.#awaitsDrain) this.#tellDrained()
  }

  /** The socket's own `drain` tells only of what was above its high-water mark. */
  #tellDrained(): void {
    const told = (): void => {
      this.#awaitsDrain = false
      this.#hasBacklog = this.#socket.writableLength > 0
      this.#events?.drained()
    }
    // Never within the call that asked for it.
    if (this.#socket.writable) this.#socket.write(nothing, told)
  }

  close(code: number, reason: string): void {
    this.flush()
    this.#webSocket.close(code, closeReason(reason))
  }

  terminate(): void {
    this.#pieceEnd = this.#pieceStart
    this.#forgetPieces()
    this.#webSocket.terminate()
  }

  pause(): void {
    this.#webSocket.pause()
  }

  resume(): void {
    this.#webSocket.resume()
  }

  ping(): void {
    if (this.#webSocket.readyState === this.#webSocket.OPEN) this.#webSocket.ping()
  }

  #append(bytes: Uint8Array): void {
    const { slab } = this.#writer
    const start = slab.frame(bytes)
    if (this.#pieceSlab !== slab.bytes || this.#pieceEnd !== start) {
      this.#endPiece()
      this.#pieceSlab = slab.bytes
      this.#pieceStart = start
    }
    this.#pieceEnd = slab.end
    this.#pendingBytes += slab.end - start
  }

  #add(framed: Buffer): void {
    this.#endPiece()
    this.#keep(framed)
    this.#pendingBytes += framed.length
  }

  #keep(piece: Buffer): void {
    if (this.#pieces !== undefined) {
      this.#pieces.push(piece)
    } else if (this.#first === undefined) {
      this.#first = piece
    } else {
      this.#pieces = [this.#first, piece]
      this.#first = undefined
    }
  }

  #forgetPieces(): void {
    this.#first = undefined
    this.#pieces = undefined
    this.#pendingBytes = 0
  }

  #endPiece(): void {
    if (this.#pieceEnd === this.#pieceStart) return
    this.#keep(this.#pieceSlab.subarray(this.#pieceStart, this.#pieceEnd))
    this.#pieceSlab = nothing
    this.#pieceStart = 0
    this.#pieceEnd = 0
  }
}

/** What many recipients get is framed for the first of them. */
function framedOnce(message: OutboundMessage): Buffer {
  if (message.framed instanceof Buffer) return message.framed
  const framed = frameBinary(message.bytes)
  message.framed = framed
  return framed
}

/** One unmasked, unfragmented binary frame (RFC 6455, section 5.2), in memory of its own. */
function frameBinary(bytes: Uint8Array): Buffer {
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
  target[at] = 0x82
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
