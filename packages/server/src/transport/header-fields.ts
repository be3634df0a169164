// Whether Node's HTTP server may have dropped header fields of a request. Knows no sockets.
import type { IncomingMessage, Server as HttpServer } from "node:http"

/** Header fields of a request that Node's parser keeps where `maxHeadersCount` is not set. */
const nodeHeadersMax = 1_000

/**
 * False if fields may be missing. Node before 22.23.2, 24.18.1 and 26.5.1 drops those beyond its limit and serves the
 * request; later versions answer 431. A list that fills the limit may be cut.
 */
export function hasAllHeaders({ rawHeaders }: IncomingMessage, { maxHeadersCount }: HttpServer): boolean {
  const fieldsMax = maxHeadersCount === 0 ? Infinity : (maxHeadersCount ?? nodeHeadersMax)
  // Names and values alternate.
  return rawHeaders.length < 2 * fieldsMax
}
