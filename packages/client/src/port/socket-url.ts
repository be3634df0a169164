// The address of a WebSocket: absolute, with the scheme ws: or wss:, without a fragment. Throws TypeError for any other.

/** Returns the address against which a page or a worker resolves relative URLs; undefined elsewhere. */
function pageAddress(): string | undefined {
  if (typeof document !== "undefined") return document.baseURI
  return typeof location === "undefined" ? undefined : location.href
}

const schemes: Readonly<Record<string, string>> = {
  "ws:": "ws:",
  "wss:": "wss:",
  "http:": "ws:",
  "https:": "wss:",
}

/** A host and a port without a scheme. The URL parser reads the host as a scheme, or all of it as a path. */
const hostAndPort = /^([\w.-]+|\[[\da-f:.]+\]):\d+([/?#]|$)/i

/**
 * Returns the absolute address: a relative one is resolved against the page, `http(s):` becomes `ws(s):`.
 * @throws TypeError for an address that no WebSocket can use.
 */
export function socketUrl(address: string): string {
  const shown = JSON.stringify(address)
  const advice = `pass an address such as "wss://example.com/ws"`
  if (typeof address !== "string" || address.trim() === "")
    throw new TypeError(`the url is ${shown}: ${advice}`)
  if (hostAndPort.test(address.trim()))
    throw new TypeError(
      `the url ${shown} has no scheme: write "ws://…" or "wss://…" before the host; ${advice}`,
    )
  const base = pageAddress()
  const url = parsed(address, base)
  if (url === undefined) {
    const unresolved =
      base === undefined ? "there is no page to resolve it against" : `the page ${base} cannot resolve it`
    throw new TypeError(
      isRelative(address)
        ? `the url ${shown} is relative, and ${unresolved}: ${advice}`
        : `the url ${shown} is no URL: ${advice}`,
    )
  }
  const scheme = schemes[url.protocol]
  if (scheme === undefined) {
    throw new TypeError(
      `the url ${shown} has the scheme "${url.protocol}": ws:, wss:, http: or https: is needed; ${advice}`,
    )
  }
  if (url.hash !== "" || address.includes("#"))
    throw new TypeError(`the url ${shown} has a fragment, which no server receives: remove it from "#" on`)
  url.protocol = scheme
  return url.href
}

/** Parts of an address for an error: without the query, which may hold a secret. */
export interface Place {
  readonly where: string
  readonly host: string
  readonly path: string
}

export function placeOf(address: string): Place {
  const url = parsed(address, pageAddress())
  // An address of another transport may be anything.
  if (url === undefined || url.host === "") return { where: address, host: address, path: address }
  const { protocol, host, pathname: path } = url
  return { where: `${schemes[protocol] ?? protocol}//${host}${path}`, host, path }
}

/** Returns true for an address that only a page or a worker can resolve. */
export function isRelative(address: string): boolean {
  if (address.trim() === "" || hostAndPort.test(address.trim())) return false
  return parsed(address, undefined) === undefined && parsed(address, "https://example.com") !== undefined
}

function parsed(address: string, base: string | undefined): URL | undefined {
  try {
    return new URL(address, base)
  } catch {
    return undefined
  }
}
