// Compares origins and hosts in parsed form: case and a default port (`:443`) are ignored, and an origin with a path is invalid.
// Must not know requests.
import { quoted } from "@hawser/protocol/core"
import { isLoopback } from "./peer-address.ts"

/** Returns scheme, host and port in canonical form; undefined for an invalid origin, such as `null` or a URL with a path. */
export function canonicalOrigin(text: string): string | undefined {
  if (!/^[a-z][a-z\d+.-]*:\/\/[^\s/?#@\\]+$/i.test(text) || !URL.canParse(text)) return undefined
  const { protocol, host } = new URL(text)
  return `${protocol}//${host.toLowerCase()}`
}

/** Returns true if `origin` has the host of the request, by http or https. */
export function isOfHost(origin: string, host: string | undefined): boolean {
  const own = canonicalOrigin(origin)
  if (own === undefined || host === undefined) return false
  return ["http", "https"].some((scheme) => own === canonicalOrigin(`${scheme}://${host}`))
}

/** Returns true for the name `localhost` and the addresses of the loopback interface. `authority` may have a port. */
export function isLoopbackHost(authority: string): boolean {
  const origin = canonicalOrigin(`http://${authority}`)
  if (origin === undefined) return false
  const { hostname } = new URL(origin)
  return hostname === "localhost" || isLoopback(hostname.replace(/^\[(.*)\]$/, "$1"))
}

/** Returns true if `origin` is on this machine, by http or https. */
export function isLoopbackOrigin(origin: string): boolean {
  const own = canonicalOrigin(origin)
  return own !== undefined && /^https?:/.test(own) && isLoopbackHost(new URL(own).host)
}

/**
 * Returns the option `origins`, a list in canonical form. `null` is kept: pages in sandboxes and files have it.
 * @throws TypeError that names an invalid entry, or a value that is neither a list nor a function.
 */
export function allowedOrigins(
  origins: readonly string[] | ((origin: string) => boolean) | undefined,
): ReadonlySet<string> | ((origin: string) => boolean) | undefined {
  if (origins === undefined || typeof origins === "function") return origins
  if (!Array.isArray(origins))
    throw new TypeError(
      `the option origins of createServer must be a list or a function, not ${quoted(origins)}: write origins: ["https://game.example"]`,
    )
  return new Set(
    origins.map((entry: unknown) => {
      const origin = entry === "null" ? entry : canonicalOrigin(typeof entry === "string" ? entry : "")
      if (origin !== undefined) return origin
      throw new TypeError(
        `origins contains ${JSON.stringify(entry)}, which is not an origin; write it like https://game.example, without a path`,
      )
    }),
  )
}
