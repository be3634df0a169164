// Port of a session's outgoing messages: a `ServerDelivery`, or the implementation of another dialect.
import type {
  Connection,
  Frame,
  OtherEnd,
  OutboundMessage,
  ReliableOutcome,
  VolatileOutcome,
} from "@hawser/protocol/core"

/** Outgoing messages of one session. */
export interface Outbound {
  /** Binds a connection. `otherEnd`: counts of handled and received messages of the client. */
  attach(connection: Connection, otherEnd: OtherEnd): void
  /** Unbinds the connection. */
  detach(): void
  /** Sends a reliable message. `dead`: the write failed, and the message cannot wait for another connection. */
  reliable(message: OutboundMessage): ReliableOutcome | "dead"
  /** Sends a volatile message. If the connection is slow, the latest value of a key is queued, and a message without a key is dropped. */
  volatile(message: OutboundMessage, key: string | undefined): VolatileOutcome
  /** True if about `bytes` of state may be sent. `isFirst`: no state was sent on this connection. */
  takesState(bytes: number, isFirst: boolean): boolean
  /** Sends a state frame: not counted, never replayed. Returns false if it was not sent. */
  state(message: OutboundMessage): boolean
  /** Sends a frame of the session layer at once. Returns false if it was not sent. */
  control(frame: Frame): boolean
  /** Sends a frame that tells of no state ahead of output that may wait for the journal. Returns false if none can wait. */
  ahead(frame: Frame): boolean
  /** Sends queued messages, up to the socket's high-water mark. */
  pump(): void
  /** Releases all messages at the session's end. */
  end(): void
}
