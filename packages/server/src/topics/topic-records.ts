// State of topics as plain data, for JSON (without bytes) and MessagePack: no sessions, functions or timers. Sessions are
// named by their id. Times are durations, so that they hold in a process with another clock.

/** Presence of one topic. Members are named by their ids; their states are in the seats. */
export interface PresenceRecord {
  /** Listed members, in order of their join. */
  readonly listed: readonly number[]
  /** Members that are only counted, in order of their join. */
  readonly counted: readonly number[]
  /** Listed members whose change is not published yet. */
  readonly changed: readonly number[]
  /** Members that left and whose leave is not published yet. */
  readonly gone: readonly number[]
  /** Count in the last published change. */
  readonly toldCount: number
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
  /** Number of epochs that began so far. */
  readonly epochs: number
  /** Topics without subscribers are in the order in which they lost their last one. */
  readonly topics: readonly TopicRecord[]
  /** Of all topics, oldest first. */
  readonly publications: readonly PublicationRecord[]
}
