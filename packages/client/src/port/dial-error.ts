// The error of a socket that never opened: the known cause, and advice on what to check. Must not know sockets.
import { HawserError } from "@hawser/protocol"
import type { DialFailure } from "@hawser/protocol/core"
import { describeCause } from "../base/report.ts"
import { placeOf } from "./socket-url.ts"
import type { Place } from "./socket-url.ts"

/** Close code of Firefox for a failed TLS handshake. */
const tlsFailed = 1015

/** Advice after an HTTP answer other than 101. */
const httpAdvice: Readonly<Record<number, (path: string) => string>> = {
  400: () =>
    "does the server speak this client's profile? An older one needs the server's option `profile20`",
  401: () => "does a proxy ask for a log-in?",
  403: () => "does the server allow this origin (its option `origins`)?",
  404: (path) => `is the path ${path} right?`,
  407: () => "does a proxy ask for a log-in?",
  426: (path) => `does ${path} take WebSockets?`,
  429: () => "too many connections come from this address",
  502: () => "is the server behind the proxy running?",
  503: () => "the server is full, or shuts down",
  504: () => "is the server behind the proxy running?",
}

/** Advice after an error of the network or of TLS. */
const networkAdvice: Readonly<Record<string, (host: string) => string>> = {
  ECONNREFUSED: (host) => `nothing listens on ${host}: is the server running, and is the port right?`,
  ENOTFOUND: (host) => `no address is known for ${host}: is the name right?`,
  EAI_AGAIN: (host) => `the name ${host} could not be looked up: is there a network?`,
  ENETUNREACH: () => "there is no way to that network: is there a connection?",
  EHOSTUNREACH: (host) => `${host} cannot be reached: is there a firewall?`,
  ETIMEDOUT: (host) => `${host} does not answer: is there a firewall?`,
  ECONNRESET: () => "the other end dropped the connection: does it speak ws: or wss:?",
  EPROTO: () => "the other end does not speak TLS: is it ws: instead of wss:?",
  DEPTH_ZERO_SELF_SIGNED_CERT: () => "the server's certificate is self-signed",
  CERT_HAS_EXPIRED: () => "the server's certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: (host) => `the server's certificate is not for ${host}`,
}

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

function why(code: number, failure: DialFailure | undefined, { host, path }: Place): string {
  const { httpStatus, networkCode, cause } = failure ?? {}
  if (httpStatus !== undefined) {
    const advice = httpAdvice[httpStatus]?.(path)
    return `the server answered HTTP ${httpStatus}${advice === undefined ? "" : `: ${advice}`}`
  }
  if (networkCode !== undefined) {
    const advice = networkAdvice[networkCode]?.(host)
    return advice === undefined ? `${describeCause(cause)} (${networkCode})` : `${advice} (${networkCode})`
  }
  if (code === tlsFailed)
    return `TLS failed: is the certificate good, and is it wss: rather than ws:? (close code ${code})`
  const text = cause === undefined ? "" : describeCause(cause)
  if (text !== "") return `${text} (close code ${code})`
  // A browser hides the cause, and so does Node's own WebSocket: its error has no text.
  return (
    `close code ${code}, and nothing else is known here. Check: does the server run, at ${host}? Is the path ${path} right? ` +
    "Does the server allow this origin (its option `origins`)? Does a proxy pass WebSockets on? In Node, the class of the " +
    "package ws (option `webSocket`) reports the cause"
  )
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
