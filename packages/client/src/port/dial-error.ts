// The error of a socket that never opened: the known cause, or the points to check; and the hint in a page's console. Must not know
// sockets.
import { HawserError } from "@hawser/protocol"
import type { DialFailure } from "@hawser/protocol/core"
import { describeCause } from "../base/report.ts"
import { adviceOn } from "./dial-advice.ts"
import { placeOf } from "./socket-url.ts"
import type { Place } from "./socket-url.ts"

/** Close code of Firefox for a failed TLS handshake. */
const tlsFailed = 1015

export function dialError(address: string, code: number, failure: DialFailure | undefined): HawserError {
  const place = placeOf(address)
  const { httpStatus, networkCode, cause } = failure ?? {}
  const message = `the connection to ${place.where} never opened: ${why(code, failure, place)}`
  return new HawserError("connection_failed", {
    message,
    cause,
    details: {
      closeCode: code,
      ...(httpStatus === undefined ? {} : { httpStatus }),
      ...(networkCode === undefined ? {} : { networkCode }),
    },
  })
}

function why(code: number, failure: DialFailure | undefined, place: Place): string {
  const known = failure && adviceOn(failure, place)
  if (known !== undefined) return known
  if (code === tlsFailed)
    return `TLS failed: is the certificate good, and is it wss: rather than ws:? (close code ${code})`
  const text = failure?.cause === undefined ? "" : describeCause(failure.cause)
  if (text !== "") return `${text} (close code ${code})`
  // A browser hides the cause, and so does Node's own WebSocket: its error has no text.
  return `close code ${code}, and nothing else is known here. ${pointsToCheck(place)}`
}

/** Returns the hint for the console of a page that does not connect; undefined outside of pages, where the error suffices. */
export function dialHint(address: string): string | undefined {
  if (typeof location === "undefined") return undefined
  const place = placeOf(address)
  return `hawser: the connection to ${place.where} never opened, and a page never learns why. ${pointsToCheck(place)}`
}

/** Lists the likely causes of a connection that never opened. */
function pointsToCheck({ where, host, path }: Place): string {
  const isPage = typeof location !== "undefined"
  const points = [
    `Check: does the server run, at ${host}? Is the path ${path} right (its option \`path\`)?`,
    `Does the server allow ${isPage ? location.origin : "this origin"} (its option \`origins\`)? Does a proxy pass WebSockets on?`,
  ]
  if (!isPage) points.push("In Node, the class of the package ws (option `webSocket`) reports the cause.")
  else points.push("Does the page's Content-Security-Policy allow the address in connect-src?")
  if (isPage && location.protocol === "https:" && where.startsWith("ws:"))
    points.push("The page is https: and the address ws:; browsers refuse that: use wss:.")
  if (isPage && typeof navigator !== "undefined" && !navigator.onLine) points.push("The browser is offline.")
  return points.join(" ")
}

/** Names of the values that a browser throws for an address that the page may not dial. Firefox throws no Error. */
const forbidding: readonly string[] = ["SecurityError", "NS_ERROR_CONTENT_BLOCKED"]

/** Returns the error of a dial that threw. It is final if the page's policy forbids the address. */
export function refusedDial(address: string, cause: unknown): HawserError {
  if (HawserError.is(cause)) return cause
  const name = typeof cause === "object" && cause !== null && "name" in cause ? cause.name : undefined
  const isForbidden = forbidding.some((known) => known === name)
  const text = isForbidden
    ? `the browser forbids it: does the page's Content-Security-Policy allow the address in connect-src, and is it wss: on an https: page?`
    : describeCause(cause)
  return new HawserError("connection_failed", {
    message: `no socket could be made for ${placeOf(address).where}: ${text}`,
    retry: isForbidden || name === "SyntaxError" ? "never" : "later",
    cause,
  })
}
