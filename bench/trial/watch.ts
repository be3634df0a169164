// Keeps the load awake. A write to a sleeping process costs the writer a wake-up, a microsecond or more of kernel time
// on its own account, and most on a virtual core. A server whose load sleeps would therefore seem more expensive than
// it is. Over a network this cost does not exist.
import { performance } from "node:perf_hooks"

export class Watch {
  readonly #isAwake: boolean
  #idleMs = 0
  #lookedMs = performance.now()
  #hasWorked = false
  #hasEnded = false

  /** @param isAwake false if the load has no core for itself: it would use the server's. */
  constructor(isAwake: boolean) {
    this.#isAwake = isAwake
    if (isAwake) this.#turn()
  }

  /** Notes that this turn of the event loop had work. */
  worked(): void {
    this.#hasWorked = true
  }

  /** Idle time since the start, in milliseconds. */
  idleMs(): number {
    return this.#isAwake ? this.#idleMs : performance.eventLoopUtilization().idle
  }

  end(): void {
    this.#hasEnded = true
  }

  #turn(): void {
    const nowMs = performance.now()
    if (!this.#hasWorked) this.#idleMs += nowMs - this.#lookedMs
    this.#lookedMs = nowMs
    this.#hasWorked = false
    if (!this.#hasEnded) setImmediate(() => this.#turn())
  }
}
