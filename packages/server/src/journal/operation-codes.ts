// Codes of the operations in journal records. Must not know their fields.

/** First byte of each operation. A number is never used for another operation. */
export const operation = {
  life: 1,
  round: 2,
  roundEnd: 3,
  /** Bytes with a number, to which restated sessions and topics of the same round refer. */
  shared: 4,
  session: 5,
  sent: 6,
  reply: 7,
  value: 8,
  settled: 9,
  started: 10,
  acked: 11,
  claims: 12,
  user: 13,
  streamOpened: 14,
  streamEnded: 15,
  ended: 17,
  end: 18,
  member: 19,
  left: 20,
  presence: 21,
  presenceTold: 22,
  topic: 23,
  published: 24,
  topicEnded: 25,
  outcome: 27,
  type: 28,
  /** `sent`, with the bytes of the last `published` of the record. */
  sentPublished: 29,
  /** A topic without publications; those that it retains follow as `retained`. */
  topicRestated: 30,
  retained: 31,
  /** A durable replica with its fields; its records follow. */
  replica: 32,
  records: 33,
  replicaEnded: 34,
} as const
