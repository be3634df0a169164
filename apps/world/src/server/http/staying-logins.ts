// Decides how a log-in is renewed without its password: `POST /auth/session/NAME/renew` exchanges a cookie for a fresh
// access token and the cookie's successor, `POST …/end` ends it. The cookie's path carries the name, so that two players
// in one browser do not share one. Must not know how log-ins are stored.
import { RateLimiter } from "@hawser/protocol/core"
import type { IncomingMessage } from "node:http"
import { isDatabaseDown } from "../store/busy.ts"
import { loginIdleMs } from "../store/login-store.ts"
import type { LoginStore, LoginToken, Renewal } from "../store/login-store.ts"
import type { PlayerRecord } from "../store/player-record.ts"
import type { PlayerStore } from "../store/player-store.ts"
import { cookieOf, setCookie } from "./cookies.ts"
import { barredReply, tokenReply } from "./login-replies.ts"
import type { RenewalTokens } from "./renewal-tokens.ts"
import { comeBackLater, jsonReply, refusal } from "./reply.ts"
import type { Reply } from "./reply.ts"
import type { Route } from "./routes.ts"
import type { Tokens } from "./tokens.ts"

export interface StayingOptions {
  readonly logins: LoginStore
  readonly store: Pick<PlayerStore, "findById">
  readonly tokens: Tokens
  readonly renewalTokens: RenewalTokens
  readonly trustProxy: boolean
  /** Milliseconds since 1970. */
  readonly nowMs: () => number
  /** Milliseconds from any start. */
  readonly monotonicMs: () => number
  /** Receives an unexpected error, with the path of its request. */
  readonly onFault: (error: unknown, path: string) => void
  /** Counts each renewal by how it went. */
  readonly onRenewal: (outcome: Renewal["kind"] | "unsigned", username: string) => void
}

export interface StayingLogins {
  readonly routes: readonly Route[]
  /** Adds the cookie of a new log-in to the answer. */
  begin(
    player: PlayerRecord,
    login: { readonly reply: Reply; readonly request: IncomingMessage },
  ): Promise<Reply>
}

const registeredName = /^[A-Za-z0-9_-]{3,50}$/

/** Renewals of one log-in: 6 at once, then one every 5 s. Beyond: 429. */
const renewalLimit = { everyMs: 5_000, burst: 6 } as const

export function createStayingLogins(options: StayingOptions): StayingLogins {
  const { logins, store, tokens, renewalTokens, nowMs, monotonicMs, onRenewal } = options
  const limiter = new RateLimiter()

  const cookie = (request: IncomingMessage, username: string, token: LoginToken | undefined): string =>
    setCookie(renewalTokens.cookieName, token === undefined ? "" : renewalTokens.write(token), {
      path: `/auth/session/${username}`,
      maxAgeMs: token === undefined ? 0 : loginIdleMs,
      isSecure: isSecure(request, options.trustProxy),
    })

  const presented = (request: IncomingMessage): LoginToken | undefined =>
    renewalTokens.read(cookieOf(request, renewalTokens.cookieName) ?? "")

  const ended = (request: IncomingMessage, username: string): Reply =>
    refusal(401, "You are not logged in any more; log in again", {
      "WWW-Authenticate": "Bearer",
      "Set-Cookie": cookie(request, username, undefined),
    })

  async function renew(request: IncomingMessage, username: string): Promise<Reply> {
    const token = presented(request)
    if (token === undefined) {
      onRenewal("unsigned", username)
      return ended(request, username)
    }
    const waitMs = limiter.take(token.family, renewalLimit, monotonicMs())
    if (waitMs > 0) return comeBackLater(429, "Too many renewals; wait before the next", waitMs)
    const renewal = await logins.renew(token)
    onRenewal(renewal.kind, username)
    if (!("token" in renewal)) return ended(request, username)
    const player = await store.findById(renewal.playerId)
    if (player === undefined || player.username.toLowerCase() !== username) return ended(request, username)
    const barred = barredReply(player, nowMs())
    if (barred !== undefined) return barred
    const reply = tokenReply(await tokens.issue(player.username))
    return withCookie(reply, cookie(request, username, renewal.token))
  }

  async function end(request: IncomingMessage, username: string): Promise<Reply> {
    const token = presented(request)
    if (token !== undefined) await logins.end(token.family)
    return jsonReply(200, { status: "ok" }, { "Set-Cookie": cookie(request, username, undefined) })
  }

  const named = (path: string, answer: typeof renew): Route => ({
    method: "POST",
    path,
    answer({ request, params: { name = "" } }) {
      return registeredName.test(name) ? answer(request, name.toLowerCase()) : refusal(404, "Not Found")
    },
  })

  return {
    routes: [named("/auth/session/:name/renew", renew), named("/auth/session/:name/end", end)],
    async begin({ id, username }, { reply, request }) {
      try {
        const token = await logins.begin(renewalTokens.newFamily(), id)
        return withCookie(reply, cookie(request, username.toLowerCase(), token))
      } catch (error) {
        // A database that takes no writes keeps no player out: this log-in only ends with its token.
        if (!isDatabaseDown(error)) throw error
        options.onFault(error, "/auth/login")
        return reply
      }
    },
  }
}

function withCookie(reply: Reply, cookie: string): Reply {
  return { ...reply, headers: { ...reply.headers, "Set-Cookie": cookie } }
}

/** True if the browser speaks TLS, here or with the trusted proxy. */
function isSecure({ headers }: IncomingMessage, trustProxy: boolean): boolean {
  const header = headers["x-forwarded-proto"]
  const forwarded = (Array.isArray(header) ? header.join() : header)?.split(",").at(-1)?.trim()
  return trustProxy && forwarded === "https"
}
