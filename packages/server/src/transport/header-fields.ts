// Detects requests of which Node's HTTP server may have dropped header fields. Must not know sockets.
import type { IncomingMessage, Server as HttpServer } from "node:http"

/** Header fields that Node's parser keeps if `maxHeadersCount` is not set. */
const nodeHeadersMax = 1_000

/**
 * Returns false if fields may be missing. Node before 22.23.2, 24.18.1 and 26.5.1 drops fields above its limit and serves the
 * request; later versions answer 431. A list at the limit may be truncated.
 */
export function hasAllHeaders({ rawHeaders }: IncomingMessage, { maxHeadersCount }: HttpServer): boolean {
  const fieldsMax = maxHeadersCount === 0 ? Infinity : (maxHeadersCount ?? nodeHeadersMax)
  // Names and values alternate.
  return rawHeaders.length < 2 * fieldsMax
}
