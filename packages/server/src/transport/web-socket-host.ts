// Objects shared by the WebSocket connections of one HTTP server: the turn, the bounds, and the memory of their frames.
// Must not know sockets.
import { ControlFrames } from "./control-frames.ts"
import type { ControlFrameBound } from "./control-frames.ts"
import { FrameSlab } from "./framing.ts"
import { Piece } from "./piece.ts"
import { ReadingTurn } from "./reading-turn.ts"
import type { Outlet, Turn } from "./turn.ts"

export interface WebSocketHostOptions extends ControlFrameBound {
  readonly turn: Turn
  readonly onError: (error: unknown) => void
}

export class WebSocketHost {
  readonly turn: Turn
  readonly controlFrames: ControlFrames
  readonly onError: (error: unknown) => void
  readonly reading = new ReadingTurn()
  readonly slab = new FrameSlab()
  /** First piece of all chains of turn `#startTurn`. Undefined until a connection needs it. */
  #start: Piece | undefined
  #startTurn = 0
  /** Drops the chain with its turn, so that its bytes are freed. */
  readonly #chain: Outlet = {
    release: (turn) => {
      if (turn === this.#startTurn) this.#start = undefined
    },
    terminate() {},
  }

  constructor(options: WebSocketHostOptions) {
    this.turn = options.turn
    this.controlFrames = new ControlFrames(options)
    this.onError = options.onError
  }

  /** Returns the first piece of all chains of the open turn. */
  start(): Piece {
    const { turn } = this
    if (this.#start !== undefined && this.#startTurn === turn.open) return this.#start
    turn.join(this.#chain)
    this.#startTurn = turn.open
    this.#start = Piece.start()
    return this.#start
  }
}
