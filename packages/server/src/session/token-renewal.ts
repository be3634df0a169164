// A user's token over the life of a session: asks for a fresh one before it expires, checks what comes, gives up
// after the grace. Knows no sockets.
import { HawserError } from "@hawser/protocol"
import type { ServerLimits, TimerQueue } from "@hawser/protocol"
import type { Authenticate, AuthenticatedUser } from "../authenticate.ts"

export interface TokenRenewalOptions<User extends AuthenticatedUser> {
  readonly authenticate: Authenticate<User>
  readonly limits: ServerLimits
  readonly timers: TimerQueue
  readonly wallClockMs: () => number
  readonly address: () => string
  /** Asks the client for a fresh token. */
  readonly ask: (expiresInMs: number) => void
  /** The same user, with a fresh token. */
  readonly onRenewed: (user: User, expiresInMs: number | null) => void
  /** No good token came. `auth_forbidden` when it was another user's. */
  readonly onFailed: (error: HawserError) => void
  readonly onError: (error: unknown) => void
}

export class TokenRenewal<User extends AuthenticatedUser> {
  readonly #options: TokenRenewalOptions<User>
  #user: User
  #cancel: () => void = () => {}
  #aborter: AbortController | undefined

  constructor(options: TokenRenewalOptions<User>, user: User) {
    this.#options = options
    this.#user = user
  }

  /** Milliseconds until the token expires; null when it does not. */
  get expiresInMs(): number | null {
    const { expiresAtMs } = this.#user
    // Infinity is another way to say never.
    return expiresAtMs === undefined || !Number.isFinite(expiresAtMs)
      ? null
      : Math.max(0, Math.round(expiresAtMs - this.#options.wallClockMs()))
  }

  /** A connection with this user's token is bound. */
  start(user: User): void {
    this.#user = user
    this.#arm()
  }

  /** No connection is bound: nobody can be asked, and nobody speaks with the old token. */
  stop(): void {
    this.#cancel()
    this.#aborter?.abort(new HawserError("connection_lost"))
    this.#aborter = undefined
  }

  /** A token came on the live connection. One at a time: a second one while the first is checked takes its place. */
  async receive(token: string): Promise<void> {
    const { authenticate, address, onRenewed, onFailed, onError } = this.#options
    this.#aborter?.abort(new HawserError("cancelled"))
    const aborter = new AbortController()
    this.#aborter = aborter
    try {
      const user = await authenticate(token, { address: address(), signal: aborter.signal })
      if (this.#aborter !== aborter) return
      if (user.id !== this.#user.id)
        throw new HawserError("auth_forbidden", { message: "the fresh token is another user's" })
      this.#user = user
      this.#arm()
      onRenewed(user, this.expiresInMs)
    } catch (error) {
      if (this.#aborter !== aborter) return
      if (!HawserError.is(error)) onError(error)
      onFailed(HawserError.is(error) ? error : new HawserError("sys_internal_error"))
    }
  }

  #arm(): void {
    const { limits, timers, ask } = this.#options
    this.#cancel()
    const { expiresInMs } = this
    if (expiresInMs === null) return
    // A token that lives no longer than this would be asked for again as soon as it has come, for ever.
    const askInMs = Math.max(expiresInMs - limits.tokenRefreshBeforeMs, expiresInMs / 2)
    this.#cancel = timers.after(askInMs, () => {
      ask(this.expiresInMs ?? 0)
      this.#armEnd()
    })
  }

  #armEnd(): void {
    const { limits, timers, onFailed } = this.#options
    this.#cancel = timers.after((this.expiresInMs ?? 0) + limits.tokenGraceMs, () =>
      onFailed(new HawserError("auth_token_expired")),
    )
  }
}
