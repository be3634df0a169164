// Declares the bounds of a topic's history, with their defaults.

/** Bounds of the history of each topic of a kind. The first bound that is reached applies. */
export interface TopicHistoryLimits {
  /** Number of retained publications; default 100. At the bound the oldest is evicted. */
  readonly maxCount: number
  /**
   * Age of a retained publication, in milliseconds; default 600,000. Then it expires. A topic without subscribers and
   * publications expires after the same time.
   */
  readonly maxAgeMs: number
  /**
   * Bytes of the retained publications; default 64 KiB. At the bound the oldest is evicted. A single publication above the
   * bound is not retained, and all earlier ones are evicted.
   */
  readonly maxBytes: number
}

/** Defaults of `TopicHistoryLimits`. */
export const defaultTopicHistory: TopicHistoryLimits = {
  maxCount: 100,
  maxAgeMs: 600_000,
  maxBytes: 64 * 1024,
}
