// Bounds of a topic's history, with their defaults.

/** What a kind of topics keeps for those who come later, for each of its topics. Whichever bound is reached first counts. */
export interface TopicHistoryLimits {
  /** Publications. Beyond: the oldest is forgotten. */
  readonly maxCount: number
  /** Age of a publication. Beyond: it is forgotten, and so is a topic that nobody is in or publishes to for so long. */
  readonly maxAgeMs: number
  /** Bytes of what is kept. Beyond: the oldest is forgotten; of one that is larger by itself, also what was before it. */
  readonly maxBytes: number
}

export const defaultTopicHistory: TopicHistoryLimits = {
  maxCount: 100,
  maxAgeMs: 600_000,
  maxBytes: 64 * 1024,
}
