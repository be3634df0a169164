// Adapts one WebSocket of Bun's server to the transport port, with one write per connection and turn of the event loop. The
// server's `Turn` releases messages, pings and the close frame. Bun answers pings and close frames of the peer by itself; these
// answers contain no state. Must not know frames of Hawser.
import { closeCode, closeReason } from "@hawser/protocol/core"
import type { ConnectionEvents, OutboundMessage, ServerConnection } from "@hawser/protocol/core"
import type { BunSocket } from "./bun-api.ts"
import type { ControlFrames } from "./control-frames.ts"
import type { Outlet, Turn } from "./turn.ts"

type State =
  | { readonly kind: "open" }
  /** Accepts no output. The close frame leaves with this turn, or with a later one once Bun holds no bytes of the connection. */
  | { readonly kind: "closing"; readonly turn: number; readonly code: number; readonly reason: string }
  /** `close` or `terminate` of the socket was called, or the socket has ended. */
  | { readonly kind: "closed" }

/** Length of the longest array of messages that a connection reuses for its next turn. */
const keptQueueCount = 16

const open: State = { kind: "open" }
const closed: State = { kind: "closed" }

/** Objects that the connections of one server share. */
export interface BunConnectionHost {
  readonly turn: Turn
  readonly controlFrames: ControlFrames
  readonly onError: (error: unknown) => void
}

export class BunConnection implements ServerConnection, Outlet {
  readonly #socket: BunSocket
  readonly #host: BunConnectionHost
  /** Latest turn that the connection has joined and that was not released; 0 if there is none. */
  #turn = 0
  /** Output of turn `#turn`. */
  #queue: Uint8Array[] = []
  #queuedBytes = 0
  #hasPing = false
  /** Output of the previous turn, while that turn is sealed. */
  #sealed: Uint8Array[] = []
  #sealedBytes = 0
  #hasSealedPing = false
  /** True while Bun buffers bytes that the socket has not accepted. */
  #isBlocked = false
  #awaitsDrain = false
  #state: State = open
  #events: ConnectionEvents | undefined

  constructor(socket: BunSocket, host: BunConnectionHost) {
    this.#host = host
    this.#socket = socket
  }

  bind(events: ConnectionEvents): void {
    this.#events = events
  }

  get isOpen(): boolean {
    return this.#state.kind === "open"
  }

  get bufferedBytes(): number {
    return this.#queuedBytes + this.#sealedBytes + (this.#isBlocked ? this.#socket.getBufferedAmount() : 0)
  }

  awaitDrain(): void {
    this.#awaitsDrain = true
    this.#join()
  }

  send({ bytes }: OutboundMessage): boolean {
    if (this.#state.kind !== "open") return false
    this.#join()
    this.#queue.push(bytes)
    this.#queuedBytes += bytes.length
    return true
  }

  close(code: number, reason: string): void {
    if (!this.isOpen) return
    this.#join()
    this.#state = { kind: "closing", turn: this.#turn, code, reason: closeReason(reason) }
  }

  terminate(): void {
    if (this.#state.kind === "closed") return
    this.#state = closed
    this.#drop()
    this.#socket.terminate()
  }

  pause(): void {
    if (this.#state.kind !== "closed") this.#socket.pause()
  }

  resume(): void {
    if (this.#state.kind !== "closed") this.#socket.resume()
  }

  sendAhead(message: () => OutboundMessage): boolean {
    return this.isOpen && this.#ahead(() => this.#socket.sendBinary(message().bytes))
  }

  /** Writes a frame ahead of the turn. Returns false without a gate, and if the socket is behind. */
  #ahead(write: () => void): boolean {
    return this.#socket.getBufferedAmount() === 0 && this.#host.turn.ahead(write)
  }

  ping(): void {
    if (!this.isOpen || this.#ahead(() => this.#socket.ping())) return
    this.#join()
    this.#hasPing = true
  }

  release(turn: number): void {
    if (turn === this.#turn) this.#swap()
    if (this.#state.kind === "closed" || !this.#host.turn.permits(this, turn)) return
    if (this.#sealed.length > 0) this.#write()
    if (this.#hasSealedPing) this.#socket.ping()
    this.#hasSealedPing = false
    if (!this.#isBlocked) this.#settle(turn)
  }

  received(content: string | Uint8Array | ArrayBuffer): void {
    if (typeof content === "string") this.#events?.text()
    else this.#events?.message(content instanceof ArrayBuffer ? new Uint8Array(content) : content)
  }

  /** Counts a ping. Bun has answered it. */
  pinged(): void {
    const violation = this.#host.controlFrames.violationOf(this)
    if (violation === undefined) return
    this.#host.onError(violation)
    // A close frame would be queued behind pongs that the peer does not read.
    if (this.#socket.getBufferedAmount() > 0) this.terminate()
    else this.close(closeCode.policyViolation, violation.message)
  }

  pong(): void {
    this.#events?.pong()
    this.pinged()
  }

  drained(): void {
    if (!this.#isBlocked || this.#socket.getBufferedAmount() > 0) return
    this.#isBlocked = false
    // The close frame is also written in a release.
    if (this.#state.kind === "closing") this.#join()
    else if (this.#isDrained) this.#notifyDrained()
  }

  ended(code: number, reason: string): void {
    this.#state = closed
    this.#host.controlFrames.forget(this)
    this.#drop()
    const events = this.#events
    this.#events = undefined
    // Bun calls its handler within `close` and `terminate`. The owner is notified after the owner's call has returned.
    queueMicrotask(() => events?.closed(code, reason))
  }

  #join(): void {
    const { turn } = this.#host
    if (this.#turn === turn.open) return
    if (this.#turn !== 0) this.#swap()
    this.#turn = turn.open
    turn.join(this)
  }

  /** Seals the output of the joined turn. Previously sealed output was released, because at most one turn is sealed. */
  #swap(): void {
    this.#turn = 0
    // Both arrays are kept: a broadcast allocates nothing for a recipient.
    const spare = this.#sealed
    this.#sealed = this.#queue
    this.#queue = spare
    this.#sealedBytes = this.#queuedBytes
    this.#queuedBytes = 0
    this.#hasSealedPing = this.#hasPing
    this.#hasPing = false
  }

  #write(): void {
    const socket = this.#socket
    const queue = this.#sealed
    const first = queue[0]
    if (queue.length === 1 && first !== undefined) {
      this.#isBlocked = socket.sendBinary(first) <= 0 && socket.getBufferedAmount() > 0
    } else {
      socket.cork(() => {
        for (const bytes of queue) socket.sendBinary(bytes)
      })
      this.#isBlocked = socket.getBufferedAmount() > 0
    }
    this.#sealed = emptied(queue)
    this.#sealedBytes = 0
  }

  /** Called in a release when Bun holds no bytes: writes the sealed close frame, or notifies the owner of the drain. */
  #settle(turn: number): void {
    const state = this.#state
    // `close` of Bun drops the socket, even if the peer has not read megabytes of buffered output.
    if (state.kind === "closing") {
      if (state.turn > turn) return
      this.#state = closed
      this.#socket.close(state.code, state.reason)
    } else if (this.#awaitsDrain) {
      // The application does not run inside a release.
      queueMicrotask(() => {
        if (this.#isDrained) this.#notifyDrained()
      })
    }
  }

  /** True if the process buffers no output of this connection. */
  get #isDrained(): boolean {
    return !this.#isBlocked && this.#queue.length === 0 && this.#sealed.length === 0
  }

  #notifyDrained(): void {
    if (!this.#awaitsDrain) return
    this.#awaitsDrain = false
    this.#events?.drained()
  }

  /** Drops the output of the open and of the sealed turn. */
  #drop(): void {
    this.#queue = emptied(this.#queue)
    this.#queuedBytes = 0
    this.#hasPing = false
    this.#sealed = emptied(this.#sealed)
    this.#sealedBytes = 0
    this.#hasSealedPing = false
    this.#isBlocked = false
  }
}

/** Empties the array for the next turn. Replaces it if it is longer than `keptQueueCount`. */
function emptied(queue: Uint8Array[]): Uint8Array[] {
  if (queue.length > keptQueueCount) return []
  queue.length = 0
  return queue
}
