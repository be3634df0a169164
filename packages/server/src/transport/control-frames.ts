// Limits the pings and pongs of each connection (`controlFramesPerSecond`). The rate limits of sessions do not apply to them,
// so a flood would block the event loop. All connections of an entrance share one object, because few of them receive such
// frames within a second. Must not know messages or sessions.
import type { Clock, ServerLimits } from "@hawser/protocol"

export interface ControlFrameBound {
  readonly clock: Pick<Clock, "now">
  readonly limits: Pick<ServerLimits, "controlFramesPerSecond">
}

const windowMs = 1_000

export class ControlFrames {
  readonly #bound: ControlFrameBound
  /** Frames of the current second, by connection. */
  readonly #counts = new Map<object, number>()
  #windowStartMs = 0

  constructor(bound: ControlFrameBound) {
    this.#bound = bound
  }

  /** Counts one frame. Returns an error at the connection's first frame above the limit within a second, otherwise undefined. */
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

  /** Removes the count of a connection that has ended. */
  forget(connection: object): void {
    this.#counts.delete(connection)
  }
}
