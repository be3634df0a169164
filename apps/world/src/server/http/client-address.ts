// Decides which address a request comes from. Must not know what it is used for.
import type { IncomingMessage } from "node:http"

/** The peer's address; behind a trusted proxy, the one that the proxy itself has seen: the last in the header. */
export function clientAddress(request: IncomingMessage, trustProxy: boolean): string {
  const header = trustProxy ? request.headers["x-forwarded-for"] : undefined
  const forwarded = (Array.isArray(header) ? header.join(",") : header)?.split(",").at(-1)?.trim()
  return forwarded !== undefined && forwarded !== "" ? forwarded : (request.socket.remoteAddress ?? "unknown")
}
