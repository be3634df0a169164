// A user's token over the life of a session: asks for a fresh one before it expires, checks what comes, gives up
// after the grace. Knows no sockets.
import { HawserError } from "@hawser/protocol"
import type { Clock, ServerLimits } from "@hawser/protocol"
import type { TimerQueue } from "@hawser/protocol/core"
import { checkedUser } from "../../base/authenticate.ts"
import type { Authenticate, AuthenticatedUser } from "../../base/authenticate.ts"
import { isAnswer } from "../../calls/told-error.ts"
import { TokenPace } from "./token-pace.ts"

export interface TokenRenewalHost<User extends AuthenticatedUser> {
  readonly authenticate: Authenticate<User>
  readonly limits: ServerLimits
  readonly timers: TimerQueue
  readonly clock: Pick<Clock, "now">
  readonly wallClockMs: () => number
  readonly onError: (error: unknown) => void
}

export interface TokenRenewalOwner<User extends AuthenticatedUser> {
  readonly address: string
  /** The client is to send a fresh token. */
  askForToken(expiresInMs: number): void
  /** The same user, with a fresh token. */
  onRenewed(user: User, expiresInMs: number | null): void
  /** No good token came. `auth_forbidden` when it was another user's. */
  onRenewalFailed(error: HawserError): void
}

/** Milliseconds until a user's token expires; null when it does not. */
export function expiresInMs({ expiresAtMs }: AuthenticatedUser, wallClockMs: () => number): number | null {
  // Infinity is another way to say never; `checkedUser` has refused everything else that is not finite.
  return expiresAtMs === undefined || expiresAtMs === Number.POSITIVE_INFINITY
    ? null
    : Math.max(0, Math.round(expiresAtMs - wallClockMs()))
}

/** Of a session whose user's token expires, or that was sent a fresh one all the same. */
export class TokenRenewal<User extends AuthenticatedUser> {
  readonly #host: TokenRenewalHost<User>
  readonly #owner: TokenRenewalOwner<User>
  #user: User
  #cancel: (() => void) | undefined
  #aborter: AbortController | undefined
  /** Undefined until a client sends its first token. */
  #pace: TokenPace | undefined

  constructor(host: TokenRenewalHost<User>, owner: TokenRenewalOwner<User>, user: User) {
    this.#host = host
    this.#owner = owner
    this.#user = user
  }

  /** A connection with this user's token is bound. */
  start(user: User): void {
    this.#user = user
    this.#arm()
  }

  /** No connection is bound: nobody can be asked, and nobody speaks with the old token. */
  stop(): void {
    this.#cancel?.()
    this.#pace?.stop()
    this.#aborter?.abort(new HawserError("connection_lost"))
    this.#aborter = undefined
  }

  /** A token came on the live connection. It is checked at once, or when the pace allows it unless a newer one came. */
  receive(token: string): void {
    this.#pace ??= new TokenPace(this.#host, (due) => {
      this.#check(due).catch(this.#host.onError)
    })
    this.#pace.receive(token)
  }

  /** One at a time: a second one while the first is checked takes its place. */
  async #check(token: string): Promise<void> {
    const { authenticate, onError } = this.#host
    const owner = this.#owner
    this.#aborter?.abort(new HawserError("cancelled"))
    const aborter = new AbortController()
    this.#aborter = aborter
    try {
      const context = { address: owner.address, signal: aborter.signal }
      const user = checkedUser(await authenticate(token, context))
      if (this.#aborter !== aborter) return
      if (user.id !== this.#user.id)
        throw new HawserError("auth_forbidden", { message: "the fresh token is another user's" })
      this.#user = user
      this.#arm()
      owner.onRenewed(user, this.#expiresInMs)
    } catch (error) {
      if (this.#aborter !== aborter) return
      if (!isAnswer(error)) onError(error)
      owner.onRenewalFailed(isAnswer(error) ? error : new HawserError("sys_internal_error"))
    }
  }

  #arm(): void {
    const { limits, timers } = this.#host
    this.#cancel?.()
    const leftMs = this.#expiresInMs
    if (leftMs === null) return
    // A token that lives no longer than this would be asked for again as soon as it has come, for ever.
    const askInMs = Math.max(leftMs - limits.tokenRefreshBeforeMs, leftMs / 2)
    this.#cancel = timers.after(askInMs, () => {
      this.#pace?.asked()
      this.#owner.askForToken(this.#expiresInMs ?? 0)
      this.#armEnd()
    })
  }

  #armEnd(): void {
    const { limits, timers } = this.#host
    this.#cancel = timers.after((this.#expiresInMs ?? 0) + limits.tokenGraceMs, () =>
      this.#owner.onRenewalFailed(new HawserError("auth_token_expired")),
    )
  }

  get #expiresInMs(): number | null {
    return expiresInMs(this.#user, this.#host.wallClockMs)
  }
}
