// An HTTP server of our own, for `listen`: it answers a health check and otherwise waits for upgrades.
import type { ServerLimits } from "@hawser/protocol"
import { once } from "node:events"
import { createServer } from "node:http"
import type { Server as HttpServer, ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { requestTarget } from "./request-target.ts"

export interface OwnHttpServer {
  readonly httpServer: HttpServer
  readonly port: number
  /** Frees the port and drops every socket that is still there. */
  close(): Promise<void>
}

export interface OwnHttpServerOptions {
  readonly port: number
  readonly host: string | undefined
  readonly limits: ServerLimits
  readonly onError: (error: unknown) => void
}

/**
 * Connections that wait to be accepted; 4,096, which Linux cuts to `net.core.somaxconn`. Node's 511 are full after a second
 * of a flood in which the process gets no time; a connection beyond waits for 1 s or more until it is tried again.
 */
const backlog = 4_096

/** Rejects with the system's error when nothing can listen there; then nothing is left of the attempt. */
export async function openHttpServer(options: OwnHttpServerOptions): Promise<OwnHttpServer> {
  const { port, host, limits, onError } = options
  const requestTimeout = 2 * Math.ceil(limits.httpTimeoutMs)
  // Expired requests are looked for five times as often as they can expire. The headers are timed at the entrance.
  const connectionsCheckingInterval = Math.ceil(requestTimeout / 5)
  const httpServer = createServer({ headersTimeout: 0, requestTimeout, connectionsCheckingInterval })
  httpServer.on("request", ({ socket, url }, response) => {
    // For a peer that asks and does not read the answers. A timeout of the server's would cost every WebSocket something.
    socket.setTimeout(requestTimeout)
    answer(url, response)
  })
  const sockets = new Set<Socket>()
  function forget(this: Socket): void {
    sockets.delete(this)
  }
  httpServer.on("connection", (socket) => {
    // An ordinary request that offered an upgrade brings its socket here again.
    if (sockets.has(socket)) return
    sockets.add(socket)
    socket.on("close", forget)
  })
  httpServer.listen(host === undefined ? { port, backlog } : { port, host, backlog })
  await once(httpServer, "listening")
  // From now on an error is one socket that could not be accepted: no reason for the process to end.
  httpServer.on("error", onError)
  const address = httpServer.address()
  return {
    httpServer,
    port: typeof address === "object" && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        httpServer.close(() => resolve())
        // Connections were closed in their own way before; these are idle, or do not end by themselves.
        for (const socket of sockets) socket.destroy()
      }),
  }
}

function answer(path: string | undefined, response: ServerResponse): void {
  const { status, body } = plainAnswer(requestTarget(path ?? "").path)
  response.writeHead(status, {
    "Content-Type": plainText,
    "Content-Length": Buffer.byteLength(body),
  })
  response.end(body)
}

export const plainText = "text/plain; charset=utf-8"

/** What a port of our own answers to requests that are no upgrade. */
export function plainAnswer(path: string): { readonly status: number; readonly body: string } {
  return path === "/healthz"
    ? { status: 200, body: "ok\n" }
    : { status: 426, body: "this port speaks WebSocket\n" }
}
