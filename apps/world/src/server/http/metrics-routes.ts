// Decides who may read the server's metrics: who has the token or, in development and while none is set, a program on this
// machine. Must not know what they are.
import { createHash, timingSafeEqual } from "node:crypto"
import type { IncomingMessage } from "node:http"
import { isFromThisMachine } from "./client-address.ts"
import { contentReply, refusal } from "./reply.ts"
import type { Route } from "./routes.ts"

export interface MetricsOptions {
  /** The metrics of now, as text for Prometheus. */
  readonly metrics: () => Promise<{ readonly text: string; readonly contentType: string }>
  /** Bearer token that every reader must present, from wherever; undefined: none is set. */
  readonly metricsToken: string | undefined
  /** True if the metrics are open to programs on this machine while no token is set. False wherever a proxy may stand. */
  readonly metricsForThisMachine: boolean
}

/** `GET /metrics`. */
export function metricsRoutes({
  metrics,
  metricsToken,
  metricsForThisMachine,
}: MetricsOptions): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/metrics",
      async answer({ request }) {
        const isOpen = metricsToken === undefined && metricsForThisMachine && isFromThisMachine(request)
        const isAllowed = isOpen || hasToken(request, metricsToken)
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
    ? refusal(403, "Metrics need METRICS_TOKEN to be set here")
    : refusal(401, "Could not validate credentials", { "WWW-Authenticate": "Bearer" })
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
