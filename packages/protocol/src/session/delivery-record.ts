// Declares the record of a delivery: plain data, bytes and numbers, from which another process continues it.

/** Sent messages that the peer has not acknowledged. */
export interface SentRecord {
  /** The last acknowledged number. */
  readonly base: number
  /** Digest of all messages up to `base`. */
  readonly baseDigest: number
  /** Messages above `base`, oldest first. */
  readonly messages: readonly Uint8Array[]
}

/** Received messages that were settled. The peer retransmits all other received messages. */
export interface ReceivedRecord {
  /** Length of the longest prefix of settled messages. */
  readonly handled: number
  /** Digest of that prefix. */
  readonly handledDigest: number
  /** Requests above `handled` whose outcome is recorded. When they are retransmitted, they are counted and not run. */
  readonly settledAhead: readonly number[]
}

/** The queued value of a key. */
export interface ValueRecord {
  readonly key: string
  readonly bytes: Uint8Array
}

/** Record of one delivery. */
export interface DeliveryRecord {
  readonly sent: SentRecord
  readonly received: ReceivedRecord
  /** Keyed volatile values, in the order of queueing. */
  readonly values: readonly ValueRecord[]
}
