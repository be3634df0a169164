// Origins and hosts as browsers and proxies write them, compared as parsed: case and a default port (`:443`) make no
// difference, a path makes an origin none. Knows no requests.
import { isLoopback } from "./peer-address.ts"

/** Scheme, host and port in one spelling; undefined for what is no origin, such as `null` or an address with a path. */
export function canonicalOrigin(text: string): string | undefined {
  if (!/^[a-z][a-z\d+.-]*:\/\/[^\s/?#@\\]+$/i.test(text) || !URL.canParse(text)) return undefined
  const { protocol, host } = new URL(text)
  return `${protocol}//${host.toLowerCase()}`
}

/** True if a page of `origin` came from the host that its request names, by http or https. */
export function isOfHost(origin: string, host: string | undefined): boolean {
  const own = canonicalOrigin(origin)
  if (own === undefined || host === undefined) return false
  return ["http", "https"].some((scheme) => own === canonicalOrigin(`${scheme}://${host}`))
}

/** True for the name `localhost` and the addresses of the loopback interface; `authority` may have a port. */
export function isLoopbackHost(authority: string): boolean {
  const origin = canonicalOrigin(`http://${authority}`)
  if (origin === undefined) return false
  const { hostname } = new URL(origin)
  return hostname === "localhost" || isLoopback(hostname.replace(/^\[(.*)\]$/, "$1"))
}

/** True if a page of `origin` was served by this machine, by http or https. */
export function isLoopbackOrigin(origin: string): boolean {
  const own = canonicalOrigin(origin)
  return own !== undefined && /^https?:/.test(own) && isLoopbackHost(new URL(own).host)
}

/**
 * The option `origins` in one spelling. `null` stays: pages in sandboxes and files have it.
 * @throws TypeError that names an entry which is no origin.
 */
export function canonicalOrigins(origins: readonly string[]): ReadonlySet<string> {
  return new Set(
    origins.map((entry) => {
      const origin = entry === "null" ? entry : canonicalOrigin(entry)
      if (origin !== undefined) return origin
      throw new TypeError(
        `origins lists ${JSON.stringify(entry)}, which is no origin; write it like https://game.example, without a path`,
      )
    }),
  )
}
