// The port through which topics number and retain their publications. `Hub` fans out, a log numbers. The memory of this
// process is one log (memory-topic-log.ts); tests/stores/topic-log-suite.ts checks the invariants for every log.
// Must not know sessions, members or the transport.
//
// Invariants:
//  1. Offsets of an epoch begin at 1 and have no gap. A pair of epoch and offset identifies one publication for ever.
//  2. `encode` runs before the number is taken. If it throws, the log is as before, and `append` throws the same error.
//  3. A subscriber receives each publication of its topic that is appended while it is subscribed, once, by ascending offset.
//  4. An epoch lasts as long as the topic has a subscriber, or its history lasts (J9). The next epoch has another name.
//  5. Retained publications are the end of a topic, without a gap between them (J8). `read` reports all others as a gap (J7).
import type { TopicPosition } from "@hawser/protocol"
import type { JoinedGap, OutboundMessage } from "@hawser/protocol/core"

/** A publication that a log numbers. */
export interface LogPublication {
  /** Key of the client that does not receive it (`clientKey`); undefined if every client does. */
  readonly except: string | undefined
  /** Encodes the publication with this offset. @throws UnsendableError if a client would refuse it. */
  encode(offset: number): void
  /** Returns the encoded frame for the history. Called after `encode`, and only for a topic that has a history. */
  retained(): OutboundMessage
}

/** One retained publication. Replayed with the same bytes that subscribers received live. */
export interface LogEntry {
  readonly offset: number
  readonly message: OutboundMessage
  /** Time of the append, by the clock of the log. */
  readonly atMs: number
  /** Key of the client that does not receive it. */
  readonly except: string | undefined
}

/** The publications that a reader asks for. */
export interface LogQuery {
  /** Position of the reader; undefined for a reader without one. */
  readonly since: TopicPosition | undefined
  /** Number of newest publications for a reader without a position. */
  readonly recent: number
  /** Largest publication that the reader can be sent, in bytes. A larger one is part of a gap. */
  readonly maxBytes: number
}

export interface LogRead {
  /** Current end of the topic. */
  readonly head: TopicPosition
  /** Offset before the first entry. */
  readonly from: number
  /** Publications that the reader misses and that are not retained, or are larger than `maxBytes`. */
  readonly gap: JoinedGap | undefined
  /** Missed publications by ascending offset, up to the head. */
  readonly entries: readonly LogEntry[]
}

/** Receives the publications of all topics that it is subscribed to. Must not throw. */
export type LogSubscriber<P extends LogPublication> = (topic: string, publication: P) => void

/** All methods are synchronous. A subscriber runs inside the `append` of its publication, after the number is taken. */
export interface TopicLog<P extends LogPublication> {
  /** True if topics of this name have a history. */
  keeps(topic: string): boolean
  /** Returns the current end of a topic; undefined if the topic does not exist. A topic with a history always exists. */
  head(topic: string): TopicPosition | undefined
  /**
   * Numbers a publication, retains it if the topic has a history, and passes it to the subscribers. Returns undefined, and
   * calls nothing, if the topic does not exist: it has neither subscribers nor a history.
   * @throws RangeError for an invalid name, and the error of `encode`.
   */
  append(topic: string, publication: P): TopicPosition | undefined
  /** Returns the publications that a reader misses; undefined if the topic does not exist. */
  read(topic: string, query: LogQuery): LogRead | undefined
  /** Keeps the topic alive and passes its publications to `subscriber`. Idempotent. @throws RangeError for an invalid name. */
  subscribe(topic: string, subscriber: LogSubscriber<P>): void
  /** Ends a subscription. Idempotent. */
  unsubscribe(topic: string, subscriber: LogSubscriber<P>): void
}
