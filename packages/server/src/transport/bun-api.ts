// The part of Bun's own API that is used, as Bun 1.4.4 and later have it. Declared here, because the published types of
// Bun would change what every other file of a program sees as global.

/** One socket of `Bun.serve`. */
export interface BunSocket {
  data: unknown
  /** What `message` gets for a binary one; "nodebuffer" unless it is set. */
  binaryType?: "nodebuffer" | "arraybuffer" | "uint8array" | "blob"
  /** Bytes taken; -1: taken, and the socket does not keep up; 0: nothing taken, or nothing to send. */
  sendBinary(bytes: Uint8Array): number
  cork(write: (socket: BunSocket) => void): void
  getBufferedAmount(): number
  /** Tells `close` of the handlers before it returns. */
  close(code: number, reason: string): void
  terminate(): void
  ping(): number
  pause(): void
  resume(): void
}

/** The option `websocket` of `Bun.serve`. */
export interface BunWebSocketHandlers {
  readonly maxPayloadLength: number
  readonly backpressureLimit: number
  readonly idleTimeout: number
  readonly sendPings: boolean
  readonly perMessageDeflate: boolean
  open(socket: BunSocket): void
  message(socket: BunSocket, content: string | Uint8Array | ArrayBuffer): void
  drain(socket: BunSocket): void
  ping(socket: BunSocket): void
  pong(socket: BunSocket): void
  close(socket: BunSocket, code: number, reason: string): void
  error(error: Error): void
}

/** What `Bun.serve` returns and hands to `fetch`. */
export interface BunServer {
  /** Tells `open` of the handlers before it returns. */
  upgrade(
    request: Request,
    options: { readonly data: unknown; readonly headers: Record<string, string> },
  ): boolean
  requestIP(request: Request): { readonly address: string } | null
}

interface StoppableBunServer extends BunServer {
  readonly port: number | undefined
  /** Resolves when the last connection is gone. */
  stop(closeActiveConnections: boolean): Promise<void>
}

export interface BunServeOptions {
  readonly port: number
  readonly hostname?: string
  /** Seconds, 255 at most. */
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
