// The world's HTTP server: listens, and ends so that answers under way arrive. Must not know what is answered.
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
  /** Resolves when no request is under way any more, after `answersMs` at the latest. */
  close(): Promise<void>
}

export interface HttpServerOptions {
  readonly handler: HttpHandler
  readonly host: string
  readonly port: number
  /** Called before anything listens, for what else stands on the server. */
  readonly attach: (server: Server) => void
  /** A socket that could not be accepted. */
  readonly onError: (error: unknown) => void
  /** A connection that was closed by one of the bounds. */
  readonly onDropped: (reason: RequestDrop) => void
  /** Default `defaultRequestBounds`. */
  readonly bounds?: RequestBounds
}

/** Requests that are under way when the world closes may take so long, in milliseconds; default 2,000. */
const answersMs = 2_000

/**
 * Connections that wait to be accepted; 4,096, which Linux cuts to `net.core.somaxconn`. Node's 511 are full after a second
 * of a flood in which the process gets no time; a connection beyond waits for 1 s or more until it is tried again.
 */
const backlog = 4_096

/** @throws UnusableSetting if nothing can listen there. */
export async function openHttpServer(options: HttpServerOptions): Promise<OpenHttpServer> {
  const { handler, host, port, attach, onError, onDropped, bounds = defaultRequestBounds } = options
  // Heads are timed by the server that is attached, bodies and answers by the watch: Node's timeouts would look through
  // all connections for nothing.
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
