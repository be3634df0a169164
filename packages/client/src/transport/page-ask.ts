// Asks by HTTP whether anything answers where a page's WebSocket goes. Knows no sockets.
import type { Ask } from "./ask-first.ts"
import { socketUrl } from "../port/socket-url.ts"

/** Firefox and its kin; other engines write "like Gecko". */
const gecko = /\bGecko\/\d/
/** Answers of a proxy whose server is absent. */
const absentStatus: readonly number[] = [502, 503, 504]
/** How long a browser may take to report a request that the page's policy forbids, in milliseconds. */
const reportMs = 50

/**
 * Returns undefined where dials are not held back. Only the page's own origin is asked: the policy of a page
 * (`connect-src`) seldom allows HTTP requests to another one.
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

/** The address for HTTP; undefined for one that no page may dial. */
function httpAddress(url: string): URL | undefined {
  try {
    return new URL(socketUrl(url).replace(/^ws/, "http"))
  } catch {
    return undefined
  }
}
