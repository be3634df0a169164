// The known cause of a socket that never opened, with advice: an HTTP status or an error code of the network. No browser gives
// them to a page, so a bundle for browsers contains dial-advice.browser.ts instead (the field `browser` of package.json).
import type { DialFailure } from "@hawser/protocol/core"
import { describeCause } from "../base/report.ts"
import type { Place } from "./socket-url.ts"

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

/** Returns the cause with advice; undefined without an HTTP status and a code of the network. */
export function adviceOn(
  { httpStatus, networkCode, cause }: DialFailure,
  { host, path }: Place,
): string | undefined {
  if (httpStatus !== undefined) {
    const advice = httpAdvice[httpStatus]?.(path)
    return `the server answered HTTP ${httpStatus}${advice === undefined ? "" : `: ${advice}`}`
  }
  if (networkCode === undefined) return undefined
  const advice = networkAdvice[networkCode]?.(host) ?? describeCause(cause)
  return `${advice} (${networkCode})`
}
