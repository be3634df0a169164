// One WebSocket of the library `ws` behind the transport port: framing once per message, one write per connection and
// turn of the event loop. Knows no frames of ours.
import { closeReason } from "@hawser/protocol"
import type { Connection, ConnectionEvents, OutboundMessage } from "@hawser/protocol"
import type { Duplex } from "node:stream"
import type { RawData, WebSocket } from "ws"

const nothing = Buffer.alloc(0)

/** Sockets with something to write in this turn; all are flushed once at its end. */
export class CorkedSockets {
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

export class WebSocketConnection implements Connection {
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
