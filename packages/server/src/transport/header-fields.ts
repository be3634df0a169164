// Header fields of Node's requests: a lookup for the application, and the detection of dropped ones. Must not know sockets.
import type { UpgradeHeaders } from "@hawser/protocol/core"
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

/** Returns a lookup of the header fields of a request. It holds the fields, and not the request. */
export function lookup({ headers }: Pick<IncomingMessage, "headers">): UpgradeHeaders {
  return {
    get(name) {
      const key = name.toLowerCase()
      const value = Object.hasOwn(headers, key) ? headers[key] : undefined
      return Array.isArray(value) ? value.join(", ") : value
    },
  }
}
