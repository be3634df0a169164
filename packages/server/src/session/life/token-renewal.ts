// Renews a session's token: requests a new one before expiry, and verifies it. Without a valid token the renewal fails
// `tokenGraceMs` after expiry. Must not know sockets.
import { HawserError } from "@hawser/protocol"
import { checkedUser } from "../../base/authenticate.ts"
import type { Authenticate, AuthenticatedUser } from "../../base/authenticate.ts"
import type { Base } from "../../base/create-base.ts"
import { answerOf } from "../../calls/wire-error.ts"
import { TokenPace } from "./token-pace.ts"

/** Dependencies of `TokenRenewal`. */
export interface TokenRenewalHost<User extends AuthenticatedUser> extends Base {
  readonly authenticate: Authenticate<User>
}

/** Session of a `TokenRenewal`. */
export interface TokenRenewalOwner<User extends AuthenticatedUser> {
  readonly address: string
  /** Requests a new token from the client. */
  askForToken(expiresInMs: number): void
  /** Called when a new token of the same user was verified. */
  onRenewed(user: User, expiresInMs: number | null): void
  /** Called when a token was refused or missed its deadline. `auth_forbidden`: it belongs to another user. */
  onRenewalFailed(error: HawserError): void
}

/** Returns the milliseconds until a user's token expires, at least 0; null if it does not expire. */
export function expiresInMs({ expiresAtMs }: AuthenticatedUser, wallClockMs: () => number): number | null {
  // Infinity means no expiry. `checkedUser` has refused all other values that are not finite.
  return expiresAtMs === undefined || expiresAtMs === Number.POSITIVE_INFINITY
    ? null
    : Math.max(0, Math.round(expiresAtMs - wallClockMs()))
}

/** Created for a session whose token expires, or whose client has sent a new one. */
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

  /** Starts the timers when a connection with this user's token was bound. */
  start(user: User): void {
    this.#user = user
    this.#arm()
  }

  /** Stops the timers and the running verification when the session is detached. */
  stop(): void {
    this.#cancel?.()
    this.#pace?.stop()
    this.#aborter?.abort(new HawserError("connection_lost"))
    this.#aborter = undefined
  }

  /** Receives a token on the current connection. Verifies it when `TokenPace` allows it, unless a newer one has arrived. */
  receive(token: string): void {
    this.#pace ??= new TokenPace(this.#host, (due) => {
      this.#check(due).catch(this.#host.onError)
    })
    this.#pace.receive(token)
  }

  /** Verifies a token. A newer token aborts the running verification. */
  async #check(token: string): Promise<void> {
    const { authenticate, onError, refusals } = this.#host
    const owner = this.#owner
    this.#aborter?.abort(new HawserError("cancelled"))
    const aborter = new AbortController()
    this.#aborter = aborter
    try {
      const context = { address: owner.address, signal: aborter.signal }
      const user = checkedUser(await authenticate(token, context))
      if (this.#aborter !== aborter) return
      if (user.id !== this.#user.id)
        throw new HawserError("auth_forbidden", { message: "the new token belongs to another user" })
      this.#user = user
      this.#arm()
      owner.onRenewed(user, this.#expiresInMs)
    } catch (error) {
      if (this.#aborter !== aborter) return
      const answer = answerOf(error, onError)
      refusals.add(answer, error, { address: owner.address, userId: this.#user.id })
      owner.onRenewalFailed(answer)
    }
  }

  #arm(): void {
    const { limits, timers } = this.#host
    this.#cancel?.()
    const leftMs = this.#expiresInMs
    if (leftMs === null) return
    // A token with a shorter life than `tokenRefreshBeforeMs` would be requested again at once, so half of its life passes first.
    const askInMs = Math.max(leftMs - limits.tokenRefreshBeforeMs, leftMs / 2)
    this.#cancel = timers.after(askInMs, () => {
      this.#pace?.requested()
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
