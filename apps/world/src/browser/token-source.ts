// Gives the client its token, and renews it in time. A log-in that cannot be renewed ends; a server that cannot be reached
// does not end it. Must not know the game, nor how a renewal is sent.
import { HawserError } from "@hawser/client"
import { accessToken, isFresh, isValid } from "./access-token.ts"
import type { AccessToken } from "./access-token.ts"

/** `ended`: this log-in cannot be renewed any more. `later`: the server gave no verdict. */
export type Renewed =
  | { readonly kind: "renewed"; readonly token: string }
  | { readonly kind: "ended"; readonly text: string }
  | { readonly kind: "later"; readonly text: string }

export interface TokenSourceOptions {
  readonly first: AccessToken
  readonly renew: (name: string) => Promise<Renewed>
  /** Keeps a fresh token for a reload of the page. */
  readonly store: (token: AccessToken) => void
  /** The log-in has ended; the text says so to the player. */
  readonly onEnded: (text: string) => void
  /** Milliseconds since 1970. */
  readonly nowMs: () => number
  readonly pause: (ms: number) => Promise<void>
}

/**
 * True for an error of the token source that the page shows by itself: the form, or the state of the connection. Anything
 * else is a fault of the page.
 */
export function isOutcomeOfLogin(error: unknown): boolean {
  if (!HawserError.is(error) || error.cause !== undefined) return false
  return error.code === "auth_token_expired" || error.code === "sys_service_unavailable"
}

/** Pauses between attempts to renew, in milliseconds. Then the call rejects, and the client asks again later. */
const pausesMs = [1_000, 3_000]

/** For `createClient`. Calls at the same time share one renewal. */
export function createTokenSource(
  options: TokenSourceOptions,
): (context: { readonly refused: HawserError | undefined }) => Promise<string> {
  const { renew, store, onEnded, nowMs, pause } = options
  let token = options.first
  let underWay: Promise<Renewed> | undefined

  async function renewPatiently(): Promise<Renewed> {
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
    underWay ??= renewPatiently().finally(() => {
      underWay = undefined
    })
    return underWay
  }

  return async ({ refused }) => {
    if (refused === undefined && isFresh(token, nowMs())) return token.text
    const renewed = await renewOnce()
    if (renewed.kind === "renewed") return token.text
    // The old one serves for as long as it is good.
    if (renewed.kind === "later" && refused === undefined && isValid(token, nowMs())) return token.text
    const code = renewed.kind === "ended" ? "auth_token_expired" : "sys_service_unavailable"
    throw new HawserError(code, { message: renewed.text })
  }
}
