// Result of `server.stats()`: counts and sizes.
import type { CallReading } from "../base/call-stats.ts"
import type { ServerCounters } from "../base/counters.ts"
import type { HistogramReading } from "../base/histogram.ts"
import type { EngineStats } from "../journal/journal-engine.ts"
import type { AppendStats } from "../journal/journal-meter.ts"
import type { Recovery } from "../journal/server-journal.ts"

/** Measurements of a journal. */
export interface JournalStats extends AppendStats, EngineStats {
  /** Result of the start; undefined before it. */
  readonly recovery: Recovery | undefined
}

export interface ServerStats extends Readonly<ServerCounters> {
  /** Open sockets, logged in or not. */
  readonly connections: number
  /** Open sessions. */
  readonly sessions: number
  /** Sessions with a connection. */
  readonly attached: number
  /** Sessions without a connection. */
  readonly detached: number
  /** Topics that contain sessions. */
  readonly topics: number
  /** Memberships of sessions in topics that their clients joined. */
  readonly topicMembers: number
  /** Bytes of all histories. Bounded by `topicHistoryMaxBytes`. */
  readonly topicHistoryBytes: number
  /** Records of all replicas, of topics included. */
  readonly replicaRecords: number
  /** Cells of replicas with records or viewers. */
  readonly replicaCells: number
  /** Memory of the deltas that cells hold for viewers that miss some, in bytes. Per cell bounded by `replicaDeltaMaxBytes`. */
  readonly replicaDeltaBytes: number
  /** Sessions that view replicas. */
  readonly viewing: number
  /** Sessions whose replica updates are conflated until their connection has capacity. */
  readonly conflated: number
  /** Bytes of state frames that clients have not acknowledged. */
  readonly stateUnacknowledgedBytes: number
  /** Age of the oldest state frame that a client has not acknowledged, in milliseconds; 0 for none. */
  readonly stateOldestMs: number
  /** Pending timers; 0 on a server without connections and sessions. */
  readonly timers: number
  /** Reliable messages that clients have not acknowledged; a broadcast counts once per session that buffers it. */
  readonly bufferedMessages: number
  /** Bytes of these messages, counted in the same way. */
  readonly bufferedBytes: number
  /** Bytes of these messages; a broadcast counts once for all sessions. Bounded by `replayMaxBytes`. */
  readonly replayBytes: number
  /** Memory of stored outcomes of requests with an idempotency key, in bytes. Bounded by `idempotencyMaxBytes`. */
  readonly idempotencyBytes: number
  /**
   * TCP connections that were dropped before a request. `silent`: no complete request within `httpTimeoutMs`; `crowded`: the
   * address was at `requestlessPerAddress`.
   */
  readonly socketsDroppedByReason: Readonly<Record<string, number>>
  /** Refused upgrades, by reason. */
  readonly upgradesRefusedByReason: Readonly<Record<string, number>>
  /** Refused log-ins, by error code. Codes outside the error table count as `other`, except the first 32 of `authenticate`. */
  readonly handshakesRefusedByCode: Readonly<Record<string, number>>
  /** Refused resumes, by cause. */
  readonly resumesRefusedByCause: Readonly<Record<string, number>>
  /** Ended sessions, by cause. Causes outside the error table count as `other`. */
  readonly sessionsEndedByCause: Readonly<Record<string, number>>
  /** Times between the attachment and the detachment of sessions. */
  readonly attachments: HistogramReading
  /** Times between the detachment of sessions and their resume. */
  readonly absencesResumed: HistogramReading
  /** Times between the detachment of sessions and their end. */
  readonly absencesEnded: HistogramReading
  /** Journal of the server; undefined without the option `journal`. */
  readonly journal: JournalStats | undefined
  /** Readings by the contract's names of calls. Other names count as `unknown`. */
  readonly calls: Readonly<Record<string, CallReading>>
}
