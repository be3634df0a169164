// Checks the path of a server's WebSocket. Must not know requests.
import { quoted } from "@hawser/protocol/core"

/** Returns the path; default `/ws`. @throws TypeError for a path that no request target can have. */
export function checkedPath(path: unknown = "/ws"): string {
  if (typeof path === "string" && path.startsWith("/") && pathnameOf(path) === path) return path
  throw new TypeError(
    `the path ${quoted(path)} must begin with "/" and be encoded as in a URL, without query and fragment, for example "/ws"`,
  )
}

function pathnameOf(path: string): string | undefined {
  try {
    return new URL(path, "ws://localhost").pathname
  } catch {
    return undefined
  }
}
