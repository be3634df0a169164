// Delays acknowledgements that neither `ackEveryCount` nor `ackEveryBytes` has caused. One timer for all sessions.
import type { TimerQueue } from "@hawser/protocol/core"

/** Session with a pending acknowledgement. */
export interface Acknowledging {
  /** Sends the acknowledgement. */
  flushAck(): void
}

export class AckSchedule {
  readonly #timers: TimerQueue
  readonly #delayMs: number
  readonly #waiting = new Set<Acknowledging>()
  #cancel: (() => void) | undefined

  constructor(timers: TimerQueue, delayMs: number) {
    this.#timers = timers
    this.#delayMs = delayMs
  }

  /** Calls `flushAck` of the session within `delayMs`. */
  add(session: Acknowledging): void {
    this.#waiting.add(session)
    this.#cancel ??= this.#timers.after(this.#delayMs, () => this.#flush())
  }

  /** Removes a session that has ended. */
  delete(session: Acknowledging): void {
    if (!this.#waiting.delete(session) || this.#waiting.size > 0) return
    this.#cancel?.()
    this.#cancel = undefined
  }

  #flush(): void {
    this.#cancel = undefined
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const session of waiting) session.flushAck()
  }
}
