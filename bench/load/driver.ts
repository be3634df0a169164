// What the load knows of a protocol: how to get in, what a message is, how a request looks. One driver per connection.
import type { RequestTemplate } from "./frame-writer.ts"

/** `ready`: the server takes requests. `other`: acknowledgements and the like, which nobody counts. */
export type Arrival = "ready" | "reply" | "event" | "other"

export interface Request {
  readonly name: "move" | "publish"
  /** Beside `n`, the number of the request. */
  readonly fields: Readonly<Record<string, number | string>>
}

export interface Driver {
  /** The WebSocket is open. */
  opened(): void
  receive(bytes: Buffer, start: number, end: number): Arrival
  template(request: Request): RequestTemplate
  /** To be called after every request that a template wrote; returns what has to follow it directly, if anything. */
  sent(template: RequestTemplate): Buffer | undefined
  /** The number `n` that a reply or an event carries, from 0; -1 if there is none. */
  numberIn(bytes: Buffer, start: number, end: number): number
  /**
   * The tick of the world that is complete with this event, -1 if there is more to come. Left out where every event is
   * a whole tick.
   */
  tickIn?(bytes: Buffer, start: number, end: number): number
  /** Acknowledges what waits for it; called twice a second. */
  flush(): void
}

export interface Address {
  readonly path: string
  readonly subprotocol?: string
}

export interface DriverOptions {
  readonly token: string
  readonly send: (frame: Buffer) => void
}

export interface Dialect {
  /** Where the WebSocket is; Colyseus reserves a seat by HTTP first. */
  locate(port: number, token: string): Promise<Address>
  createDriver(options: DriverOptions): Driver
}
