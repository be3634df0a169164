// The load stays awake. Who writes to a process that sleeps pays for waking it, a microsecond or more of the kernel's time
// on its own account, and most where the core is a virtual one. So a server that keeps its load waiting would seem dearer
// than it is; and on a network nobody pays that.
import { performance } from "node:perf_hooks"

export class Watch {
  readonly #isAwake: boolean
  #idleMs = 0
  #lookedMs = performance.now()
  #hasWorked = false
  #hasEnded = false

  /** @param isAwake false where the load has no core of its own: it would take the server's. */
  constructor(isAwake: boolean) {
    this.#isAwake = isAwake
    if (isAwake) this.#turn()
  }

  /** Something was to do in this turn of the event loop. */
  worked(): void {
    this.#hasWorked = true
  }

  /** For how long, since the start, nothing was to do. */
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
