// Port of one session at the client's end. The dialect creates it at WELCOME; requests, frames and the handshake use it.
// Must not know listeners, promises, the supervisor or a wire profile.
import type { ClientLimits, Clock } from "@hawser/protocol"
import type {
  BadFrame,
  ClientCodec,
  ClientFrame,
  CommonFrame,
  Connection,
  Frame,
  ResumeClaim,
  TimerQueue,
  TypeTable,
  WelcomeFrame,
} from "@hawser/protocol/core"
import type { ClientCounters } from "../base/counters.ts"
import type { Carrier } from "../calls/carrier.ts"

/** Dependencies of a session. */
export interface ClientSessionOptions {
  /** Codec of the session, with the server's table of type names. */
  readonly codec: ClientCodec
  /** The server's table of type names. */
  readonly types: TypeTable
  /** Connection that received WELCOME. */
  readonly connection: Connection
  /** WELCOME frame that opens the session. */
  readonly welcome: WelcomeFrame
  /** Limits of the client. */
  readonly limits: ClientLimits
  /** Clock of the client. */
  readonly clock: Clock
  /** Timer queue of the client. */
  readonly timers: TimerQueue
  /** Counters of the client. The session increments them. */
  readonly counters: ClientCounters
  /** Called when the session may take waiting requests again. */
  readonly onRoom: () => void
  /** Called when an attached session has accepted a reliable message: an answer of the server is due. */
  readonly onAsked: () => void
}

/** Frame with an acknowledgement, or with counts of the server. */
export type CountsFrame = Extract<
  Frame,
  {
    /** Kind of the frame. */
    readonly kind: "ping" | "pong" | "ack" | "sync"
  }
>

/** Reliable messages of a session, by state. */
export interface SessionCounts {
  /** Reliable messages of this session that were accepted for sending; 0 without a session. */
  readonly sent: number
  /** Reliable messages of this session that were received; 0 without a session. */
  readonly received: number
  /** Received messages of this session that were handled; 0 without a session. */
  readonly handled: number
  /** Sent messages that the server has not acknowledged; at most `limits.sendBufferMaxCount`. */
  readonly bufferedMessages: number
  /** Bytes of these messages; at most `limits.sendBufferMaxBytes`, but one message always fits. */
  readonly bufferedBytes: number
}

/** One message from the server. */
export interface Received {
  /** Decoded frame; of the kind `bad` if its bytes are invalid. */
  readonly frame: Frame | BadFrame
  /** The message's number; 0 for a message that is not counted. */
  readonly count: number
}

/** Counts of a client without a session. */
export const noCounts: SessionCounts = {
  sent: 0,
  received: 0,
  handled: 0,
  bufferedMessages: 0,
  bufferedBytes: 0,
}

export interface ClientSession extends Carrier {
  /** Id of the session; empty for a session that cannot be resumed. */
  readonly id: string
  /** Codec of the session. It applies the server's limits if WELCOME names them. */
  readonly codec: ClientCodec
  /** Reliable messages of the session, by state. A session that cannot be resumed counts only sent ones. */
  readonly counts: SessionCounts
  /** The resume claim for HELLO; undefined if the session cannot be resumed. */
  claim(): ResumeClaim | undefined
  /**
   * Attaches a new connection. Returns false, and changes nothing, if the server's count or digest of this client's
   * messages differs from this end's.
   */
  resume(connection: Connection, welcome: WelcomeFrame): boolean
  /** Detaches the connection. Accepted messages wait for the next one, if the session outlives its connection. */
  detach(): void
  /** Ends the session and cancels its timers. */
  end(): void
  /** Sends a frame of the session layer. Does nothing if the profile has no such frames. */
  sendControl(frame: ClientFrame | CommonFrame): void
  /** Sends PING with this number and the acknowledgement. */
  sendPing(number: number): void
  /** Sends waiting messages, and reports room: the socket or the send buffer may have some. */
  drained(): void
  /** Counts a message, then decodes it. */
  receive(bytes: Uint8Array): Received
  /** Marks a received message as handled. Ignores 0. */
  settle(count: number): void
  /** Notes acknowledgements and counts of the server, and answers PING. Returns false if they contradict this end's counts. */
  receiveCounts(frame: CountsFrame): boolean
}
