// One client: a plain TCP socket, the upgrade request, the frame parser, and the driver of its protocol. All
// connections read into one buffer, and nothing is allocated per message.
import { createHash, randomBytes } from "node:crypto"
import { connect } from "node:net"
import type { Socket } from "node:net"
import type { Dialect, Driver } from "./driver.ts"
import { FrameParser, opcode } from "./frame-parser.ts"
import type { FrameSink } from "./frame-parser.ts"
import { maskedFrame } from "./frame-writer.ts"

const sharedReadBuffer = Buffer.allocUnsafe(256 * 1024)
const acceptSalt = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

/** Callbacks of a scenario for the messages of one connection. */
export interface Listener {
  reply?(connection: Connection): void
  event?(connection: Connection): void
  /** All messages of one read were passed on. */
  readEnded?(connection: Connection): void
}

export interface ConnectionOptions {
  readonly index: number
  readonly port: number
  readonly token: string
  readonly dialect: Dialect
  /** Bytes were read or written. */
  readonly onWork: () => void
  /** The connection ended and the load did not close it. */
  readonly onLost: (connection: Connection, reason: string) => void
}

export class Connection implements FrameSink {
  readonly index: number
  readonly driver: Driver
  replies = 0
  events = 0
  /** Bytes on the wire, with the headers of frames. */
  bytesIn = 0
  listener: Listener = {}
  /** Copies of all messages, for a later check. Undefined if they are not recorded. */
  record: Buffer[] | undefined
  readonly #options: ConnectionOptions
  readonly #parser = new FrameParser(this)
  /** The message for which the listener is being called. */
  #bytes: Buffer = sharedReadBuffer
  #start = 0
  #end = 0
  #socket: Socket | undefined
  #head: string | undefined = ""
  #key = ""
  #closing = false
  #closeReason = "no closing handshake"
  #settle: { ready: () => void; failed: (error: Error) => void } | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.index = options.index
    const { token } = options
    this.driver = options.dialect.createDriver({ token, send: (frame) => this.write(frame) })
  }

  /** Resolves when the server takes requests of this client. */
  async open(): Promise<void> {
    const { port, token, dialect } = this.#options
    const { path, subprotocol } = await dialect.locate(port, token)
    this.#key = randomBytes(16).toString("base64")
    const lines = [
      `GET ${path} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Key: ${this.#key}`,
      ...(subprotocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]),
    ]
    await new Promise<void>((resolve, reject) => {
      this.#settle = { ready: resolve, failed: reject }
      const socket = connect({
        port,
        host: "127.0.0.1",
        noDelay: true,
        onread: {
          buffer: sharedReadBuffer,
          callback: (length) => {
            this.#read(length)
            return true
          },
        },
      })
      this.#socket = socket
      socket.on("connect", () => socket.write(`${lines.join("\r\n")}\r\n\r\n`))
      socket.on("error", (error) => this.#lost(error.message))
      socket.on("close", () => this.#lost(this.#closeReason))
    })
  }

  write(bytes: Buffer): void {
    this.#options.onWork()
    this.#socket?.write(bytes)
  }

  /** Stops reading: the server's messages queue up. */
  stall(): void {
    this.#socket?.pause()
  }

  close(): void {
    this.#closing = true
    this.#socket?.destroy()
  }

  /** Valid only during a call of the listener: the number in the message, from 0; -1 without a number. */
  number(): number {
    return this.driver.numberIn(this.#bytes, this.#start, this.#end)
  }

  /**
   * Valid only during a call of the listener: the world's tick that this message completes. -1 if the tick has further
   * messages; undefined for the next tick.
   */
  tick(): number | undefined {
    return this.driver.tickIn?.(this.#bytes, this.#start, this.#end)
  }

  message(bytes: Buffer, start: number, end: number): void {
    this.record?.push(Buffer.from(bytes.subarray(start, end)))
    this.#bytes = bytes
    this.#start = start
    this.#end = end
    switch (this.driver.receive(bytes, start, end)) {
      case "event":
        this.events += 1
        this.listener.event?.(this)
        return
      case "reply":
        this.replies += 1
        this.listener.reply?.(this)
        return
      case "ready":
        this.#settle?.ready()
        this.#settle = undefined
        return
      case "other":
    }
  }

  control(kind: number, payload: Buffer): void {
    if (kind === opcode.ping) this.write(maskedFrame(payload, opcode.pong))
    else if (kind === opcode.close && payload.length >= 2)
      this.#closeReason = `closed with ${payload.readUInt16BE(0)} ${payload.toString("utf8", 2)}`
  }

  #read(length: number): void {
    this.#options.onWork()
    this.bytesIn += length
    if (this.#head === undefined) this.#parser.push(sharedReadBuffer, length)
    else this.#readHead(length)
    this.listener.readEnded?.(this)
  }

  #readHead(length: number): void {
    const head = `${this.#head ?? ""}${sharedReadBuffer.toString("latin1", 0, length)}`
    const headEnd = head.indexOf("\r\n\r\n")
    if (headEnd === -1) {
      this.#head = head
      return
    }
    this.#head = undefined
    const accept = createHash("sha1")
      .update(this.#key + acceptSalt)
      .digest("base64")
    if (!head.startsWith("HTTP/1.1 101") || !head.includes(accept)) {
      this.#lost(`refused: ${head.slice(0, 200)}`)
      return
    }
    this.driver.opened()
    const rest = Buffer.from(head.slice(headEnd + 4), "latin1")
    if (rest.length > 0) this.#parser.push(rest, rest.length)
  }

  #lost(reason: string): void {
    if (this.#closing) return
    this.close()
    if (this.#settle === undefined) this.#options.onLost(this, reason)
    else this.#settle.failed(new Error(`connection ${this.index}: ${reason}`))
    this.#settle = undefined
  }
}
