// Options and result of `listen`: the address of the server.
import type { OptionTable } from "@hawser/protocol/core"

/** Options of `server.listen()` and of `serveWithBun()`. */
export interface ListenOptions {
  /** Port to listen on. Default 0: any free port. */
  readonly port?: number
  /** Address to listen on. Default: all interfaces. */
  readonly host?: string
}

/** Names of `ListenOptions`. The system checks the values. */
export const listenOptions: OptionTable<ListenOptions> = { port: "any", host: "any" }

export interface Listening {
  /** Port that the server listens on. */
  readonly port: number
  /** URL of the WebSocket. */
  readonly url: string
}
