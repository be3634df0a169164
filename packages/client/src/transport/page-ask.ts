// Checks by HTTP whether anything answers at the address of a page's WebSocket. Must not know sockets.
import type { Ask } from "./ask-first.ts"
import { socketUrl } from "../port/socket-url.ts"

/** Firefox and its kin; other engines write "like Gecko". */
const gecko = /\bGecko\/\d/
/** Statuses of a proxy without a server behind it. */
const absentStatus: readonly number[] = [502, 503, 504]
/** Time within which a browser reports a request that the page's policy forbids, in milliseconds. */
const reportMs = 50

/**
 * Returns undefined if the browser does not delay dials. Sends requests to the page's own origin only: the policy of a page
 * (`connect-src`) seldom allows requests to another one.
 */
export function pageAsk(): Ask | undefined {
  const { fetch: request, location: page, navigator: browser } = globalThis
  if (typeof page === "undefined" || typeof browser === "undefined" || typeof request !== "function")
    return undefined
  if (!gecko.test(browser.userAgent)) return undefined
  let isForbidden = false
  return async (url, signal) => {
    const address = httpAddress(url)
    if (isForbidden || address?.origin !== page.origin) return true
    const listening = new AbortController()
    const onViolation = ({ effectiveDirective }: { readonly effectiveDirective: string }): void => {
      if (effectiveDirective === "connect-src") isForbidden = true
    }
    globalThis.addEventListener("securitypolicyviolation", onViolation, { signal: listening.signal })
    try {
      const { status } = await request(address, {
        method: "HEAD",
        cache: "no-store",
        credentials: "omit",
        signal,
      })
      return !absentStatus.includes(status)
    } catch {
      await new Promise((resolve) => setTimeout(resolve, reportMs))
      return isForbidden
    } finally {
      listening.abort()
    }
  }
}

/** Returns the HTTP address; undefined for one that no page may dial. */
function httpAddress(url: string): URL | undefined {
  try {
    return new URL(socketUrl(url).replace(/^ws/, "http"))
  } catch {
    return undefined
  }
}
