// Declares the dependencies of a delivery: its bounds, its counters, and its owner.
import type { Clock } from "../base/clock.ts"
import type { Codec } from "../wire/codec.ts"
import type { KeptBytes } from "./send-buffer.ts"
import type { StateWindowLimits } from "./state-window.ts"

/** Bounds of one session's delivery, at either end. */
export interface DeliveryLimits {
  /**
   * Capacity of a session's send buffer, in unacknowledged reliable messages; default 1,024. At capacity a client's call
   * rejects with `buffer_full`, and a server's session ends with `session_overflow`.
   */
  readonly sendBufferMaxCount: number
  /** Capacity of the send buffer in bytes; default 1 MiB. An empty buffer takes one message of any size. */
  readonly sendBufferMaxBytes: number
  /**
   * High-water mark of the socket's buffer for reliable messages, in bytes; default 256 KiB. At the mark they stay in the
   * send buffer.
   */
  readonly socketHighWaterBytes: number
  /**
   * High-water mark of the socket's buffer for volatile messages, in bytes; default 64 KiB. Above the mark a message with a
   * key is queued, one without is dropped.
   */
  readonly volatileHighWaterBytes: number
  /** Keyed volatile values in the queue; default 256. At capacity the oldest is dropped, never the latest. */
  readonly volatileSlots: number
  /** Bytes of these values; default 256 KiB. At capacity the oldest is dropped, never the latest. */
  readonly volatileSlotsMaxBytes: number
  /** Number of settled messages at which an acknowledgement is sent at once; default 128. */
  readonly ackEveryCount: number
  /** Bytes of received messages at which an acknowledgement is sent at once; default 64 KiB. */
  readonly ackEveryBytes: number
  /** Longest delay of the acknowledgement of a settled message or a received state frame, in milliseconds; default 500. */
  readonly ackDelayMs: number
  /** Interval of SYNC in reliable messages; default 256. SYNC compares the counts and digests of both ends. */
  readonly syncEveryCount: number
  /** Interval of SYNC in milliseconds; default 10,000. Without new reliable messages no SYNC is sent. */
  readonly syncEveryMs: number
}

const kib = 1024

/** Defaults of both ends. Each end applies them to the messages that it sends and receives. */
export const defaultDeliveryLimits: DeliveryLimits = {
  sendBufferMaxCount: 1_024,
  sendBufferMaxBytes: 1_024 * kib,
  socketHighWaterBytes: 256 * kib,
  volatileHighWaterBytes: 64 * kib,
  volatileSlots: 256,
  volatileSlotsMaxBytes: 256 * kib,
  ackEveryCount: 128,
  ackEveryBytes: 64 * kib,
  ackDelayMs: 500,
  syncEveryCount: 256,
  syncEveryMs: 10_000,
}

/** Counters of deliveries, since the start of the process or client. Several sessions may share one object. */
export interface DeliveryCounters {
  /** Messages sent to connections, of every class. */
  messagesSent: number
  /** Bytes of these messages. */
  bytesSent: number
  /** Reliable messages that were sent again on a later connection. */
  messagesReplayed: number
  /** Bytes of these messages. */
  bytesReplayed: number
  /** ACK frames sent. */
  acksSent: number
  /** Volatile messages without a key that were dropped. */
  volatileDropped: number
  /** Keyed volatile values that were dropped for a newer value, or at the capacity of the queue. */
  volatileConflated: number
}

/** Dependencies that the deliveries of all sessions share. */
export interface DeliveryHost {
  /** Bounds of each delivery. */
  readonly limits: DeliveryLimits
  /** Bounds of state in flight. Absent at an end that sends none: a client. */
  readonly stateLimits?: StateWindowLimits
  /** Clock of the process. */
  readonly clock: Clock
  /** Encodes control frames. */
  readonly codec: Pick<Codec, "encode">
  /** Shared counters. */
  readonly counters: DeliveryCounters
  /** Shared sum of the bytes in all send buffers. */
  readonly kept: KeptBytes
}

/** Owner of a delivery. It keeps the timers. */
export interface DeliveryOwner {
  /** Requests a call of `flushAck` within `ackDelayMs`. Not repeated before that. */
  requestAck(): void
  /** Requests a call of `flushStateAck` after `delayMs`. Not repeated before that. Absent at a server, which receives no state. */
  requestStateAck?(delayMs: number): void
  /** Returns true while the owner defers acknowledgements and sends them itself (N10). Absent: never. */
  holdsAck?(): boolean
  /** True while a replica update is queued: volatile events and values then alternate with it. Absent: never. */
  readonly viewsWait?: boolean
}

/** `sent`: sent on the connection. `buffered`: in the send buffer. `full`: refused, not buffered. */
export type ReliableOutcome = "sent" | "buffered" | "full"
/** `sent`: sent on the connection. `conflated`: queued under its key. `dropped`: discarded. */
export type VolatileOutcome = "sent" | "conflated" | "dropped"

/** Counts of the peer when a connection is attached. */
export interface OtherEnd {
  /** Reliable messages that the peer has received. */
  readonly received: number
  /** Reliable messages that the peer has handled. */
  readonly handled: number
  /** True if the peer acknowledges state (N9). Default false: only the socket's buffer then bounds the state in flight. */
  readonly countsState?: boolean
}
