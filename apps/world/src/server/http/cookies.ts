// Reads a cookie of a request and writes the field `Set-Cookie`. Refuses a name that occurs twice, which the reader of Hono
// accepts. Must not know the content of the cookie.
import type { IncomingMessage } from "node:http"

/** Returns the value of a cookie; undefined if there is none, or more than one. */
export function cookieOf({ headers }: IncomingMessage, name: string): string | undefined {
  const values = (headers.cookie ?? "").split(";").flatMap((pair) => {
    const [key = "", ...value] = pair.split("=")
    return key.trim() === name ? [value.join("=").trim()] : []
  })
  return values.length === 1 ? values[0] : undefined
}

export interface CookieOptions {
  readonly path: string
  /** 0 deletes the cookie. */
  readonly maxAgeMs: number
  /** True if the browser may send it over TLS only. */
  readonly isSecure: boolean
}

/** Returns the field `Set-Cookie` for a cookie that no script reads and no page of another site sends. */
export function setCookie(name: string, value: string, { path, maxAgeMs, isSecure }: CookieOptions): string {
  const maxAge = Math.floor(maxAgeMs / 1_000)
  const secure = isSecure ? "; Secure" : ""
  return `${name}=${value}; Path=${path}; Max-Age=${maxAge}; HttpOnly; SameSite=Strict${secure}`
}
