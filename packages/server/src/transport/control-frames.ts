// Bounds the pings and pongs of one connection: the WebSocket library answers them past every bucket of the session, so
// a flood of them would take the event loop from all other connections. Must not know messages or sessions.
import type { Clock, ServerLimits } from "@hawser/protocol"

export interface ControlFrameBound {
  readonly clock: Pick<Clock, "now">
  readonly limits: Pick<ServerLimits, "controlFramesPerSecond">
}

const windowMs = 1_000

export class ControlFrames {
  #count = 0
  #windowStartMs = 0

  /** Counts one frame. Returns the violation at the first frame of a second beyond the bound, otherwise undefined. */
  violationOf({ clock, limits }: ControlFrameBound): Error | undefined {
    const nowMs = clock.now()
    if (nowMs - this.#windowStartMs >= windowMs) {
      this.#windowStartMs = nowMs
      this.#count = 0
    }
    this.#count += 1
    const most = limits.controlFramesPerSecond
    if (this.#count !== Math.floor(most) + 1) return undefined
    const message = `more than ${most} pings and pongs in a second (limits.controlFramesPerSecond)`
    return Object.assign(new RangeError(message), { code: "WS_ERR_TOO_MANY_CONTROL_FRAMES" })
  }
}
