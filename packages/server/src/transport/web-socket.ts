// One WebSocket of the library `ws` behind the transport port: framing once per message, one write per connection and
// turn of the event loop. Knows no frames of ours.
import { closeCode, closeReason } from "@hawser/protocol/core"
import type { Connection, ConnectionEvents, OutboundMessage } from "@hawser/protocol/core"
import type { Duplex } from "node:stream"
import { WebSocket } from "ws"
import { ControlFrames } from "./control-frames.ts"
import type { ControlFrameBound } from "./control-frames.ts"
import { FrameSlab, frameBinary, framedOnce, ownMemory } from "./framing.ts"
import { Piece } from "./piece.ts"
import { ReadingTurn } from "./reading-turn.ts"
import type { Held } from "./reading-turn.ts"
import { Turn } from "./turn.ts"

const nothing = Buffer.alloc(0)
/** Larger messages are framed in memory of their own. */
const slabMessageMaxBytes = 4 * 1024
/** Of the library's sockets. */
const openState = 1

/** All connections of a server write through one. */
export class TurnWriter extends Turn {
  readonly controlFrames: ControlFrames
  readonly onError: (error: unknown) => void
  readonly reading = new ReadingTurn()
  readonly slab = new FrameSlab()
  /** Every connection's chain of this turn begins here. */
  start = Piece.start()

  constructor(host: ControlFrameBound & { readonly onError: (error: unknown) => void }) {
    super()
    this.controlFrames = new ControlFrames(host)
    this.onError = host.onError
  }

  protected override ended(): void {
    this.start = Piece.start()
  }
}

/**
 * The library's socket. Its events go to its owner, without listeners: five of them are a hash table of 256 bytes in each
 * socket, a twentieth of what an idle client costs.
 */
export class OwnedWebSocket extends WebSocket {
  owner: WebSocketConnection | undefined

  override emit(event: string | symbol, first?: unknown, second?: unknown): boolean {
    const { owner } = this
    if (owner === undefined) return super.emit(event, first, second)
    if (event === "message") owner.received(first, second === true)
    else if (event === "ping") owner.pinged()
    else if (event === "pong") owner.ponged()
    else if (event === "close") owner.ended(Number(first), String(second))
    else if (event === "error") owner.failed(first)
    return true
  }
}

export class WebSocketConnection implements Connection, Held {
  readonly #webSocket: OwnedWebSocket
  readonly #socket: Duplex
  readonly #writer: TurnWriter
  /** The owner does not want to read; the turn has had enough. Read is what neither holds back. */
  #isPaused = false
  #isHeld = false
  #events: ConnectionEvents | undefined
  /** False while the kernel has taken everything that was written: then nobody need look. */
  #hasBacklog = false
  #awaitsDrain = false
  /** What this turn has to write: finished pieces, and the one that still grows in the slab. */
  #told: Piece | undefined
  #pieceSlab: Buffer = nothing
  #pieceStart = 0
  #pieceEnd = 0
  #pendingBytes = 0

  constructor(webSocket: OwnedWebSocket, socket: Duplex, writer: TurnWriter) {
    this.#webSocket = webSocket
    this.#socket = socket
    this.#writer = writer
  }

  bind(events: ConnectionEvents): void {
    this.#webSocket.binaryType = "nodebuffer"
    this.#webSocket.owner = this
    this.#events = events
  }

  received(data: unknown, isBinary: boolean): void {
    if (!isBinary) this.#events?.text()
    else if (Buffer.isBuffer(data)) {
      this.#writer.reading.took(data.length, this)
      this.#events?.message(data)
    }
  }

  /** `close` always follows; the error only says why. */
  failed(error: unknown): void {
    this.#writer.onError(error)
  }

  holdReading(): void {
    this.#isHeld = true
    this.#webSocket.pause()
  }

  releaseReading(): void {
    this.#isHeld = false
    if (!this.#isPaused) this.#webSocket.resume()
  }

  /** The library has answered. */
  pinged(): void {
    const { controlFrames, onError } = this.#writer
    const violation = controlFrames.violationOf(this)
    if (violation === undefined) return
    onError(violation)
    this.close(closeCode.policyViolation, violation.message)
    // The flood stays in the peer's own socket. The library drops it after its `closeTimeout`.
    this.pause()
  }

  ponged(): void {
    this.#events?.pong()
    this.pinged()
  }

  ended(code: number, reason: string): void {
    this.#writer.reading.forget(this)
    this.#writer.controlFrames.forget(this)
    this.#events?.closed(code, reason)
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
    const socket = this.#socket
    if (!socket.writable) {
      this.#forget()
      return
    }
    if (this.#told === undefined) {
      // Only what was framed in the slab: one piece already.
      const piece = this.#takePiece()
      socket.write(socket.writableLength > 0 ? ownMemory(piece) : piece)
    } else {
      this.#endPiece()
      this.#write(this.#told)
    }
    this.#told = undefined
    this.#pendingBytes = 0
    this.#hasBacklog = socket.writableLength > 0
    if (this.#awaitsDrain) this.#tellDrained()
  }

  #write(told: Piece): void {
    const socket = this.#socket
    const waits = socket.writableLength > 0
    const joined = told.joined(this.#writer.slab)
    if (joined !== undefined) {
      socket.write(waits ? ownMemory(joined) : joined)
      return
    }
    socket.cork()
    for (const piece of told.pieces()) socket.write(waits ? ownMemory(piece) : piece)
    socket.uncork()
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
    this.#forget()
    this.#webSocket.terminate()
  }

  pause(): void {
    this.#isPaused = true
    this.#webSocket.pause()
  }

  resume(): void {
    this.#isPaused = false
    if (!this.#isHeld) this.#webSocket.resume()
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
    this.#told = (this.#told ?? this.#writer.start).followedBy(framed)
    this.#pendingBytes += framed.length
  }

  #endPiece(): void {
    if (this.#pieceEnd === this.#pieceStart) return
    this.#told = (this.#told ?? this.#writer.start).followedBy(this.#takePiece())
  }

  /** What grew in the slab. */
  #takePiece(): Buffer {
    const piece = this.#pieceSlab.subarray(this.#pieceStart, this.#pieceEnd)
    this.#pieceSlab = nothing
    this.#pieceStart = 0
    this.#pieceEnd = 0
    return piece
  }

  #forget(): void {
    this.#told = undefined
    this.#pendingBytes = 0
    this.#takePiece()
  }
}
