// State that a journal keeps: sessions, topics, outcomes, ends of sessions, names of types. Plain data with wall-clock times,
// because another process has another clock. Must not know records, sockets and handlers.
import type { PackedRecord, ReplicaSchema } from "@hawser/protocol/core"
import type { EndCause } from "../base/session.ts"
import type { KeptSession } from "../session/life/kept-session.ts"

/** One retained publication. */
export interface KeptPublication {
  readonly offset: number
  readonly bytes: Uint8Array
  readonly atMs: number
  readonly except: string | null
}

/** One topic of the log. */
export interface KeptTopic {
  readonly epoch: string
  offset: number
  /** End without subscribers; undefined while it has subscribers. */
  endsAtMs: number | undefined
  publications: KeptPublication[]
}

/** Presence of a topic since its last `$presence` event. */
export interface KeptPresence {
  /** Members in the order of their joins. */
  readonly members: Set<number>
  readonly changed: Set<number>
  readonly gone: Set<number>
  publishedCount: number
}

/** End of a session. */
export interface KeptEnd {
  readonly cause: EndCause
  readonly userId: string
  readonly isFinal: boolean
  readonly untilMs: number
}

/** Outcome of a request with an idempotency key. */
export interface KeptOutcome {
  readonly userId: string
  readonly id: string
  readonly untilMs: number
  /** MessagePack of the packed outcome. */
  readonly packed: Uint8Array
}

/** One record of a durable replica. */
export interface KeptRecord {
  readonly id: string
  readonly packed: PackedRecord
}

/** A durable replica. */
export interface KeptReplica {
  /** Topic that it belongs to; undefined for a replica of the server. */
  readonly topic: string | undefined
  readonly name: string
  /** Fields with which its records are packed: those of the process that wrote them. */
  readonly schema: ReplicaSchema
  /** By number. */
  readonly records: Map<number, KeptRecord>
}

/** State after all records of a journal. */
export interface KeptState {
  /** By number. Numbers are not used again. */
  readonly sessions: Map<number, KeptSession>
  nextSession: number
  readonly topics: Map<string, KeptTopic>
  readonly presences: Map<string, KeptPresence>
  /** By number. */
  readonly replicas: Map<number, KeptReplica>
  readonly ends: Map<string, KeptEnd>
  /** By user and id. */
  readonly outcomes: Map<string, KeptOutcome>
  /** Names of types by their numbers on the wire. A number is never given to another name. */
  readonly types: Map<number, string>
  /** Time of the last record, in milliseconds since 1970; 0 without one. */
  lastAtMs: number
  /** Deliveries of the records that were read. */
  deliveries: number
}

export function emptyState(): KeptState {
  return {
    sessions: new Map(),
    nextSession: 1,
    topics: new Map(),
    presences: new Map(),
    replicas: new Map(),
    ends: new Map(),
    outcomes: new Map(),
    types: new Map(),
    lastAtMs: 0,
    deliveries: 0,
  }
}

/** Returns the unacknowledged messages of a session, oldest first. */
export function unacknowledgedOf({ messages, firstMessage }: KeptSession): readonly Uint8Array[] {
  return firstMessage === 0 ? messages : messages.slice(firstMessage)
}
