// The hint for a browser that does not connect: a list of points to check, because a page never learns the cause. Must not
// know sockets.
import { placeOf } from "./socket-url.ts"

/** Returns the hint; undefined outside of browsers, where the error has the cause. */
export function dialHint(address: string): string | undefined {
  if (typeof location === "undefined") return undefined
  const { where } = placeOf(address)
  const lines = [
    `Hawser cannot connect to ${where}, and a page never learns why. Check:`,
    "- Is the server running, and are host and port right? The browser's network panel shows the attempt.",
    "- Is the path right? The server's option `path` is /ws by default; a wrong one is answered with 404.",
    `- Does the server allow the origin ${location.origin}? Its option \`origins\` lists those of other hosts; others are answered with 403.`,
    "- Does a Content-Security-Policy of the page allow the address in connect-src?",
  ]
  if (location.protocol === "https:" && where.startsWith("ws:"))
    lines.push("- The page is https: and the address ws:; browsers refuse that: use wss:.")
  if (typeof navigator !== "undefined" && !navigator.onLine) lines.push("- The browser is offline.")
  return lines.join("\n")
}
