// Decides who may read the server's metrics: its own machine, and whoever has the token. Must not know what they are.
import { createHash, timingSafeEqual } from "node:crypto"
import type { IncomingMessage } from "node:http"
import { contentReply, refusal } from "./reply.ts"
import type { Route } from "./routes.ts"

export interface MetricsOptions {
  /** The metrics of now, as text for Prometheus. */
  readonly metrics: () => Promise<{ readonly text: string; readonly contentType: string }>
  /** Who presents this as a Bearer token may read them from anywhere; undefined: nobody may. */
  readonly metricsToken: string | undefined
  /** Whether a proxy stands in front: then everybody seems to come from one address, and only the token counts. */
  readonly trustProxy: boolean
}

/** `GET /metrics`. */
export function metricsRoutes({ metrics, metricsToken, trustProxy }: MetricsOptions): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/metrics",
      async answer({ request }) {
        const isAllowed = (!trustProxy && isFromHere(request)) || hasToken(request, metricsToken)
        if (!isAllowed) return refuse(metricsToken)
        const { text, contentType } = await metrics()
        const { headers, ...reply } = contentReply(text, { contentType, isImmutable: false })
        return { ...reply, headers: { ...headers, "Cache-Control": "no-store" } }
      },
    },
  ]
}

function refuse(metricsToken: string | undefined) {
  return metricsToken === undefined
    ? refusal(403, "Metrics are for this machine only")
    : refusal(401, "Could not validate credentials", { "WWW-Authenticate": "Bearer" })
}

/** Headers that a proxy adds: with one of them the peer is the proxy, and whoever asks may be anywhere. */
const forwardingHeaders = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"]

function isFromHere({ headers, socket }: IncomingMessage): boolean {
  const address = socket.remoteAddress ?? ""
  const isLoopback = address === "::1" || /^(::ffff:)?127\./i.test(address)
  return isLoopback && forwardingHeaders.every((name) => headers[name] === undefined)
}

/** Compares digests: they are equally long, and how long that takes tells nothing of the token. */
function hasToken({ headers }: IncomingMessage, metricsToken: string | undefined): boolean {
  const presented = /^Bearer +([^\s]+)$/i.exec(headers.authorization ?? "")?.[1]
  if (metricsToken === undefined || presented === undefined) return false
  return timingSafeEqual(digest(presented), digest(metricsToken))
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest()
}
