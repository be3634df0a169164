// Port of the messages that leave a session: a `Delivery`, or what another dialect has in its place.
import type {
  Connection,
  Frame,
  OtherEnd,
  OutboundMessage,
  ReliableOutcome,
  VolatileOutcome,
} from "@hawser/protocol/core"

export interface Outbound {
  /** Binds a connection; the other end has handled and received this much of what was sent. */
  attach(connection: Connection, otherEnd: OtherEnd): void
  detach(): void
  /** Sends a message that must arrive. `dead`: the connection takes nothing and the message cannot outlive it. */
  reliable(message: OutboundMessage): ReliableOutcome | "dead"
  /** Sends a message that may be lost; with a key the latest value waits for the connection. */
  volatile(message: OutboundMessage, key: string | undefined): VolatileOutcome
  /** True if about `bytes` of state may be sent. `isFirst`: this connection was sent no state yet. */
  takesState(bytes: number, isFirst: boolean): boolean
  /** Sends a frame of state: not counted, never replayed. False if the connection takes nothing. */
  state(message: OutboundMessage): boolean
  /** Sends a frame of the session layer at once. False if it was not sent. */
  control(frame: Frame): boolean
  /** Sends waiting messages, as far as the socket takes them. */
  pump(): void
  end(): void
}
