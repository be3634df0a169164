// Renews log-ins without a password: `POST /auth/session/NAME/renew` exchanges a cookie for a fresh access token and the next
// cookie, `POST …/end` ends the log-in. The cookie's path carries the name, so that two players in one browser do not share a
// cookie. Must not know how log-ins are stored.
import { RateLimiter } from "@hawser/protocol/core"
import type { IncomingMessage } from "node:http"
import { z } from "zod"
import { isDatabaseDown } from "../store/busy.ts"
import { loginIdleMs } from "../store/login-store.ts"
import type { LoginStore, LoginToken, Renewal } from "../store/login-store.ts"
import type { PlayerRecord } from "../store/player-record.ts"
import type { PlayerStore } from "../store/player-store.ts"
import { cookieOf, setCookie } from "./cookies.ts"
import { barredReply, tokenBody, tokenReply } from "./login-replies.ts"
import type { RenewalTokens } from "./renewal-tokens.ts"
import { comeBackLater, jsonReply, refusal, withField } from "./reply.ts"
import { anyText, json, paramsOf, refused } from "./route.ts"
import type { Route, RouteReply } from "./route.ts"
import { okBody } from "./status-routes.ts"
import type { Tokens } from "./tokens.ts"

export interface StayingOptions {
  readonly logins: LoginStore
  readonly store: Pick<PlayerStore, "findById">
  readonly tokens: Tokens
  readonly renewalTokens: RenewalTokens
  readonly trustProxy: boolean
  /** Milliseconds since 1970. */
  readonly nowMs: () => number
  /** Monotonic milliseconds. */
  readonly monotonicMs: () => number
  /** Called with an unexpected error and the path of its request. */
  readonly onFault: (error: unknown, path: string) => void
  /** Counts each renewal by its outcome. */
  readonly onRenewal: (outcome: Renewal["kind"] | "unsigned", username: string) => void
}

export interface StayingLogins {
  readonly routes: readonly Route[]
  /** Adds the cookie of a new log-in to the answer. */
  begin(
    player: PlayerRecord,
    login: { readonly reply: Response; readonly request: IncomingMessage },
  ): Promise<Response>
}

const sessionParams = z.object({
  name: z
    .string()
    .regex(/^[A-Za-z0-9_-]{3,50}$/)
    .meta({ description: "Name of the player", examples: ["anna"] }),
})

/** Renewals of one log-in: 6 at once, then one every 5 s. Beyond: 429. */
const renewalLimit = { everyMs: 5_000, burst: 6 } as const

export function createStayingLogins(options: StayingOptions): StayingLogins {
  const cookies = loginCookies(options)
  return {
    routes: [renewal(options, cookies), end(options, cookies)],
    async begin({ id, username }, { reply, request }) {
      try {
        const token = await options.logins.begin(options.renewalTokens.newFamily(), id)
        return withField(reply, "Set-Cookie", cookies.write(request, username.toLowerCase(), token))
      } catch (error) {
        // A log-in succeeds while the database accepts no writes. It then ends with its access token.
        if (!isDatabaseDown(error)) throw error
        options.onFault(error, "/auth/login")
        return reply
      }
    },
  }
}

interface LoginCookies {
  /** Returns the signed token in the request's cookie. */
  read(request: IncomingMessage): LoginToken | undefined
  /** Returns `Set-Cookie` with the token, or one that deletes the cookie. */
  write(request: IncomingMessage, username: string, token: LoginToken | undefined): string
}

function loginCookies({ renewalTokens, trustProxy }: StayingOptions): LoginCookies {
  return {
    read: (request) => renewalTokens.read(cookieOf(request, renewalTokens.cookieName) ?? ""),
    write: (request, username, token) =>
      setCookie(renewalTokens.cookieName, token === undefined ? "" : renewalTokens.write(token), {
        path: `/auth/session/${username}`,
        maxAgeMs: token === undefined ? 0 : loginIdleMs,
        isSecure: isSecure(request, trustProxy),
      }),
  }
}

function renewal(options: StayingOptions, cookies: LoginCookies): Route {
  const { logins, store, tokens, nowMs, monotonicMs, onRenewal } = options
  const limiter = new RateLimiter()

  const ended = (request: IncomingMessage, username: string): Response =>
    refusal(401, "You are not logged in any more; log in again", {
      "WWW-Authenticate": "Bearer",
      "Set-Cookie": cookies.write(request, username, undefined),
    })

  async function renew(request: IncomingMessage, username: string): Promise<Response> {
    const token = cookies.read(request)
    if (token === undefined) {
      onRenewal("unsigned", username)
      return ended(request, username)
    }
    const waitMs = limiter.take(token.family, renewalLimit, monotonicMs())
    if (waitMs > 0) return comeBackLater(429, "Too many renewals; wait before the next", waitMs)
    const renewed = await logins.renew(token)
    onRenewal(renewed.kind, username)
    if (!("token" in renewed)) return ended(request, username)
    const player = await store.findById(renewed.playerId)
    if (player === undefined || player.username.toLowerCase() !== username) return ended(request, username)
    const barred = barredReply(player, nowMs())
    if (barred !== undefined) return barred
    const reply = tokenReply(await tokens.issue(player.username))
    return withField(reply, "Set-Cookie", cookies.write(request, username, renewed.token))
  }

  return sessionRoute("renew", "Exchange the cookie of a log-in for an access token and the next cookie", {
    replies: {
      200: json("An access token and the next cookie", tokenBody),
      401: refused("The cookie is missing, not valid, or used before"),
      403: refused("The account is banned or timed out"),
      429: refused("The log-in is renewed too often; see Retry-After"),
      503: refused("The database is not available; see Retry-After"),
    },
    answer: renew,
  })
}

function end({ logins }: StayingOptions, cookies: LoginCookies): Route {
  return sessionRoute("end", "End a log-in", {
    replies: {
      200: json("The log-in of the cookie, if there was one, has ended", okBody),
      503: refused("The database is not available; see Retry-After"),
    },
    async answer(request, username) {
      const token = cookies.read(request)
      if (token !== undefined) await logins.end(token.family)
      return jsonReply(200, { status: "ok" }, { "Set-Cookie": cookies.write(request, username, undefined) })
    },
  })
}

interface SessionAnswer {
  readonly replies: Readonly<Record<number, RouteReply>>
  readonly answer: (request: IncomingMessage, username: string) => Promise<Response>
}

function sessionRoute(verb: string, summary: string, { replies, answer }: SessionAnswer): Route {
  return {
    method: "POST",
    path: `/auth/session/:name${anyText}/${verb}`,
    summary,
    params: sessionParams,
    credential: "loginCookie",
    replies: { ...replies, 404: refused("The parameter cannot be the name of a player") },
    answer(context) {
      const params = paramsOf(context, sessionParams)
      if (params === undefined) return refusal(404, "Not Found")
      return answer(context.env.incoming, params.name.toLowerCase())
    },
  }
}

/** True if the browser speaks TLS, here or with the trusted proxy. */
function isSecure({ headers }: IncomingMessage, trustProxy: boolean): boolean {
  const header = headers["x-forwarded-proto"]
  const forwarded = (Array.isArray(header) ? header.join() : header)?.split(",").at(-1)?.trim()
  return trustProxy && forwarded === "https"
}
