// Types of the part of Bun's API that is used, for Bun 1.4.4 and later. Declared here, because the published types of Bun would
// change the global types of the whole program.

/** One socket of `Bun.serve`. */
export interface BunSocket {
  /** Value of the server, from the option `data` of `upgrade`. */
  data: unknown
  /** Type of binary content for the handler `message`; default "nodebuffer". */
  binaryType?: "nodebuffer" | "arraybuffer" | "uint8array" | "blob"
  /** Returns the accepted bytes; -1: accepted, with backpressure; 0: nothing accepted, or nothing to send. */
  sendBinary(bytes: Uint8Array): number
  /** Runs `write` and sends its output in one write. */
  cork(write: (socket: BunSocket) => void): void
  /** Returns the bytes that Bun buffers. */
  getBufferedAmount(): number
  /** Calls the handler `close` before it returns. */
  close(code: number, reason: string): void
  /** Ends the socket without a close frame. */
  terminate(): void
  /** Sends a ping. Returns a number as `sendBinary`. */
  ping(): number
  /** Stops reading the socket. */
  pause(): void
  /** Continues reading the socket. */
  resume(): void
}

/** The option `websocket` of `Bun.serve`. */
export interface BunWebSocketHandlers {
  /** Largest message, in bytes. Above it Bun closes the socket. */
  readonly maxPayloadLength: number
  /** Bound of buffered output, in bytes; 0: none. */
  readonly backpressureLimit: number
  /** Idle timeout in seconds; 0: none. */
  readonly idleTimeout: number
  /** True if Bun sends pings by itself. */
  readonly sendPings: boolean
  /** True if messages are compressed. */
  readonly perMessageDeflate: boolean
  /** Called for a new socket. */
  open(socket: BunSocket): void
  /** Called for each message. */
  message(socket: BunSocket, content: string | Uint8Array | ArrayBuffer): void
  /** Called when the socket accepts output again. */
  drain(socket: BunSocket): void
  /** Called for each ping, which Bun has answered. */
  ping(socket: BunSocket): void
  /** Called for each pong. */
  pong(socket: BunSocket): void
  /** Called when the socket has ended. */
  close(socket: BunSocket, code: number, reason: string): void
  /** Called with an error of a handler. */
  error(error: Error): void
}

/** Server object of `Bun.serve`, also the second argument of `fetch`. */
export interface BunServer {
  /** Calls the handler `open` before it returns. */
  upgrade(
    request: Request,
    options: {
      /** Value of `BunSocket.data`. */
      readonly data: unknown
      /** Header fields of the response. */
      readonly headers: Record<string, string>
    },
  ): boolean
  /** Returns the peer's address; null for a Unix socket. */
  requestIP(request: Request): {
    /** IP address of the peer. */
    readonly address: string
  } | null
}

interface StoppableBunServer extends BunServer {
  readonly port: number | undefined
  /** Resolves after the end of the last connection. */
  stop(closeActiveConnections: boolean): Promise<void>
}

export interface BunServeOptions {
  readonly port: number
  readonly hostname?: string
  /** Idle timeout in seconds, at most 255. */
  readonly idleTimeout: number
  readonly maxRequestBodySize: number
  readonly development: boolean
  readonly websocket: BunWebSocketHandlers
  fetch(request: Request, server: BunServer): Response | undefined
  error(error: Error): Response
}

export interface BunRuntime {
  readonly version: string
  serve(options: BunServeOptions): StoppableBunServer
}
