// One WebSocket of Bun's server behind the transport port: one write per connection and turn of the event loop. Knows no
// frames of ours.
import { closeCode, closeReason } from "@hawser/protocol/core"
import type { Connection, ConnectionEvents, OutboundMessage } from "@hawser/protocol/core"
import type { BunSocket } from "./bun-api.ts"
import type { ControlFrames } from "./control-frames.ts"
import type { Turn } from "./turn.ts"

type State =
  | { readonly kind: "open" }
  /** Nothing more is taken; the close frame leaves when all else has left. */
  | { readonly kind: "closing"; readonly code: number; readonly reason: string }
  /** Bun has been told to end the socket, or has told of its end. */
  | { readonly kind: "closed" }

/** The longest array of messages that a connection keeps for its next turn. */
const keptQueueCount = 16

const open: State = { kind: "open" }
const closed: State = { kind: "closed" }

/** What the connections of one server share. */
export interface BunConnectionHost {
  readonly controlFrames: ControlFrames
  readonly onError: (error: unknown) => void
}

export class BunConnection implements Connection {
  readonly #socket: BunSocket
  readonly #turn: Turn
  readonly #host: BunConnectionHost
  /** Taken in this turn. */
  #queue: Uint8Array[] = []
  #queuedBytes = 0
  #isInTurn = false
  /** True while Bun itself holds bytes that the socket has not taken. */
  #isBlocked = false
  #awaitsDrain = false
  #state: State = open
  #events: ConnectionEvents | undefined

  constructor(socket: BunSocket, turn: Turn, host: BunConnectionHost) {
    this.#host = host
    this.#socket = socket
    this.#turn = turn
  }

  bind(events: ConnectionEvents): void {
    this.#events = events
  }

  get bufferedBytes(): number {
    return this.#queuedBytes + (this.#isBlocked ? this.#socket.getBufferedAmount() : 0)
  }

  awaitDrain(): void {
    this.#awaitsDrain = true
    this.#joinTurn()
  }

  send({ bytes }: OutboundMessage): boolean {
    if (this.#state.kind !== "open") return false
    this.#queue.push(bytes)
    this.#queuedBytes += bytes.length
    this.#joinTurn()
    return true
  }

  close(code: number, reason: string): void {
    if (this.#state.kind !== "open") return
    this.#state = { kind: "closing", code, reason: closeReason(reason) }
    // Bun forgets a socket as soon as it is told to close it, also one whose peer has megabytes to read.
    this.#joinTurn()
  }

  terminate(): void {
    if (this.#state.kind === "closed") return
    this.#state = closed
    this.#dropQueue()
    this.#isBlocked = false
    this.#socket.terminate()
  }

  pause(): void {
    if (this.#state.kind !== "closed") this.#socket.pause()
  }

  resume(): void {
    if (this.#state.kind !== "closed") this.#socket.resume()
  }

  ping(): void {
    if (this.#state.kind === "open") this.#socket.ping()
  }

  flush(): void {
    this.#isInTurn = false
    if (this.#state.kind === "closed") return
    if (this.#queue.length > 0) this.#write()
    if (!this.#isBlocked) this.#settle()
  }

  received(content: string | Uint8Array | ArrayBuffer): void {
    if (typeof content === "string") this.#events?.text()
    else this.#events?.message(content instanceof ArrayBuffer ? new Uint8Array(content) : content)
  }

  /** Bun has answered. */
  pinged(): void {
    const violation = this.#host.controlFrames.violationOf(this)
    if (violation === undefined) return
    this.#host.onError(violation)
    // Answers that the peer does not read would hold the close frame back.
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
    if (this.#queue.length === 0 && this.#state.kind !== "closed") this.#settle()
  }

  ended(code: number, reason: string): void {
    this.#state = closed
    this.#host.controlFrames.forget(this)
    this.#dropQueue()
    this.#isBlocked = false
    const events = this.#events
    this.#events = undefined
    // Bun tells of an end from within `close` and `terminate`; the owner hears of it when it has done what it is doing.
    queueMicrotask(() => events?.closed(code, reason))
  }

  #joinTurn(): void {
    if (this.#isInTurn) return
    this.#isInTurn = true
    this.#turn.add(this)
  }

  #write(): void {
    const socket = this.#socket
    const queue = this.#queue
    const first = queue[0]
    if (queue.length === 1 && first !== undefined) {
      this.#isBlocked = socket.sendBinary(first) <= 0 && socket.getBufferedAmount() > 0
    } else {
      socket.cork(() => {
        for (const bytes of queue) socket.sendBinary(bytes)
      })
      this.#isBlocked = socket.getBufferedAmount() > 0
    }
    this.#dropQueue()
  }

  /** All that was taken has left. */
  #settle(): void {
    const state = this.#state
    if (state.kind === "closing") {
      this.#state = closed
      this.#socket.close(state.code, state.reason)
    } else if (this.#awaitsDrain) {
      this.#awaitsDrain = false
      this.#events?.drained()
    }
  }

  #dropQueue(): void {
    // The array is kept, so that a broadcast makes nothing new for a recipient; but not one that a burst made long.
    if (this.#queue.length > keptQueueCount) this.#queue = []
    else this.#queue.length = 0
    this.#queuedBytes = 0
  }
}
