// The load's side of one protocol: log-in, kinds of messages, and the encoding of requests. One driver per connection.
import type { RequestTemplate } from "./frame-writer.ts"

/** `ready`: the server accepts requests. `other`: acknowledgements and similar frames, which are not counted. */
export type Arrival = "ready" | "reply" | "event" | "other"

export interface Request {
  readonly name: "move" | "publish"
  /** Fields of a request beside `n`, its number. */
  readonly fields: Readonly<Record<string, number | string>>
}

export interface Driver {
  /** Called when the WebSocket is open. */
  opened(): void
  receive(bytes: Buffer, start: number, end: number): Arrival
  template(request: Request): RequestTemplate
  /** Called after every request that a template wrote. Returns bytes that must follow it directly, or undefined. */
  sent(template: RequestTemplate): Buffer | undefined
  /** The number `n` of a reply or an event, from 0; -1 without a number. */
  numberIn(bytes: Buffer, start: number, end: number): number
  /**
   * The world's tick that this event completes, -1 if the tick has further events. Left out where every event is a
   * whole tick.
   */
  tickIn?(bytes: Buffer, start: number, end: number): number
  /** Acknowledges all messages received so far; called twice a second. */
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
  /** Address of the WebSocket; Colyseus reserves a seat by HTTP first. */
  locate(port: number, token: string): Promise<Address>
  createDriver(options: DriverOptions): Driver
}
