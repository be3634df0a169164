// Result of `listen`: the address of the server.

export interface Listening {
  readonly port: number
  readonly url: string
}
