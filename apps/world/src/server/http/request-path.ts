// Prepares the target of a request for the listener and for the router. Must not know the routes.
import { RequestError } from "@hono/node-server"

/**
 * Returns the target in absolute form, with a constant host, or a target that is no path unchanged. The listener then neither
 * parses the header `Host` nor refuses a target by it.
 */
export function absoluteTarget(target: string): string {
  const path = target.replace(/^https?:\/\/[^/?#]*\/?/i, "/")
  return path.startsWith("/") ? `http://world${path.replaceAll("\\", "%5C")}` : target
}

/**
 * Returns the path by which the router decides. Its segments are decoded and encoded again, so that each path has one
 * spelling. Dot segments stay.
 * @throws RequestError if the target has no path, or one that cannot be decoded.
 */
export function routedPath(target: string): string {
  const path = /^https?:\/\/[^/?#]*(\/[^?#]*)/i.exec(absoluteTarget(target))?.[1]
  if (path === undefined) throw new RequestError("the target has no path")
  return path
    .split("/")
    .map((segment) => encodeURIComponent(decoded(segment)))
    .join("/")
}

/** Returns the decoded segments of a routed path. */
export function segmentsOf(path: string): readonly string[] {
  return path.slice(1).split("/").map(decodeURIComponent)
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch (cause) {
    throw new RequestError("the path cannot be decoded", { cause })
  }
}
