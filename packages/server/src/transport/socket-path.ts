// The path that a server's WebSocket has: one that a request can name. Knows no requests.
import { quoted } from "@hawser/protocol/core"

/** @throws TypeError that names a path which no request can have. */
export function checkedPath(path: unknown = "/ws"): string {
  if (typeof path === "string" && path.startsWith("/") && pathnameOf(path) === path) return path
  throw new TypeError(
    `the path ${quoted(path)} must begin with "/" and stand as in a URL, without query or fragment, such as "/ws"`,
  )
}

function pathnameOf(path: string): string | undefined {
  try {
    return new URL(path, "ws://localhost").pathname
  } catch {
    return undefined
  }
}
