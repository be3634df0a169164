// Registers, logs in, renews and logs out over HTTP, and keeps the token for this tab. The browser alone handles the
// renewal cookie: no script can read it. Must not know the game.
import { z } from "zod"
import { accessToken } from "./access-token.ts"
import type { AccessToken } from "./access-token.ts"
import { jsonOf, textSlot } from "./text-slot.ts"
import type { Renewed } from "./token-source.ts"

export type LoginResult =
  | { readonly ok: true; readonly token: AccessToken }
  | { readonly ok: false; readonly text: string }

export interface Credentials {
  readonly username: string
  readonly password: string
}

const slot = textSlot(() => sessionStorage, "hawser.login")
const storedLogin = z.object({ text: z.string().min(1), gotAtMs: z.number() })
const loginReply = z.object({ access_token: z.string().min(1) })
const refusalReply = z.object({
  detail: z.union([z.string(), z.array(z.object({ msg: z.string(), loc: z.array(z.string()) }))]),
})

/**
 * Time limit of an answer, in milliseconds. The server answers in milliseconds, and a hanging connection must not block
 * the next attempt.
 */
const answerMs = 10_000
const unreadable = "The server's answer could not be read."
const ended = "You were logged out. Log in again to go on where you were."

export function loadToken(): AccessToken | undefined {
  const stored = storedLogin.safeParse(jsonOf(slot)).data
  return stored === undefined ? undefined : accessToken(stored.text, stored.gotAtMs)
}

export function storeToken(token: AccessToken | undefined): void {
  slot.write(token && JSON.stringify({ text: token.text, gotAtMs: token.gotAtMs }))
}

export async function login(credentials: Credentials): Promise<LoginResult> {
  const posted = await post("/auth/login", { ...credentials, renewable: true })
  if (!posted.ok) return posted
  const text = tokenIn(posted.body)
  return text === undefined
    ? { ok: false, text: unreadable }
    : { ok: true, token: accessToken(text, Date.now()) }
}

/** Creates the account, then logs in with it. */
export async function register(credentials: Credentials): Promise<LoginResult> {
  const posted = await post("/auth/register", credentials)
  return posted.ok ? login(credentials) : posted
}

/** Exchanges the cookie of this player's log-in for a fresh token. */
export async function renew(name: string): Promise<Renewed> {
  const posted = await post(`/auth/session/${encodeURIComponent(name.toLowerCase())}/renew`, undefined)
  if (posted.ok) {
    const token = tokenIn(posted.body)
    return token === undefined ? { kind: "later", text: unreadable } : { kind: "renewed", token }
  }
  switch (posted.status) {
    case 401:
    case 404:
      return { kind: "ended", text: ended }
    case 403:
      return { kind: "ended", text: posted.text }
    case undefined:
    default:
      return { kind: "later", text: posted.text }
  }
}

/**
 * Ends this player's log-in. `keepalive` sends the request even if the page closes. `later`: the server could not be
 * reached, or could not do it.
 */
export async function endLogin(name: string): Promise<"ended" | "later"> {
  const path = `/auth/session/${encodeURIComponent(name.toLowerCase())}/end`
  const posted = await post(path, undefined, { keepalive: true })
  const isRefused = !posted.ok && posted.status !== undefined && posted.status < 500 && posted.status !== 429
  // No repetition changes a refusal: no player has this name.
  return posted.ok || isRefused ? "ended" : "later"
}

type Posted =
  | { readonly ok: true; readonly body: unknown }
  /** `status` is undefined if the server could not be reached. */
  | { readonly ok: false; readonly status: number | undefined; readonly text: string }

async function post(path: string, content: unknown, init: RequestInit = {}): Promise<Posted> {
  try {
    const response = await fetch(path, {
      method: "POST",
      signal: AbortSignal.timeout(answerMs),
      ...(content === undefined
        ? {}
        : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(content) }),
      ...init,
    })
    const body: unknown = await response.json().catch(() => undefined)
    if (response.ok) return { ok: true, body }
    const { status } = response
    return { ok: false, status, text: refusalText(body) ?? `The server answered ${status}.` }
  } catch {
    return { ok: false, status: undefined, text: "The server cannot be reached." }
  }
}

function tokenIn(body: unknown): string | undefined {
  const read = loginReply.safeParse(body)
  return read.success ? read.data.access_token : undefined
}

/** Returns the sentence of a refusal, field by field. */
function refusalText(body: unknown): string | undefined {
  const read = refusalReply.safeParse(body)
  if (!read.success) return undefined
  const { detail } = read.data
  if (typeof detail === "string") return detail
  return detail
    .map(({ loc, msg }) => [loc.at(-1), msg].filter((part) => part !== undefined).join(": "))
    .join("; ")
}
