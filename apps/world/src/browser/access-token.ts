// A log-in token in the page: its player, its lifetime, and the time of its receipt. The page cannot verify it; the
// server does. Must not know the source of tokens.
import { z } from "zod"

export interface AccessToken {
  readonly text: string
  /** The player's name as registered; empty if the token cannot be read. */
  readonly name: string
  /** 0 if the token cannot be read. */
  readonly lifetimeMs: number
  /** Time of its receipt, in milliseconds since 1970 by the clock of the page, which may differ from the server's. */
  readonly gotAtMs: number
}

const claimsOf = z.object({ sub: z.string(), iat: z.number(), exp: z.number() })

/** Share of the lifetime after which a token is renewed. The server requests a fresh one after half of it, or later. */
const freshPart = 0.4

export function accessToken(text: string, gotAtMs: number): AccessToken {
  const claims = claimsOf.safeParse(jsonIn(text.split(".")[1] ?? ""))
  if (!claims.success) return { text, name: "", lifetimeMs: 0, gotAtMs }
  const { sub, iat, exp } = claims.data
  return { text, name: sub, lifetimeMs: (exp - iat) * 1_000, gotAtMs }
}

/** Returns false once the token should be renewed. */
export function isFresh(token: AccessToken, nowMs: number): boolean {
  const ageMs = nowMs - token.gotAtMs
  return ageMs >= 0 && ageMs < token.lifetimeMs * freshPart
}

/** Returns false once the server refuses the token. */
export function isValid(token: AccessToken, nowMs: number): boolean {
  return nowMs - token.gotAtMs < token.lifetimeMs
}

/** Returns the JSON in base64url; undefined for any other text. */
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
