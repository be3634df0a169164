// Decides what every HTTP request is answered: a route, a file of the page, or why not. Must not know what listens.
import type { IncomingMessage, ServerResponse } from "node:http"
import { performance } from "node:perf_hooks"
import { assetRoutes } from "./asset-routes.ts"
import type { AssetOptions } from "./asset-routes.ts"
import { DatabaseBusy, isDatabaseDown } from "../store/busy.ts"
import { authRoutes } from "./auth-routes.ts"
import type { AuthOptions } from "./auth-routes.ts"
import { metricsRoutes } from "./metrics-routes.ts"
import type { MetricsOptions } from "./metrics-routes.ts"
import { createPageFiles } from "./page-files.ts"
import type { PageFiles } from "./page-files.ts"
import { comeBackLater, contentReply, htmlReply, jsonReply, refusal, sendReply } from "./reply.ts"
import type { Reply } from "./reply.ts"
import { RequestAborted } from "./request-body.ts"
import { matchRoute, pathSegments } from "./routes.ts"
import type { Route } from "./routes.ts"
import { statusRoutes } from "./status-routes.ts"
import type { StatusOptions } from "./status-routes.ts"
import { createStayingLogins } from "./staying-logins.ts"
import type { StayingOptions } from "./staying-logins.ts"

/** Options with a default here. */
type Ambient = "trustProxy" | "nowMs" | "monotonicMs"

/** What the world hands to its HTTP side. */
export interface HttpOptions
  extends
    AssetOptions,
    StatusOptions,
    Omit<AuthOptions, Ambient>,
    Omit<StayingOptions, Ambient | keyof AuthOptions>,
    MetricsOptions {
  /** Where players are kept. */
  readonly store: AuthOptions["store"] & StayingOptions["store"]
  /** Folder of the built page; it need not exist. */
  readonly pageDir: string
  /** Receives each unexpected error once, with the path of its request. */
  readonly onFault: (error: unknown, path: string) => void
  /** Whether `X-Forwarded-For` of a proxy in front is believed. Default false. */
  readonly trustProxy?: boolean
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly nowMs?: () => number
  /** Milliseconds from any start, which never run backwards. Default `performance.now`. */
  readonly monotonicMs?: () => number
}

/** Answers one request; never throws. */
export type HttpHandler = (request: IncomingMessage, response: ServerResponse) => void

const unavailable = comeBackLater(503, "The world's accounts cannot be read or written now; try again", 2_000)

const pageMissing = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>The page is not built</title></head>
<body><h1>The page is not built yet</h1><p>Run <code>npm run build</code>, then reload.</p></body></html>
`

/** The world's HTTP side, for `createServer` of `node:http`. */
export function createHttpHandler(options: HttpOptions): HttpHandler {
  const pageFiles = createPageFiles(options.pageDir)
  const whole = {
    ...options,
    trustProxy: options.trustProxy ?? false,
    nowMs: options.nowMs ?? Date.now,
    monotonicMs: options.monotonicMs ?? (() => performance.now()),
  }
  const staying = createStayingLogins(whole)
  const routes: readonly Route[] = [
    rootRoute(pageFiles),
    webSocketRoute,
    ...authRoutes(whole, staying),
    ...staying.routes,
    ...statusRoutes(options),
    ...metricsRoutes(options),
    ...assetRoutes(options),
  ]
  return (request, response) => {
    answer(request, routes, pageFiles)
      .then((reply) => sendReply(response, reply))
      .catch((err: unknown) => {
        if (err instanceof RequestAborted) return
        // A lock is the saver's to report.
        if (!(err instanceof DatabaseBusy)) {
          options.onFault(err, (request.url ?? "").split("?", 1)[0]?.slice(0, 100) ?? "")
        }
        if (response.headersSent) response.destroy()
        else sendReply(response, isDatabaseDown(err) ? unavailable : refusal(500, "Internal server error"))
      })
  }
}

async function answer(
  request: IncomingMessage,
  routes: readonly Route[],
  pageFiles: PageFiles,
): Promise<Reply> {
  const method = request.method ?? "GET"
  const segments = pathSegments(request.url ?? "/")
  if (segments === undefined) return refusal(400, "Malformed path")
  const match = matchRoute(routes, method, segments)
  if (match.kind === "route") return match.route.answer({ request, params: match.params })
  if (match.kind === "wrongMethod") return refusal(405, "Method Not Allowed", { Allow: match.allow })
  const file = await pageFiles(segments)
  if (file === undefined) return refusal(404, "Not Found")
  if (method !== "GET" && method !== "HEAD") {
    return refusal(405, "Method Not Allowed", { Allow: "GET, HEAD" })
  }
  return contentReply(file.bytes, file)
}

/** Answers what came without the header Upgrade to the path of the sessions. */
const webSocketRoute: Route = {
  method: "GET",
  path: "/ws",
  answer: () =>
    refusal(426, "This path speaks WebSocket; a proxy has to pass the headers Upgrade and Connection on", {
      Upgrade: "websocket",
    }),
}

/** The page for browsers, a sign of life for programs. */
function rootRoute(pageFiles: PageFiles): Route {
  return {
    method: "GET",
    path: "/",
    async answer({ request }) {
      const reply =
        request.headers.accept?.includes("text/html") === true
          ? await pageReply(pageFiles)
          : jsonReply(200, { status: "ok" })
      return { ...reply, headers: { ...reply.headers, Vary: "Accept" } }
    },
  }
}

async function pageReply(pageFiles: PageFiles): Promise<Reply> {
  const file = await pageFiles(["index.html"])
  return file === undefined ? htmlReply(pageMissing) : contentReply(file.bytes, file)
}
