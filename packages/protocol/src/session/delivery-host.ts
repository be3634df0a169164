// Types of a delivery's surroundings: its bounds, its counters, and the runner that owns it.
import type { Clock } from "../base/clock.ts"
import type { Codec } from "../wire/codec.ts"
import type { KeptBytes } from "./send-buffer.ts"
import type { StateWindowLimits } from "./state-window.ts"

export interface DeliveryLimits {
  /** Reliable messages that are not acknowledged, their number and their bytes. Beyond: `reliable` takes no more. */
  readonly sendBufferMaxCount: number
  readonly sendBufferMaxBytes: number
  /** Bytes in the socket at which reliable messages stay in the session's buffer. */
  readonly socketHighWaterBytes: number
  /** Bytes in the socket above which volatile messages wait (with a key) or are dropped (without). */
  readonly volatileHighWaterBytes: number
  /** Keyed volatile values that wait, and their bytes. Beyond: the oldest is dropped, but never the latest. */
  readonly volatileSlots: number
  readonly volatileSlotsMaxBytes: number
  /** Settled messages, or their bytes, after which an acknowledgement is sent at once. */
  readonly ackEveryCount: number
  readonly ackEveryBytes: number
  /** The longest that a settled message, or a received frame of state, waits for its acknowledgement. */
  readonly ackDelayMs: number
  /** Reliable messages, or time with progress, after which both ends compare counts and digests. */
  readonly syncEveryCount: number
  readonly syncEveryMs: number
}

const kib = 1024

/** Defaults of both ends; each applies them to its own sending and receiving. */
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

/** What a delivery counts; one object may serve many sessions. */
export interface DeliveryCounters {
  messagesSent: number
  bytesSent: number
  messagesReplayed: number
  bytesReplayed: number
  acksSent: number
  volatileDropped: number
  volatileConflated: number
}

/** What the deliveries of all sessions of a server have in common. */
export interface DeliveryHost {
  readonly limits: DeliveryLimits
  /** Bounds on state that is under way. Absent where none is sent: at a client. */
  readonly stateLimits?: StateWindowLimits
  readonly clock: Clock
  readonly codec: Pick<Codec, "encode">
  readonly counters: DeliveryCounters
  readonly kept: KeptBytes
}

export interface DeliveryOwner {
  /** Calls `flushAck` within `ackDelayMs`. Not repeated before that. */
  requestAck(): void
  /** Calls `flushStateAck` after `delayMs`. Not repeated before that. Absent where no state is received: at a server. */
  requestStateAck?(delayMs: number): void
  /** True while the owner sends the acknowledgement itself, later (N10). Absent: never. */
  holdsAck?(): boolean
  /** True while an update of views waits: volatile events and values then take turns with it. Absent: never. */
  readonly viewsWait?: boolean
}

/** `sent`: handed to the connection. `buffered`: waits for the connection. `full`: refused, nothing was taken. */
export type ReliableOutcome = "sent" | "buffered" | "full"
export type VolatileOutcome = "sent" | "conflated" | "dropped"

/** Counts of the other end when a connection is attached. */
export interface OtherEnd {
  readonly received: number
  readonly handled: number
  /** True if it acknowledges state (N9). Absent: it does not, and only the socket's buffer bounds what it is sent. */
  readonly countsState?: boolean
}
