// The HTTP server behind `listen`: answers 200 on `/healthz` and 426 elsewhere. Upgrades are served by `serveUpgrades`.
// Must not know frames.
import type { ServerLimits } from "@hawser/protocol"
import { once } from "node:events"
import { createServer } from "node:http"
import type { Server as HttpServer, ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { requestTarget } from "./request-target.ts"

export interface OwnHttpServer {
  readonly httpServer: HttpServer
  readonly port: number
  /** Frees the port and destroys all remaining sockets. */
  close(): Promise<void>
}

export interface OwnHttpServerOptions {
  readonly port: number
  readonly host: string | undefined
  readonly limits: ServerLimits
  readonly onError: (error: unknown) => void
}

/**
 * Length of the accept queue, in connections; 4,096, which Linux limits to `net.core.somaxconn`. Node's default of 511 overflows
 * after one second of a flood in which the process gets no CPU time. An overflowing connection is retried after 1 s or more.
 */
const backlog = 4_096

/** Opens the port. Rejects with the system's error if the port cannot be opened; then no resource remains open. */
export async function openHttpServer(options: OwnHttpServerOptions): Promise<OwnHttpServer> {
  const { port, host, limits, onError } = options
  const requestTimeout = 2 * Math.ceil(limits.httpTimeoutMs)
  // Node checks for expired requests five times per `requestTimeout`. `AcceptWatch` has the deadline of the headers.
  const connectionsCheckingInterval = Math.ceil(requestTimeout / 5)
  const httpServer = createServer({ headersTimeout: 0, requestTimeout, connectionsCheckingInterval })
  httpServer.on("request", ({ socket, url }, response) => {
    // Ends a peer that sends requests and does not read the responses. A timeout of the server would apply to each WebSocket.
    socket.setTimeout(requestTimeout)
    answer(url, response)
  })
  const sockets = new Set<Socket>()
  function forget(this: Socket): void {
    sockets.delete(this)
  }
  httpServer.on("connection", (socket) => {
    // The event is emitted again for an ordinary request that offered an upgrade.
    if (sockets.has(socket)) return
    sockets.add(socket)
    socket.on("close", forget)
  })
  httpServer.listen(host === undefined ? { port, backlog } : { port, host, backlog })
  await once(httpServer, "listening")
  // After `listening`, an error is a failed accept of one socket. Without a listener it would end the process.
  httpServer.on("error", onError)
  const address = httpServer.address()
  return {
    httpServer,
    port: typeof address === "object" && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        httpServer.close(() => resolve())
        // WebSocket connections were closed before. The remaining sockets are idle or do not end by themselves.
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

/** Returns the response of the own HTTP server to a request that is not an upgrade. */
export function plainAnswer(path: string): { readonly status: number; readonly body: string } {
  return path === "/healthz"
    ? { status: 200, body: "ok\n" }
    : { status: 426, body: "this port speaks WebSocket\n" }
}
