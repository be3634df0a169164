// Limits the rate of renewed tokens of one session, because each costs a call of `authenticate` and of `canJoin` for each joined
// topic. Above the rate (`tokenEveryMs`, `tokenBurst`) the newest token waits until the bucket allows it or the connection closes.
// Must not interpret tokens.
import type { Base } from "../../base/create-base.ts"

export class TokenPace {
  readonly #host: Base
  readonly #check: (token: string) => void
  /** Time at which the bucket is full. */
  #fullAtMs = 0
  #waiting: string | undefined
  #cancel: (() => void) | undefined

  constructor(host: Base, check: (token: string) => void) {
    this.#host = host
    this.#check = check
  }

  /** Checks a token now or later. A newer token replaces a waiting one. */
  receive(token: string): void {
    this.#waiting = token
    if (this.#cancel === undefined) this.#next()
  }

  /** Adds a permit for a token that the server has requested. */
  requested(): void {
    this.#fullAtMs -= this.#host.limits.tokenEveryMs
  }

  /** Drops the waiting token when the connection has closed: the next HELLO carries a token. */
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
