// The way from an HTTP upgrade to a connection: the checks before it, and the refusals. Knows no frames.
import { chooseProfile, quoted, subprotocol } from "@hawser/protocol"
import type { Accept, ServerLimits, TimerQueue } from "@hawser/protocol"
import type { IncomingMessage, Server as HttpServer } from "node:http"
import type { Duplex } from "node:stream"
import { WebSocketServer } from "ws"
import type { Health, UpgradeRefusal } from "../metrics/health.ts"
import type { CapVerdict } from "../session/connection-caps.ts"
import { addressKey, isLoopback, peerAddress } from "./peer-address.ts"
import { CorkedSockets, WebSocketConnection } from "./web-socket.ts"

export interface UpgradeOptions {
  readonly accept: Accept
  readonly path: string
  readonly limits: ServerLimits
  readonly timers: TimerQueue
  /** Exact origins (`https://game.example`), or a function. Undefined: only pages of the same host. */
  readonly origins: readonly string[] | ((origin: string) => boolean) | undefined
  /** Take the address from the last entry of X-Forwarded-For. */
  readonly trustProxy: boolean
  readonly checkCaps: (address: string, exempt: boolean) => CapVerdict
  readonly isClosing: () => boolean
  readonly health: Pick<Health, "upgradesRefused">
  readonly onError: (error: unknown) => void
}

interface Refusal {
  readonly reason: UpgradeRefusal
  readonly status: string
  readonly message: string
  readonly retryAfterSeconds?: number
}

/** Serves upgrades of `httpServer` on `path`; returns how to stop. */
export function serveUpgrades(httpServer: HttpServer, options: UpgradeOptions): () => void {
  const wss = createWebSocketServer(options.limits)
  const corked = new CorkedSockets()

  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const onSocketError = (error: unknown): void => options.onError(error)
    socket.on("error", onSocketError)
    if (pathOf(request) !== options.path) {
      if (httpServer.listenerCount("upgrade") === 1)
        refuse(socket, { reason: "path", status: "404 Not Found", message: "no such path" }, options)
      return
    }
    const peer = peerAddress(request, options.trustProxy)
    const address = addressKey(peer)
    const refusal = findRefusal(
      request,
      { address, exempt: isLoopback(peer) && !options.trustProxy },
      options,
    )
    if (refusal !== undefined) {
      refuse(socket, refusal, options)
      return
    }
    // The library may refuse, too.
    const keep = dropLater(socket, options)
    wss.handleUpgrade(request, socket, head, (webSocket) => {
      keep()
      socket.off("error", onSocketError)
      const connection = new WebSocketConnection(webSocket, socket, corked)
      const profile = webSocket.protocol === "" ? "2.0" : "hawser.1"
      connection.bind(options.accept({ connection, profile, address }), options.onError)
    })
  }

  httpServer.on("upgrade", onUpgrade)
  return () => {
    httpServer.off("upgrade", onUpgrade)
    wss.close()
  }
}

function createWebSocketServer(limits: ServerLimits): WebSocketServer {
  const options = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.message.maxBytes,
    maxFragments: limits.messageMaxFragments,
    maxBufferedChunks: limits.messageMaxChunks,
    // For ends that only the library knows of, such as its 1002. Ours are timed by the connection's owner.
    closeTimeout: limits.shutdownMs,
    handleProtocols: () => subprotocol,
  }
  // Named before it is passed: the library's types do not know `closeTimeout` yet.
  return new WebSocketServer(options)
}

function findRefusal(
  request: IncomingMessage,
  { address, exempt }: { address: string; exempt: boolean },
  options: UpgradeOptions,
): Refusal | undefined {
  if (options.isClosing()) {
    return {
      reason: "shutting_down",
      status: "503 Service Unavailable",
      message: "the server is shutting down",
      retryAfterSeconds: 1,
    }
  }
  const { origin } = request.headers
  if (origin !== undefined && !originAllowed(origin, request, options)) {
    return {
      reason: "origin",
      status: "403 Forbidden",
      message: `pages of ${quoted(origin)} may not connect here`,
    }
  }
  if (chooseProfile(offeredProtocols(request)) === undefined) {
    return {
      reason: "subprotocol",
      status: "400 Bad Request",
      message: `offer the subprotocol "${subprotocol}", or none`,
    }
  }
  switch (options.checkCaps(address, exempt)) {
    case "tooManyOfAddress":
      return {
        reason: "address_connections",
        status: "429 Too Many Requests",
        message: "too many connections of this address",
        retryAfterSeconds: 10,
      }
    case "tooManyUnauthenticated":
      return {
        reason: "logins_under_way",
        status: "503 Service Unavailable",
        message: "too many connections are logging in",
        retryAfterSeconds: 2,
      }
    case "allowed":
      return undefined
  }
}

/** Scheme, host and port must be equal to the letter. Without a list only the page's own host may connect. */
function originAllowed(
  origin: string,
  request: IncomingMessage,
  { origins, onError }: UpgradeOptions,
): boolean {
  if (typeof origins === "function") {
    try {
      return origins(origin)
    } catch (error) {
      // Thrown on (`new URL("null")` does), it would end the process: a stranger's header must not.
      onError(error)
      return false
    }
  }
  if (origins !== undefined) return origins.includes(origin)
  const { host } = request.headers
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`)
}

function offeredProtocols(request: IncomingMessage): string[] {
  const header = request.headers["sec-websocket-protocol"]
  return header === undefined ? [] : header.split(",").map((name) => name.trim())
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? "").split("?", 1)[0] ?? ""
}

function refuse(socket: Duplex, refusal: Refusal, options: UpgradeOptions): void {
  options.health.upgradesRefused.add(refusal.reason)
  const body = Buffer.from(`${refusal.message}\n`)
  const retry = refusal.retryAfterSeconds === undefined ? "" : `Retry-After: ${refusal.retryAfterSeconds}\r\n`
  const head = `HTTP/1.1 ${refusal.status}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n`
  socket.end(`${head}${retry}Content-Length: ${body.length}\r\n\r\n${refusal.message}\n`)
  socket.once("finish", () => socket.destroy())
  dropLater(socket, options)
}

/** A refusal may wait behind answers that the peer does not read, and no timeout of HTTP holds after an upgrade. */
function dropLater(socket: Duplex, { timers, limits }: UpgradeOptions): () => void {
  const cancel = timers.after(limits.closeTimeoutMs, () => socket.destroy())
  const keep = (): void => {
    socket.off("close", keep)
    cancel()
  }
  socket.once("close", keep)
  return keep
}
