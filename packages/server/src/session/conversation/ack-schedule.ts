// When settled messages are acknowledged that no count and no size has brought up: one timer for all sessions.
import type { TimerQueue } from "@hawser/protocol/core"

export interface Acknowledging {
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

  /** Within `delayMs` from the first that asked. */
  add(session: Acknowledging): void {
    this.#waiting.add(session)
    this.#cancel ??= this.#timers.after(this.#delayMs, () => this.#flush())
  }

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
