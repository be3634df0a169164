// Types of the part of Bun's API that is used, for Bun 1.4.4 and later. Declared here, because the published types of Bun would
// change the global types of the whole program.

/** One socket of `Bun.serve`. */
export interface BunSocket {
  data: unknown
  /** Type of binary content for the handler `message`; default "nodebuffer". */
  binaryType?: "nodebuffer" | "arraybuffer" | "uint8array" | "blob"
  /** Returns the accepted bytes; -1: accepted, with backpressure; 0: nothing accepted, or nothing to send. */
  sendBinary(bytes: Uint8Array): number
  cork(write: (socket: BunSocket) => void): void
  getBufferedAmount(): number
  /** Calls the handler `close` before it returns. */
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

/** Server object of `Bun.serve`, also the second argument of `fetch`. */
export interface BunServer {
  /** Calls the handler `open` before it returns. */
  upgrade(
    request: Request,
    options: { readonly data: unknown; readonly headers: Record<string, string> },
  ): boolean
  requestIP(request: Request): { readonly address: string } | null
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
