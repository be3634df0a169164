// Determines the client address of a request, by the rules of the WebSocket side, and whether a proxy may have
// forwarded it. Must not know what is counted.
import { addressKey, isLoopback, peerAddress } from "@hawser/server"
import type { IncomingMessage } from "node:http"

export interface ClientAddress {
  /** Key of the limits: IPv4 as it is, IPv6 by its /64. */
  readonly key: string
  /** True for the loopback interface. False if a proxy is trusted: the address is then that of the proxy's client. */
  readonly isLocal: boolean
}

/** Returns the peer's address or, behind a trusted proxy, the last entry of `X-Forwarded-For`. */
export function clientAddress({ headers, socket }: IncomingMessage, trustProxy: boolean): ClientAddress {
  const header = headers["x-forwarded-for"]
  const forwardedFor = Array.isArray(header) ? header.join() : header
  const peer = peerAddress({ remoteAddress: socket.remoteAddress, forwardedFor }, trustProxy)
  return { key: addressKey(peer), isLocal: !trustProxy && isLoopback(peer) }
}

/** Header fields that proxies add. */
const forwardingHeaders = [
  "forwarded",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
]

/** Names of this machine in the header `Host`, with any port. */
const loopbackHost = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i

/**
 * Returns true for a request of a program on this machine without a trace of a proxy: from the loopback interface, for
 * a loopback name, with HTTP 1.1 (nginx uses 1.0 for its upstreams by default), without a header of proxies.
 */
export function isFromThisMachine({ headers, socket, httpVersion }: IncomingMessage): boolean {
  return (
    isLoopback(socket.remoteAddress ?? "") &&
    loopbackHost.test(headers.host ?? "") &&
    httpVersion === "1.1" &&
    forwardingHeaders.every((name) => headers[name] === undefined)
  )
}
