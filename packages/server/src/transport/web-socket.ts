// Adapts one WebSocket of the library `ws` to the transport port: each message is framed once, with one write per connection
// and turn of the event loop. The server's `Turn` releases every byte, also control frames and the close frame.
// Must not know frames of Hawser.
import { closeCode, closeReason } from "@hawser/protocol/core"
import type { ConnectionEvents, OutboundMessage, ServerConnection } from "@hawser/protocol/core"
import type { Duplex } from "node:stream"
import { ownBytes } from "../base/own-bytes.ts"
import { frame, frameBinary, framedOnce, opcode } from "./framing.ts"
import type { CloseFrame, OwnedWebSocket, SocketOwner } from "./owned-web-socket.ts"
import { Piece } from "./piece.ts"
import type { Held } from "./reading-turn.ts"
import type { Outlet } from "./turn.ts"
import type { WebSocketHost } from "./web-socket-host.ts"

const nothing = Buffer.alloc(0)
/** A ping without a payload. */
const pingFrame = Buffer.of(0x89, 0)
/** Largest message that is framed in the slab. A larger one gets separate memory. */
const slabMessageMaxBytes = 4 * 1024
/** Bytes in the socket up to which a frame leaves ahead of the turn. A peer that reads nothing gets no more. */
const aheadMaxBytes = 4 * 1024
/** `readyState` of an open socket of the library. */
const openState = 1

type State =
  | { readonly kind: "open" }
  /** Accepts no output. The close frame belongs to this turn. */
  | { readonly kind: "closing"; readonly turn: number; readonly frame: CloseFrame }
  /** The close frame was written, or the socket was terminated or has ended. */
  | { readonly kind: "closed" }

/** Why the socket is not read, and what waits. */
interface Stopped {
  /** True while the owner has paused reading. */
  isPaused: boolean
  /** True while `ReadingTurn` holds it. */
  isHeld: boolean
  /** Messages that wait for their dispatch: the rest of the bytes that were read from the socket at once. */
  unread: Buffer[]
}

/** `some`: the kernel has not accepted all written bytes, and `writableLength` is read. `awaited`: so, and `drained` is to be called. */
type Backlog = "none" | "some" | "awaited"

const open: State = { kind: "open" }
const closed: State = { kind: "closed" }

export class WebSocketConnection implements ServerConnection, Held, Outlet, SocketOwner {
  readonly #webSocket: OwnedWebSocket
  readonly #socket: Duplex
  readonly #host: WebSocketHost
  /** Undefined while the socket is read and no message waits: one field, because most connections are idle. */
  #stopped: Stopped | undefined
  #events: ConnectionEvents | undefined
  #state: State = open
  #backlog: Backlog = "none"
  /** Latest turn that the connection has joined and that was not released; 0 if there is none. */
  #turn = 0
  /** Output of turn `#turn`: a chain of finished pieces, and the unfinished piece in the slab. */
  #chain: Piece | undefined
  #pieceSlab: Buffer = nothing
  #pieceStart = 0
  #pieceEnd = 0
  /** Output of the previous turn, while that turn is sealed. */
  #sealed: Piece | undefined

  constructor(webSocket: OwnedWebSocket, socket: Duplex, host: WebSocketHost) {
    this.#webSocket = webSocket
    this.#socket = socket
    this.#host = host
  }

  bind(events: ConnectionEvents): void {
    this.#webSocket.binaryType = "nodebuffer"
    this.#webSocket.owner = this
    this.#events = events
  }

  received(data: unknown, isBinary: boolean): void {
    if (!isBinary) this.#events?.text()
    else if (Buffer.isBuffer(data)) {
      if (this.#mayDispatch(data)) this.#events?.message(data)
      else this.#stop().unread.push(data)
    }
  }

  /** False for a message that waits: behind others, while the connection is paused or held, and for bytes above the turn's limit. */
  #mayDispatch(data: Buffer): boolean {
    return this.#stopped === undefined && this.#host.reading.takes(data.length, this)
  }

  failed(error: unknown): void {
    this.#host.onError(error)
  }

  #stop(): Stopped {
    this.#stopped ??= { isPaused: false, isHeld: false, unread: [] }
    return this.#stopped
  }

  holdReading(): void {
    this.#stop().isHeld = true
    this.#webSocket.pause()
  }

  releaseReading(): void {
    this.#stop().isHeld = false
    this.#continue()
  }

  /** Dispatches what waits, then reads the socket. A paused connection, and one that is held again, is read later. */
  #continue(): void {
    const { isPaused, isHeld, unread } = this.#stop()
    if (isPaused || isHeld) return
    this.#stopped = undefined
    if (this.#dispatched(unread)) this.#webSocket.resume()
  }

  /** Dispatches these messages. Returns false if it was stopped before the end; the rest waits. */
  #dispatched(unread: readonly Buffer[]): boolean {
    for (const [index, data] of unread.entries()) {
      if (this.#mayDispatch(data)) {
        this.#events?.message(data)
        continue
      }
      this.#stop().unread = unread.slice(index)
      return false
    }
    return this.#stopped === undefined
  }

  pinged(): void {
    const { controlFrames, onError } = this.#host
    const violation = controlFrames.violationOf(this)
    if (violation === undefined) return
    onError(violation)
    this.close(closeCode.policyViolation, violation.message)
    // Unread pings stay in the socket. The library drops the socket after its `closeTimeout`.
    this.pause()
  }

  ponged(): void {
    this.#events?.pong()
    this.pinged()
  }

  ended(code: number, reason: string): void {
    this.#host.reading.forget(this)
    this.#host.controlFrames.forget(this)
    this.#drop()
    // Messages that arrived before the end, such as a BYE.
    const unread = this.#stopped?.unread ?? []
    this.#stopped = undefined
    for (const data of unread) this.#events?.message(data)
    this.#events?.closed(code, reason)
  }

  get isOpen(): boolean {
    return this.#state === open && this.#webSocket.readyState === openState
  }

  get bufferedBytes(): number {
    const openBytes = (this.#chain?.length ?? 0) + this.#pieceEnd - this.#pieceStart
    const sealedBytes = this.#sealed?.length ?? 0
    return openBytes + sealedBytes + (this.#backlog !== "none" ? this.#socket.writableLength : 0)
  }

  awaitDrain(): void {
    if (this.#backlog === "awaited") return
    this.#backlog = "awaited"
    this.#join()
  }

  send(message: OutboundMessage): boolean {
    if (!this.isOpen) return false
    // Framed here, because the library's sender would build a header for each recipient.
    if (message.isShared === true) {
      this.#add(framedOnce(message))
    } else if (message.bytes.length > slabMessageMaxBytes) {
      this.#add(frameBinary(message.bytes))
    } else {
      this.#append(message.bytes, opcode.binary)
    }
    return true
  }

  ping(): void {
    if (this.isOpen && !this.#ahead(() => pingFrame)) this.#add(pingFrame)
  }

  answerPing(payload: Uint8Array): void {
    if (this.isOpen && !this.#ahead(() => frame(payload, opcode.pong))) this.#append(payload, opcode.pong)
  }

  sendAhead(message: () => OutboundMessage): boolean {
    return this.isOpen && this.#ahead(() => frameBinary(message().bytes))
  }

  /** Writes a frame ahead of the turn. Returns false without a gate, and if the socket is behind. */
  #ahead(framed: () => Buffer): boolean {
    const socket = this.#socket
    if (!socket.writable || socket.writableLength > aheadMaxBytes) return false
    return this.#host.turn.ahead(() => {
      socket.write(framed())
      if (this.#backlog === "none") this.#noteBacklog()
    })
  }

  close(code: number, reason: string): void {
    this.closeWith({ code, reason: closeReason(reason) })
  }

  closeWith(frame: CloseFrame): void {
    if (!this.isOpen) return
    this.#join()
    this.#state = { kind: "closing", turn: this.#turn, frame }
  }

  terminate(): void {
    this.#drop()
    this.#webSocket.terminate()
  }

  /** Writes the output of this turn in one write, then its close frame. */
  release(turn: number): void {
    const socket = this.#socket
    // Output for a socket that is no longer writable is dropped. `ended` follows.
    if (!socket.writable) this.#drop()
    else if (this.#host.turn.permits(this, turn)) {
      if (turn === this.#turn) this.#writeOpen()
      else this.#writeSealed()
      const isAwaited = this.#backlog === "awaited"
      if (!isAwaited) this.#noteBacklog()
      if (this.#state !== open) this.#writeClose(turn)
      if (isAwaited) this.#notifyDrained()
    }
  }

  /** Writes the output of a turn that no later output has swapped out. */
  #writeOpen(): void {
    this.#turn = 0
    if (this.#chain !== undefined) {
      this.#endPiece()
      this.#write(this.#chain)
      this.#chain = undefined
    } else if (this.#pieceEnd !== this.#pieceStart) {
      // All output is one piece in the slab.
      const piece = this.#takePiece()
      this.#socket.write(this.#socket.writableLength > 0 ? ownBytes(piece) : piece)
    }
  }

  #writeSealed(): void {
    if (this.#sealed !== undefined) this.#write(this.#sealed)
    this.#sealed = undefined
  }

  #writeClose(turn: number): void {
    const state = this.#state
    if (state.kind !== "closing" || state.turn !== turn) return
    this.#state = closed
    this.#webSocket.writeClose(state.frame)
  }

  #write(chain: Piece): void {
    const socket = this.#socket
    const waits = socket.writableLength > 0
    const joined = chain.joined(this.#host.slab)
    if (joined !== undefined) {
      socket.write(waits ? ownBytes(joined) : joined)
      return
    }
    socket.cork()
    for (const piece of chain.pieces()) socket.write(waits ? ownBytes(piece) : piece)
    socket.uncork()
  }

  #noteBacklog(): void {
    this.#backlog = this.#socket.writableLength > 0 ? "some" : "none"
  }

  /** Calls `drained` when the socket has no backlog. The socket's `drain` event occurs only after its high-water mark was exceeded. */
  #notifyDrained(): void {
    const notify = (): void => {
      this.#noteBacklog()
      this.#events?.drained()
    }
    this.#socket.write(nothing, notify)
  }

  pause(): void {
    this.#stop().isPaused = true
    this.#webSocket.pause()
  }

  resume(): void {
    const stopped = this.#stop()
    stopped.isPaused = false
    if (stopped.isHeld) return
    // Waiting messages are dispatched in a later turn, because the caller may be in the middle of one.
    if (stopped.unread.length > 0) this.#host.reading.hold(this)
    else this.#continue()
  }

  #join(): void {
    const { turn } = this.#host
    if (this.#turn === turn.open) return
    if (this.#turn !== 0) this.#swap()
    this.#turn = turn.open
    turn.join(this)
  }

  /** Swaps out the output of the sealed turn. The turn before it was released, because at most one turn is sealed. */
  #swap(): void {
    this.#endPiece()
    this.#sealed = this.#chain
    this.#chain = undefined
  }

  #append(payload: Uint8Array, kind: number): void {
    const { slab } = this.#host
    this.#join()
    const start = slab.frame(payload, kind)
    if (this.#pieceSlab !== slab.bytes || this.#pieceEnd !== start) {
      this.#endPiece()
      this.#pieceSlab = slab.bytes
      this.#pieceStart = start
    }
    this.#pieceEnd = slab.end
  }

  #add(framed: Buffer): void {
    this.#join()
    this.#endPiece()
    this.#chain = (this.#chain ?? this.#host.start()).followedBy(framed)
  }

  #endPiece(): void {
    if (this.#pieceEnd === this.#pieceStart) return
    this.#chain = (this.#chain ?? this.#host.start()).followedBy(this.#takePiece())
  }

  /** Removes and returns the unfinished piece in the slab. */
  #takePiece(): Buffer {
    const piece = this.#pieceSlab.subarray(this.#pieceStart, this.#pieceEnd)
    this.#pieceSlab = nothing
    this.#pieceStart = 0
    this.#pieceEnd = 0
    return piece
  }

  /** Drops the output of the open and of the sealed turn. */
  #drop(): void {
    this.#state = closed
    this.#takePiece()
    this.#chain = undefined
    this.#sealed = undefined
  }
}
