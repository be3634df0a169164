// Records of topics as plain data, for JSON (without bytes) and MessagePack. Sessions are referenced by id. Times are
// durations, so that they hold in a process with another clock. Must not contain sessions, functions or timers.

/** Presence of one topic. Members are referenced by id; their states are in the membership records. */
export interface PresenceRecord {
  /** Listed members, in order of their join. */
  readonly listed: readonly number[]
  /** Members that are only counted, in order of their join. */
  readonly counted: readonly number[]
  /** Listed members with an unpublished change. */
  readonly changed: readonly number[]
  /** Members that left, with an unpublished leave. */
  readonly gone: readonly number[]
  /** Count in the last published change. */
  readonly publishedCount: number
}

export interface TopicPresenceRecord extends PresenceRecord {
  readonly topic: string
}

/** One retained publication. */
interface PublicationRecord {
  readonly topic: string
  readonly offset: number
  /** The encoded CHAN frame. */
  readonly bytes: Uint8Array
  readonly ageMs: number
  readonly except: string | null
}

/** Epoch and end of one topic. */
export interface TopicRecord {
  readonly topic: string
  readonly epoch: string
  readonly offset: number
  /** Remaining time to live without subscribers, in milliseconds; null if it had subscribers. */
  readonly endsInMs: number | null
}

export interface TopicLogRecord {
  /** Number of epochs that have begun. */
  readonly epochs: number
  /** Topics without subscribers are in the order in which they lost their last one. */
  readonly topics: readonly TopicRecord[]
  /** Publications of all topics, oldest first. */
  readonly publications: readonly PublicationRecord[]
}
