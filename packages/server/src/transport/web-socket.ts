// WebSocket by the library `ws` behind the transport port: the checks before the upgrade, framing once per message,
// one write per connection and turn of the event loop. Knows no frames of ours.
import { closeReason, chooseProfile, subprotocol } from "@hawser/protocol"
import type { Accept, Connection, ConnectionEvents, OutboundMessage, ServerLimits } from "@hawser/protocol"
import type { IncomingMessage, Server as HttpServer } from "node:http"
import type { Duplex } from "node:stream"
import { WebSocketServer } from "ws"
import type { RawData, WebSocket } from "ws"
import { addressKey, isLoopback } from "../session/connection-caps.ts"
import type { CapVerdict } from "../session/connection-caps.ts"

export interface WebSocketTransportOptions {
  readonly accept: Accept
  readonly path: string
  readonly limits: ServerLimits
  /** Exact origins (`https://game.example`), or a function. Undefined: only pages of the same host. */
  readonly origins: readonly string[] | ((origin: string) => boolean) | undefined
  /** Take the address from the last entry of X-Forwarded-For. */
  readonly trustProxy: boolean
  readonly checkCaps: (address: string, exempt: boolean) => CapVerdict
  readonly isClosing: () => boolean
  readonly onError: (error: unknown) => void
}

interface Refusal {
  readonly status: string
  readonly message: string
  readonly retryAfterSeconds?: number
}

/** Serves upgrades of `httpServer` on `path`; returns how to stop. */
export function attachWebSocket(httpServer: HttpServer, options: WebSocketTransportOptions): () => void {
  const wss = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: options.limits.message.maxBytes,
    handleProtocols: () => subprotocol,
  })
  const corked = new CorkedSockets()

  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const onSocketError = (error: unknown): void => options.onError(error)
    socket.on("error", onSocketError)
    if (pathOf(request) !== options.path) {
      if (httpServer.listenerCount("upgrade") === 1)
        refuse(socket, { status: "404 Not Found", message: "no such path" })
      return
    }
    const address = addressOf(request, options.trustProxy)
    const refusal = findRefusal(request, address, options)
    if (refusal !== undefined) {
      refuse(socket, refusal)
      return
    }
    wss.handleUpgrade(request, socket, head, (webSocket) => {
      socket.off("error", onSocketError)
      const connection = new WebSocketConnection(webSocket, socket, corked)
      const profile = webSocket.protocol === "" ? "2.0" : "hawser.1"
      connection.bind(options.accept({ connection, profile, address: addressKey(address) }), options.onError)
    })
  }

  httpServer.on("upgrade", onUpgrade)
  return () => {
    httpServer.off("upgrade", onUpgrade)
    wss.close()
  }
}

function findRefusal(
  request: IncomingMessage,
  address: string,
  options: WebSocketTransportOptions,
): Refusal | undefined {
  if (options.isClosing()) {
    return { status: "503 Service Unavailable", message: "the server is shutting down", retryAfterSeconds: 1 }
  }
  const { origin } = request.headers
  if (origin !== undefined && !originAllowed(origin, request, options)) {
    return {
      status: "403 Forbidden",
      message: `pages of ${JSON.stringify(origin.slice(0, 128))} may not connect here`,
    }
  }
  if (chooseProfile(offeredProtocols(request)) === undefined) {
    return { status: "400 Bad Request", message: `offer the subprotocol "${subprotocol}", or none` }
  }
  switch (options.checkCaps(addressKey(address), isLoopback(address) && !options.trustProxy)) {
    case "tooManyOfAddress":
      return {
        status: "429 Too Many Requests",
        message: "too many connections of this address",
        retryAfterSeconds: 10,
      }
    case "tooManyUnauthenticated":
      return {
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
  { origins, onError }: WebSocketTransportOptions,
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

/** The last hop of X-Forwarded-For is the one that our own proxy wrote; everything before it can be forged. */
function addressOf(request: IncomingMessage, trustProxy: boolean): string {
  const direct = request.socket.remoteAddress ?? "unknown"
  const forwarded = trustProxy ? request.headers["x-forwarded-for"] : undefined
  const text = Array.isArray(forwarded) ? forwarded.join(",") : forwarded
  return text?.split(",").at(-1)?.trim() ?? direct
}

function refuse(socket: Duplex, refusal: Refusal): void {
  const body = Buffer.from(`${refusal.message}\n`)
  const retry = refusal.retryAfterSeconds === undefined ? "" : `Retry-After: ${refusal.retryAfterSeconds}\r\n`
  const head = `HTTP/1.1 ${refusal.status}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n`
  socket.end(`${head}${retry}Content-Length: ${body.length}\r\n\r\n${refusal.message}\n`)
  socket.once("finish", () => socket.destroy())
}

const nothing = Buffer.alloc(0)

/** Sockets with something to write in this turn; all are flushed once at its end. */
class CorkedSockets {
  readonly #sockets = new Map<Duplex, () => void>()

  /** @param drained called when all has left; the socket's own `drain` tells so only above its high-water mark. */
  cork(socket: Duplex, drained: () => void): void {
    if (this.#sockets.has(socket)) return
    socket.cork()
    if (this.#sockets.size === 0) setImmediate(() => this.#flush())
    this.#sockets.set(socket, drained)
  }

  #flush(): void {
    const sockets = [...this.#sockets]
    this.#sockets.clear()
    for (const [socket, drained] of sockets) {
      socket.uncork()
      if (!socket.writable || socket.writableNeedDrain) continue
      if (socket.writableLength === 0) drained()
      else socket.write(nothing, () => drained())
    }
  }
}

class WebSocketConnection implements Connection {
  readonly #webSocket: WebSocket
  readonly #socket: Duplex
  readonly #corked: CorkedSockets
  #drained: () => void = () => {}

  constructor(webSocket: WebSocket, socket: Duplex, corked: CorkedSockets) {
    this.#webSocket = webSocket
    this.#socket = socket
    this.#corked = corked
  }

  bind(events: ConnectionEvents, onError: (error: unknown) => void): void {
    const webSocket = this.#webSocket
    webSocket.binaryType = "nodebuffer"
    webSocket.on("message", (data: RawData, isBinary: boolean) => {
      if (!isBinary) events.text()
      else if (Buffer.isBuffer(data)) events.message(data)
    })
    webSocket.on("pong", () => events.pong())
    webSocket.on("close", (code: number, reason: Buffer) => events.closed(code, reason.toString("utf8")))
    // `close` always follows; the error only says why.
    webSocket.on("error", onError)
    this.#drained = () => events.drained()
    this.#socket.on("drain", this.#drained)
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength
  }

  send(message: OutboundMessage): boolean {
    if (this.#webSocket.readyState !== this.#webSocket.OPEN || !this.#socket.writable) return false
    const framed = message.framed instanceof Buffer ? message.framed : frameBinary(message.bytes)
    message.framed = framed
    this.#corked.cork(this.#socket, this.#drained)
    // Written past the library's sender, which makes a header per recipient. It writes at once too (no compression),
    // so its control frames keep their place in the order.
    this.#socket.write(framed)
    return true
  }

  close(code: number, reason: string): void {
    this.#webSocket.close(code, closeReason(reason))
  }

  terminate(): void {
    this.#webSocket.terminate()
  }

  pause(): void {
    this.#webSocket.pause()
  }

  resume(): void {
    this.#webSocket.resume()
  }

  ping(): void {
    if (this.#webSocket.readyState === this.#webSocket.OPEN) this.#webSocket.ping()
  }
}

/** One unmasked, unfragmented binary frame (RFC 6455, section 5.2). */
function frameBinary(bytes: Uint8Array): Buffer {
  const { length } = bytes
  const headerLength = length < 126 ? 2 : length < 0x10000 ? 4 : 10
  const framed = Buffer.allocUnsafeSlow(headerLength + length)
  framed[0] = 0x82
  if (headerLength === 2) {
    framed[1] = length
  } else if (headerLength === 4) {
    framed[1] = 126
    framed.writeUInt16BE(length, 2)
  } else {
    framed[1] = 127
    framed.writeBigUInt64BE(BigInt(length), 2)
  }
  framed.set(bytes, headerLength)
  return framed
}
