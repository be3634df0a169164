// The world's HTTP server. Its end lets answers under way arrive. Must not know the routes.
import { createServer } from "node:http"
import type { Server } from "node:http"
import { UnusableSetting } from "../config/unusable-setting.ts"
import type { HttpHandler } from "./handler.ts"
import { defaultRequestBounds, watchRequests } from "./request-watch.ts"
import type { RequestBounds, RequestDrop } from "./request-watch.ts"

export interface OpenHttpServer {
  readonly port: number
  /** Requests whose answers are not complete. */
  readonly requestsUnderWay: () => number
  /** Resolves when no request is under way, after `answersMs` at the latest. */
  close(): Promise<void>
}

export interface HttpServerOptions {
  readonly handler: HttpHandler
  readonly host: string
  readonly port: number
  /** Called before the server listens, to attach other protocols to it. */
  readonly attach: (server: Server) => void
  /** Called with the error of a socket that could not be accepted. */
  readonly onError: (error: unknown) => void
  /** Called when a bound has closed a connection. */
  readonly onDropped: (reason: RequestDrop) => void
  /** Default `defaultRequestBounds`. */
  readonly bounds?: RequestBounds
}

/** Time limit of requests that are under way when the world closes, in milliseconds; default 2,000. */
const answersMs = 2_000

/**
 * Maximum length of the accept queue; 4,096, which Linux reduces to `net.core.somaxconn`. Node's default of 511 is full
 * after a second of a flood in which the process gets no CPU time. A connection beyond the queue waits for 1 s or more
 * until its retry.
 */
const backlog = 4_096

/** @throws UnusableSetting if nothing can listen there. */
export async function openHttpServer(options: HttpServerOptions): Promise<OpenHttpServer> {
  const { handler, host, port, attach, onError, onDropped, bounds = defaultRequestBounds } = options
  // The attached server times heads; the watch times bodies and answers. Node's timeouts would scan all connections in
  // vain.
  const server = createServer({ headersTimeout: 0, requestTimeout: 0 }, handler)
  const watch = watchRequests(server, { bounds, onDropped })
  attach(server)
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen({ port, host, backlog }, () => {
      server.off("error", reject)
      resolve()
    })
  }).catch((cause: unknown) => {
    throw new UnusableSetting(`PORT is ${port} and HOST ${host}, where nothing can listen`, cause)
  })
  server.on("error", onError)
  const address = server.address()
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
    requestsUnderWay: () => watch.size,
    close: () =>
      new Promise((resolve) => {
        const timer = setTimeout(() => {
          server.closeAllConnections()
          resolve()
        }, answersMs)
        server.close(() => {
          clearTimeout(timer)
          resolve()
        })
        server.closeIdleConnections()
      }),
  }
}
