// Result of `listen`: the address of the server.

export interface Listening {
  /** Port that the server listens on. */
  readonly port: number
  /** URL of the WebSocket. */
  readonly url: string
}
