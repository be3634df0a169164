// The HTTP server behind `listen`: answers 200 on `/healthz` and 426 elsewhere. Upgrades are served by `serveUpgrades`.
// Must not know frames.
import type { ServerLimits } from "@hawser/protocol"
import { once } from "node:events"
import { createServer } from "node:http"
import type { Server as HttpServer, ServerResponse } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import { defaultBacklog } from "./listening.ts"
import type { ListenOptions } from "./listening.ts"
import { requestTarget } from "./request-target.ts"

export interface OwnHttpServer {
  readonly httpServer: HttpServer
  /** Address that the system has given. */
  readonly address: AddressInfo | string | null
  /** Accepts no more connections. A passed socket keeps later ones for the next process. */
  stopAccepting(): void
  /** Frees the port and destroys all remaining sockets. */
  close(): Promise<void>
}

export interface OwnHttpServerOptions {
  readonly where: ListenOptions
  readonly limits: ServerLimits
  readonly onError: (error: unknown) => void
}

/** Opens the port. Rejects with the system's error if the port cannot be opened; then no resource remains open. */
export async function openHttpServer(options: OwnHttpServerOptions): Promise<OwnHttpServer> {
  const { where, limits, onError } = options
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
  await listening(httpServer, where)
  // After `listening`, an error is a failed accept of one socket. Without a listener it would end the process.
  httpServer.on("error", onError)
  const ended: { promise?: Promise<void> } = {}
  const stopAccepting = (): Promise<void> =>
    (ended.promise ??= new Promise((resolve) => void httpServer.close(() => resolve())))
  return {
    httpServer,
    address: httpServer.address(),
    stopAccepting: () => void stopAccepting(),
    close() {
      const done = stopAccepting()
      // WebSocket connections were closed before. The remaining sockets are idle or do not end by themselves.
      for (const socket of sockets) socket.destroy()
      return done
    },
  }
}

/** Resolves when the server listens. Rejects with the system's error, and for a descriptor that is no listening socket. */
async function listening(httpServer: HttpServer, where: ListenOptions): Promise<void> {
  const { fd, port = 0, host, backlog = defaultBacklog } = where
  try {
    if (fd !== undefined) httpServer.listen({ fd, backlog })
    else httpServer.listen(host === undefined ? { port, backlog } : { port, host, backlog })
    await once(httpServer, "listening")
  } catch (cause) {
    if (fd === undefined) throw cause
    throw new TypeError(
      `listen cannot use the descriptor ${fd} (fd): it is no listening socket of this process; open it in the parent and pass it on, ` +
        "or use systemdSocket",
      { cause },
    )
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
