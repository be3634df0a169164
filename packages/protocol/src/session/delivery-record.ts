// A delivery as plain data: everything that outlives the process which served it. Bytes and numbers only.

/** Sent messages that the other end has not acknowledged. */
export interface SentRecord {
  /** The last acknowledged number, and the digest of all messages up to it. */
  readonly base: number
  readonly baseDigest: number
  /** Messages above `base`, oldest first. */
  readonly messages: readonly Uint8Array[]
}

/** Received messages that were settled. What was received beyond is sent again by the other end. */
export interface ReceivedRecord {
  /** The longest prefix of settled messages, and its digest. */
  readonly handled: number
  readonly handledDigest: number
  /** Requests above `handled` whose outcome is recorded. Sent again, they are counted and not run. */
  readonly settledAhead: readonly number[]
}

/** The latest value of a key, which waits for a connection. */
export interface ValueRecord {
  readonly key: string
  readonly bytes: Uint8Array
}

export interface DeliveryRecord {
  readonly sent: SentRecord
  readonly received: ReceivedRecord
  /** Keyed volatile values, the one that has waited longest first. */
  readonly values: readonly ValueRecord[]
}
