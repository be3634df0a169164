// What an application learns when its server listens.

export interface Listening {
  readonly port: number
  readonly url: string
}
