// Paces the fresh tokens that one session sends: each costs a call of `authenticate` and of the hooks of every topic that
// it joined. Beyond the bucket the newest token waits; it is never lost while its connection lasts.
// Must not know what a token means.
import type { Clock, ServerLimits } from "@hawser/protocol"
import type { TimerQueue } from "@hawser/protocol/core"

export interface TokenPaceHost {
  readonly limits: Pick<ServerLimits, "tokenEveryMs" | "tokenBurst">
  readonly timers: Pick<TimerQueue, "after">
  readonly clock: Pick<Clock, "now">
}

export class TokenPace {
  readonly #host: TokenPaceHost
  readonly #check: (token: string) => void
  /** When the bucket is full again. */
  #fullAtMs = 0
  #waiting: string | undefined
  #cancel: (() => void) | undefined

  constructor(host: TokenPaceHost, check: (token: string) => void) {
    this.#host = host
    this.#check = check
  }

  receive(token: string): void {
    this.#waiting = token
    if (this.#cancel === undefined) this.#next()
  }

  /** The server has asked for the next token: it costs nothing. */
  asked(): void {
    this.#fullAtMs -= this.#host.limits.tokenEveryMs
  }

  /** The connection is gone: its successor brings a token of its own. */
  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#waiting = undefined
  }

  #next(): void {
    const { clock, timers, limits } = this.#host
    const token = this.#waiting
    if (token === undefined) return
    const nowMs = clock.now()
    const fullAtMs = Math.max(nowMs, this.#fullAtMs) + limits.tokenEveryMs
    const waitMs = fullAtMs - nowMs - limits.tokenBurst * limits.tokenEveryMs
    if (waitMs > 0) {
      this.#cancel = timers.after(waitMs, () => {
        this.#cancel = undefined
        this.#next()
      })
      return
    }
    this.#fullAtMs = fullAtMs
    this.#waiting = undefined
    this.#check(token)
  }
}
