// Turns upgrades of Node's HTTP server into connections, and writes the responses of refusals. Must not know frames.
import { subprotocol } from "@hawser/protocol/core"
import type { ServerLimits } from "@hawser/protocol"
import type { Accept } from "@hawser/protocol/core"
import { STATUS_CODES } from "node:http"
import type { IncomingMessage, Server as HttpServer } from "node:http"
import type { Duplex } from "node:stream"
import type { Base } from "../base/create-base.ts"
import type { Health } from "../base/health.ts"
import { WebSocketServer } from "ws"
import type { Server as LibraryServer } from "ws"
import { hasAllHeaders, lookup } from "./header-fields.ts"
import { enterHttpServer } from "./http-entrance.ts"
import { judgeUpgrade, proxyHeaders } from "./judge-upgrade.ts"
import type { RefusalResponse, UpgradeAccepted, UpgradePolicy, UpgradeRequest } from "./judge-upgrade.ts"
import { requestTarget } from "./request-target.ts"
import { OwnedWebSocket } from "./owned-web-socket.ts"
import type { Turn } from "./turn.ts"
import { WebSocketHost } from "./web-socket-host.ts"
import { WebSocketConnection } from "./web-socket.ts"

export interface UpgradeOptions extends UpgradePolicy, Pick<Base, "limits" | "timers" | "clock"> {
  readonly health: UpgradePolicy["health"] & Pick<Health, "socketsDropped">
  readonly accept: Accept
  /** Turn of the server, shared by all its entrances. */
  readonly turn: Turn
}

/**
 * Serves upgrades of `httpServer` on `path`. Returns the function that stops it.
 * @throws TypeError if another Hawser server has this path there.
 */
export function serveUpgrades(httpServer: HttpServer, options: UpgradeOptions): () => void {
  const wss = createWebSocketServer(options.limits)
  const host = new WebSocketHost(options)

  function judged(incoming: IncomingMessage, socket: Duplex): UpgradeAccepted | undefined {
    const verdict = judgeUpgrade(upgradeRequest(incoming, httpServer), options)
    if (verdict.kind === "accepted") return verdict
    refuse(socket, verdict, options)
    return undefined
  }

  const leave = enterHttpServer(httpServer, {
    ...options,
    onDropped: (reason) => options.health.socketsDropped.add(reason),
    refusePath(incoming, socket) {
      if (judged(incoming, socket) === undefined) return
      refuse(socket, { status: 426, message: "this path speaks WebSocket" }, options)
    },
    onUpgrade(incoming, socket, head) {
      const verdict = judged(incoming, socket)
      if (verdict === undefined) return
      const opened: OwnedWebSocket[] = []
      // The callback runs before `handleUpgrade` returns, or never: the library may refuse the upgrade.
      wss.handleUpgrade(incoming, socket, head, (webSocket) => opened.push(webSocket))
      const [webSocket] = opened
      if (webSocket === undefined) {
        dropLater(socket, options)
        return
      }
      const connection = new WebSocketConnection(webSocket, socket, host)
      const { profile, address, isCapped } = verdict
      const headers = lookup(incoming)
      connection.bind(options.accept({ connection, profile, address, isCapped, headers }))
    },
  })
  return () => {
    leave()
    wss.close()
  }
}

function createWebSocketServer(limits: ServerLimits): LibraryServer<typeof OwnedWebSocket> {
  const options = {
    WebSocket: OwnedWebSocket,
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.message.maxBytes,
    maxFragments: limits.messageMaxFragments,
    maxBufferedChunks: limits.messageMaxChunks,
    // For closes by the library, such as 1002. The owner of the connection has the deadline of other closes.
    closeTimeout: limits.shutdownMs,
    handleProtocols: () => subprotocol,
  }
  // A variable, because the library's types do not declare `closeTimeout`.
  return new WebSocketServer(options)
}

function upgradeRequest(incoming: IncomingMessage, httpServer: HttpServer): UpgradeRequest {
  const { url, socket, headers } = incoming
  const forwardedFor = headers["x-forwarded-for"]
  const target = requestTarget(url ?? "")
  return {
    path: target.path,
    remoteAddress: socket.remoteAddress,
    host: target.host ?? headers.host,
    origin: headers.origin,
    protocols: headers["sec-websocket-protocol"],
    forwardedFor: Array.isArray(forwardedFor) ? forwardedFor.join() : forwardedFor,
    isForwarded: proxyHeaders.some((name) => headers[name] !== undefined),
    headersComplete: hasAllHeaders(incoming, httpServer),
  }
}

function refuse(socket: Duplex, refused: RefusalResponse, options: UpgradeOptions): void {
  const body = Buffer.from(`${refused.message}\n`)
  const status = `${refused.status} ${STATUS_CODES[refused.status]}`
  const retry = refused.retryAfterSeconds === undefined ? "" : `Retry-After: ${refused.retryAfterSeconds}\r\n`
  const head = `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n`
  socket.end(`${head}${retry}Content-Length: ${body.length}\r\n\r\n${refused.message}\n`)
  socket.once("finish", () => socket.destroy())
  dropLater(socket, options)
}

/** Destroys the socket after `closeTimeoutMs`: the peer may not read, and no timeout of HTTP applies after an upgrade. */
function dropLater(socket: Duplex, { timers, limits, onError }: UpgradeOptions): void {
  socket.on("error", onError)
  socket.once(
    "close",
    timers.after(limits.closeTimeoutMs, () => socket.destroy()),
  )
}
