// Puts the routes and the files of the page on a Hono app, and the app on `node:http`. Answers what no route does: unknown
// paths, wrong methods, malformed targets, failures. Must not know the server that listens.
import { RequestError, getRequestListener } from "@hono/node-server"
import { Hono } from "hono"
import type { IncomingMessage, ServerResponse } from "node:http"
import { performance } from "node:perf_hooks"
import { assetRoutes } from "./asset-routes.ts"
import type { AssetOptions } from "./asset-routes.ts"
import { DatabaseBusy, isDatabaseDown } from "../store/busy.ts"
import { authRoutes } from "./auth-routes.ts"
import type { AuthOptions } from "./auth-routes.ts"
import { metricsRoutes } from "./metrics-routes.ts"
import type { MetricsOptions } from "./metrics-routes.ts"
import { openApiRoute } from "./open-api.ts"
import { createPageFiles } from "./page-files.ts"
import type { PageFiles } from "./page-files.ts"
import { fileReply, pageRoutes } from "./page-routes.ts"
import { comeBackLater, refusal } from "./reply.ts"
import { RequestAborted } from "./request-body.ts"
import { absoluteTarget, routedPath, segmentsOf } from "./request-path.ts"
import type { Route, WorldEnv } from "./route.ts"
import { statusRoutes } from "./status-routes.ts"
import type { StatusOptions } from "./status-routes.ts"
import { createStayingLogins } from "./staying-logins.ts"
import type { StayingOptions } from "./staying-logins.ts"

/** Options that have a default here. */
type Ambient = "trustProxy" | "nowMs" | "monotonicMs"

/** Dependencies of the world's HTTP side. */
export interface HttpOptions
  extends
    AssetOptions,
    StatusOptions,
    Omit<AuthOptions, Ambient>,
    Omit<StayingOptions, Ambient | keyof AuthOptions>,
    MetricsOptions {
  /** Store of the players. */
  readonly store: AuthOptions["store"] & StayingOptions["store"]
  /** Folder of the built page; it need not exist. */
  readonly pageDir: string
  /** Called once with each unexpected error and the path of its request. */
  readonly onFault: (error: unknown, path: string) => void
  /** True if `X-Forwarded-For` of a proxy is trusted. Default false. */
  readonly trustProxy?: boolean
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly nowMs?: () => number
  /** Monotonic milliseconds. Default `performance.now`. */
  readonly monotonicMs?: () => number
}

/** Answers one request; never throws. */
export type HttpHandler = (request: IncomingMessage, response: ServerResponse) => void

/** Returns the world's HTTP side, for `createServer` of `node:http`. */
export function createHttpHandler(options: HttpOptions): HttpHandler {
  const pageFiles = createPageFiles(options.pageDir)
  const app = createApp(worldRoutes(options, pageFiles), pageFiles, options.onFault)
  return serveApp(app, options.onFault)
}

/** Returns every route of the world, with the one that describes them. */
export function worldRoutes(options: HttpOptions, pageFiles: PageFiles): readonly Route[] {
  const whole = {
    ...options,
    trustProxy: options.trustProxy ?? false,
    nowMs: options.nowMs ?? Date.now,
    monotonicMs: options.monotonicMs ?? (() => performance.now()),
  }
  const staying = createStayingLogins(whole)
  const routes: readonly Route[] = [
    ...pageRoutes(pageFiles),
    ...authRoutes(whole, staying),
    ...staying.routes,
    ...statusRoutes(options),
    ...metricsRoutes(options),
    ...assetRoutes(options),
  ]
  const { version, renewalTokens } = options
  return [...routes, openApiRoute(routes, { version, cookieName: renewalTokens.cookieName })]
}

type OnFault = HttpOptions["onFault"]

/** Returns an app of these routes. The app rejects with `RequestAborted` if a request is cut off. */
export function createApp(routes: readonly Route[], pageFiles: PageFiles, onFault: OnFault): Hono<WorldEnv> {
  const app = new Hono<WorldEnv>({
    getPath: (request, given) => routedPath(given?.env?.incoming.url ?? request.url),
  })
  for (const { method, path, answer } of routes) app.on(method, path, answer)
  for (const { method, path } of routes) {
    const allow = method === "GET" ? "GET, HEAD" : method
    app.all(path, () => refusal(405, "Method Not Allowed", { Allow: allow }))
  }
  app.notFound(({ req }) => fileReply(pageFiles, req.method, segmentsOf(req.path)))
  app.onError((error, { req }) => {
    if (error instanceof RequestAborted) throw error
    // The saver already reports a locked database.
    if (!(error instanceof DatabaseBusy)) onFault(error, req.path.slice(0, 100))
    return isDatabaseDown(error)
      ? comeBackLater(503, "The world's accounts cannot be read or written now; try again", 2_000)
      : refusal(500, "Internal server error")
  })
  return app
}

/** Returns the handler by which `node:http` calls the app. */
export function serveApp(app: Hono<WorldEnv>, onFault: OnFault): HttpHandler {
  const listener = getRequestListener((request, env) => app.fetch(request, env), {
    // Globals remain those of Node. Node handles unread bodies, within the bounds of `request-watch.ts`.
    overrideGlobalObjects: false,
    autoCleanupIncoming: false,
    errorHandler(error) {
      if (error instanceof RequestAborted) return undefined
      if (error instanceof RequestError) return refusal(400, "Malformed path")
      onFault(error, "")
      return refusal(500, "Internal server error")
    },
  })
  return (request, response) => {
    const { url = "/" } = request
    request.url = absoluteTarget(url)
    listener(request, response).catch((error: unknown) =>
      onFault(error, url.split("?", 1)[0]?.slice(0, 100) ?? ""),
    )
  }
}
