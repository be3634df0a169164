// A log-in token as the page sees it: whose it is, how long it lives, and since when the page has it. The page cannot verify
// it; the server does. Must not know where tokens come from.
import { z } from "zod"

export interface AccessToken {
  readonly text: string
  /** The player's name as registered; empty if the token cannot be read. */
  readonly name: string
  /** 0 if the token cannot be read. */
  readonly lifetimeMs: number
  /** When the page got it, in milliseconds since 1970 by the page's own clock, which may differ from the server's. */
  readonly gotAtMs: number
}

const claimsOf = z.object({ sub: z.string(), iat: z.number(), exp: z.number() })

/** Part of its life after which a token is renewed. The server asks for a fresh one after half of it, or later. */
const freshPart = 0.4

export function accessToken(text: string, gotAtMs: number): AccessToken {
  const claims = claimsOf.safeParse(jsonIn(text.split(".")[1] ?? ""))
  if (!claims.success) return { text, name: "", lifetimeMs: 0, gotAtMs }
  const { sub, iat, exp } = claims.data
  return { text, name: sub, lifetimeMs: (exp - iat) * 1_000, gotAtMs }
}

/** False once the token should be renewed. */
export function isFresh(token: AccessToken, nowMs: number): boolean {
  const ageMs = nowMs - token.gotAtMs
  return ageMs >= 0 && ageMs < token.lifetimeMs * freshPart
}

/** False once the server refuses it. */
export function isValid(token: AccessToken, nowMs: number): boolean {
  return nowMs - token.gotAtMs < token.lifetimeMs
}

/** The JSON in base64url; undefined for any other text. */
function jsonIn(part: string): unknown {
  try {
    const bytes = Uint8Array.from(atob(part.replace(/-/g, "+").replace(/_/g, "/")), (char) =>
      char.charCodeAt(0),
    )
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return value
  } catch {
    return undefined
  }
}
