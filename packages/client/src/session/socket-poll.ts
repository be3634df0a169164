// Polls a socket that has no `drained` event: browsers report only how many bytes wait. Must not know messages.
import type { ClientSessionOptions } from "./client-session.ts"

type SocketPollOptions = Pick<ClientSessionOptions, "timers" | "limits">

export class SocketPoll {
  readonly #options: SocketPollOptions
  readonly #onPoll: () => void
  #cancel: (() => void) | undefined

  constructor(options: SocketPollOptions, onPoll: () => void) {
    this.#options = options
    this.#onPoll = onPoll
  }

  /** Schedules one poll, unless one is scheduled already. */
  start(): void {
    const { timers, limits } = this.#options
    this.#cancel ??= timers.after(limits.socketPollMs, () => {
      this.#cancel = undefined
      this.#onPoll()
    })
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }
}
