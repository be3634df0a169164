// Bounds the pings and pongs of each connection: the WebSocket library answers them past every bucket of the session, so
// a flood of them would take the event loop from all other connections. One for all connections of a way in, because
// hardly any of them has such frames in a second. Must not know messages or sessions.
import type { Clock, ServerLimits } from "@hawser/protocol"

export interface ControlFrameBound {
  readonly clock: Pick<Clock, "now">
  readonly limits: Pick<ServerLimits, "controlFramesPerSecond">
}

const windowMs = 1_000

export class ControlFrames {
  readonly #bound: ControlFrameBound
  /** Of this second. */
  readonly #counts = new Map<object, number>()
  #windowStartMs = 0

  constructor(bound: ControlFrameBound) {
    this.#bound = bound
  }

  /** Counts one frame. Returns the violation at the connection's first frame of a second beyond the bound. */
  violationOf(connection: object): Error | undefined {
    const { clock, limits } = this.#bound
    const nowMs = clock.now()
    if (nowMs - this.#windowStartMs >= windowMs) {
      this.#windowStartMs = nowMs
      this.#counts.clear()
    }
    const count = (this.#counts.get(connection) ?? 0) + 1
    this.#counts.set(connection, count)
    const most = limits.controlFramesPerSecond
    if (count !== Math.floor(most) + 1) return undefined
    const message = `more than ${most} pings and pongs in a second (limits.controlFramesPerSecond)`
    return Object.assign(new RangeError(message), { code: "WS_ERR_TOO_MANY_CONTROL_FRAMES" })
  }

  /** The connection has ended. */
  forget(connection: object): void {
    this.#counts.delete(connection)
  }
}
