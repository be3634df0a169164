// Supplies the client's token, and renews it in time. A log-in that cannot be renewed ends; an unreachable server does
// not end it. Must not know the game, nor how a renewal is sent.
import { HawserError } from "@hawser/client"
import { accessToken, isFresh, isValid } from "./access-token.ts"
import type { AccessToken } from "./access-token.ts"

/** `ended`: this log-in cannot be renewed any more. `later`: the server made no decision. */
export type Renewed =
  | { readonly kind: "renewed"; readonly token: string }
  | { readonly kind: "ended"; readonly text: string }
  | { readonly kind: "later"; readonly text: string }

export interface TokenSourceOptions {
  readonly first: AccessToken
  readonly renew: (name: string) => Promise<Renewed>
  /** Keeps a fresh token for a reload of the page. */
  readonly store: (token: AccessToken) => void
  /** Called when the log-in has ended, with a text for the player. */
  readonly onEnded: (text: string) => void
  /** Milliseconds since 1970. */
  readonly nowMs: () => number
  readonly pause: (ms: number) => Promise<void>
}

/**
 * Returns true for an error of the token source that the page already shows: in the form, or as the state of the
 * connection. Any other error is a fault of the page.
 */
export function isOutcomeOfLogin(error: unknown): boolean {
  if (!HawserError.is(error) || error.cause !== undefined) return false
  return error.code === "auth_token_expired" || error.code === "sys_service_unavailable"
}

/**
 * Pauses between attempts to renew, in milliseconds. After the last one the call rejects, and the client calls again
 * later.
 */
const pausesMs = [1_000, 3_000]

/** Creates the token source of `createClient`. Concurrent calls share one renewal. */
export function createTokenSource(
  options: TokenSourceOptions,
): (context: { readonly refused: HawserError | undefined }) => Promise<string> {
  const { renew, store, onEnded, nowMs, pause } = options
  let token = options.first
  let underWay: Promise<Renewed> | undefined

  async function renewWithRetries(): Promise<Renewed> {
    let renewed = await renew(token.name)
    for (const ms of pausesMs) {
      if (renewed.kind !== "later") break
      await pause(ms)
      renewed = await renew(token.name)
    }
    if (renewed.kind === "renewed") {
      token = accessToken(renewed.token, nowMs())
      store(token)
    }
    if (renewed.kind === "ended") onEnded(renewed.text)
    return renewed
  }

  function renewOnce(): Promise<Renewed> {
    underWay ??= renewWithRetries().finally(() => {
      underWay = undefined
    })
    return underWay
  }

  return async ({ refused }) => {
    if (refused === undefined && isFresh(token, nowMs())) return token.text
    const renewed = await renewOnce()
    if (renewed.kind === "renewed") return token.text
    // The old token is used while it is valid.
    if (renewed.kind === "later" && refused === undefined && isValid(token, nowMs())) return token.text
    const code = renewed.kind === "ended" ? "auth_token_expired" : "sys_service_unavailable"
    throw new HawserError(code, { message: renewed.text })
  }
}
