// Decides which reader gets the server's metrics: one with the token or, in development and while no token is set, a program
// on this machine. Must not know the metrics.
import { createHash, timingSafeEqual } from "node:crypto"
import { z } from "zod"
import { bearerToken } from "./bearer-token.ts"
import { isFromThisMachine } from "./client-address.ts"
import { contentReply, refusal } from "./reply.ts"
import { refused } from "./route.ts"
import type { Route } from "./route.ts"

export interface MetricsOptions {
  /** Current metrics as text for Prometheus. */
  readonly metrics: () => Promise<{ readonly text: string; readonly contentType: string }>
  /** Bearer token that every reader must present, from any address; undefined if none is set. */
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
      summary: "Metrics for Prometheus",
      credential: "metricsToken",
      replies: {
        200: { description: "The metrics", content: { "text/plain": z.string() } },
        401: refused("METRICS_TOKEN is set, and the request does not carry it"),
        403: refused("METRICS_TOKEN is not set, and the request may come from another machine"),
      },
      async answer({ env: { incoming } }) {
        const isOpen = metricsToken === undefined && metricsForThisMachine && isFromThisMachine(incoming)
        if (!isOpen && !isToken(bearerToken(incoming), metricsToken)) return refuse(metricsToken)
        const { text, contentType } = await metrics()
        return contentReply(text, { contentType, caching: "no-store" })
      },
    },
  ]
}

function refuse(metricsToken: string | undefined): Response {
  return metricsToken === undefined
    ? refusal(403, "Metrics need METRICS_TOKEN to be set here")
    : refusal(401, "Could not validate credentials", { "WWW-Authenticate": "Bearer" })
}

/** Compares digests. They have one length, so the time of the comparison reveals nothing of the token. */
function isToken(presented: string | undefined, metricsToken: string | undefined): boolean {
  if (metricsToken === undefined || presented === undefined) return false
  return timingSafeEqual(digest(presented), digest(metricsToken))
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest()
}
