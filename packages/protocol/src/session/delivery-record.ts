// Declares the record of a delivery: plain data, bytes and numbers, from which another process continues it.

/** Sent messages that the peer has not acknowledged. */
export interface SentRecord {
  /** The last acknowledged number. */
  readonly base: number
  /** Digest of all messages up to `base` (N3): 32 bits, unsigned. */
  readonly baseDigest: number
  /** Messages above `base`, oldest first. */
  readonly messages: readonly Uint8Array[]
}

/** Received messages that were settled. The peer retransmits all other received messages. */
export interface ReceivedRecord {
  /** Number of messages in the longest settled prefix. */
  readonly handled: number
  /** Digest of that prefix (N3): 32 bits, unsigned. */
  readonly handledDigest: number
  /** Requests above `handled` whose outcome is recorded. When they are retransmitted, they are counted and not run. */
  readonly settledAhead: readonly number[]
}

/** The queued value of a key. */
export interface ValueRecord {
  /** Conflation key of the value. */
  readonly key: string
  /** Encoded message with the value. */
  readonly bytes: Uint8Array
}

/** Record of one delivery. */
export interface DeliveryRecord {
  /** Unacknowledged messages to the peer. */
  readonly sent: SentRecord
  /** Settled messages from the peer. */
  readonly received: ReceivedRecord
  /** Keyed volatile values, in the order of queueing. */
  readonly values: readonly ValueRecord[]
}
