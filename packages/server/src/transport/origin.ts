// Compares origins and hosts in parsed form: case and a default port (`:443`) are ignored, and an origin with a path is invalid.
// Must not know requests.
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
 * Returns the entries of the option `origins` in canonical form. `null` is kept: pages in sandboxes and files have it.
 * @throws TypeError that names an invalid entry.
 */
export function canonicalOrigins(origins: readonly string[]): ReadonlySet<string> {
  return new Set(
    origins.map((entry) => {
      const origin = entry === "null" ? entry : canonicalOrigin(entry)
      if (origin !== undefined) return origin
      throw new TypeError(
        `origins contains ${JSON.stringify(entry)}, which is not an origin; write it like https://game.example, without a path`,
      )
    }),
  )
}
