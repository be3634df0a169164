// Polls a socket that has no `drained` event: browsers report only how many bytes wait. Must not know messages.
import type { TimerQueue } from "@hawser/protocol/core"

export class SocketPoll {
  readonly #timers: TimerQueue
  /** Delay of one poll, in milliseconds. */
  readonly #delayMs: number
  readonly #onPoll: () => void
  #cancel: (() => void) | undefined

  constructor(timers: TimerQueue, delayMs: number, onPoll: () => void) {
    this.#timers = timers
    this.#delayMs = delayMs
    this.#onPoll = onPoll
  }

  /** Schedules one poll, unless one is scheduled already. */
  start(): void {
    this.#cancel ??= this.#timers.after(this.#delayMs, () => {
      this.#cancel = undefined
      this.#onPoll()
    })
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }
}
