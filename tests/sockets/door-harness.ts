// An HTTP server of the application, a Hawser server, and peers that send HTTP without a library.
import { createServer as createHawser } from "@hawser/server"
import type { ServerOptions } from "@hawser/server"
import { once } from "node:events"
import type { Server as HttpServer } from "node:http"
import { connect } from "node:net"
import type { Socket } from "node:net"
import { onTestFinished } from "vitest"
import { until } from "./harness.ts"
import { contract } from "./server-program.ts"
import type { IdleServer, SocketContract } from "./server-program.ts"

type Options = Partial<ServerOptions<SocketContract, { readonly id: string }>>

/** Starts listening and returns the port. The end of the test closes the server. */
export async function listening(httpServer: HttpServer): Promise<number> {
  httpServer.listen(0, "127.0.0.1")
  await once(httpServer, "listening")
  onTestFinished(() => {
    httpServer.close()
    httpServer.closeAllConnections()
  })
  const address = httpServer.address()
  return typeof address === "object" && address !== null ? address.port : 0
}

/** An HTTP server whose answer contains the request. */
export function openHttp(httpServer: HttpServer): Promise<number> {
  httpServer.on("request", (request, response) => {
    let body = ""
    request.on("data", (chunk: Buffer) => (body += chunk.toString()))
    request.on("end", () => response.end(`${request.method} ${request.url} ${body}`))
  })
  return listening(httpServer)
}

export function hawser(options: Options = {}): IdleServer {
  const server: IdleServer = createHawser(contract, {
    authenticate: (token) => ({ id: token }),
    onWarning: () => {},
    onRefused: () => {},
    ...options,
  })
  server.command("echo", ({ input }) => input)
  server.command("never", () => ({}))
  server.command("gate", () => ({}))
  server.query("look", () => ({ seen: 0 }))
  onTestFinished(() => server.close())
  return server
}

interface Peer {
  readonly socket: Socket
  readonly read: () => string
}

export async function openPeer(port: number): Promise<Peer> {
  const socket = connect(port, "127.0.0.1")
  onTestFinished(() => void socket.destroy())
  socket.on("error", () => {})
  let text = ""
  socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")))
  await once(socket, "connect")
  return { socket, read: () => text }
}

export async function answerTo(port: number, ...pieces: readonly string[]): Promise<string> {
  const { socket, read } = await openPeer(port)
  for (const piece of pieces) {
    socket.write(piece)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await until(() => /\r\n\r\n/.test(read()) || socket.destroyed)
  return read()
}

export const h2c =
  "Host: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"

export function webSocketRequest(path: string): string {
  return (
    `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
    "Sec-WebSocket-Protocol: hawser.1\r\n\r\n"
  )
}
