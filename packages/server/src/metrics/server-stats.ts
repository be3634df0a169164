// Result of `server.stats()`: counts and sizes.
import type { CallReading } from "../base/call-stats.ts"
import type { ServerCounters } from "../base/counters.ts"
import type { HistogramReading } from "../base/histogram.ts"

export interface ServerStats extends Readonly<ServerCounters> {
  /** Open sockets, logged in or not. */
  readonly connections: number
  /** Open sessions, and those of them with and without a connection. */
  readonly sessions: number
  readonly attached: number
  readonly detached: number
  /** Topics that contain sessions. */
  readonly topics: number
  /** Memberships of sessions in topics that their clients joined, and bytes of all histories. */
  readonly topicMembers: number
  readonly topicHistoryBytes: number
  /** Records of all replicas, and the cells that have records or viewers. */
  readonly replicaRecords: number
  readonly replicaCells: number
  /** Memory of the deltas that cells hold for viewers that miss some, in bytes. Per cell bounded by `replicaDeltaMaxBytes`. */
  readonly replicaDeltaBytes: number
  /** Sessions that view replicas, and those of them whose updates are conflated until their connection has capacity. */
  readonly viewing: number
  readonly conflated: number
  /** State frames that clients have not acknowledged: their bytes, and the age of the oldest in milliseconds; 0 for none. */
  readonly stateUnacknowledgedBytes: number
  readonly stateOldestMs: number
  /** Pending timers; 0 on a server without connections and sessions. */
  readonly timers: number
  /** Reliable messages that clients have not acknowledged; a broadcast counts once per session that buffers it. */
  readonly bufferedMessages: number
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
  /** Codes and causes outside the error table count as `other`, except the first 32 codes of `authenticate`. */
  readonly upgradesRefusedByReason: Readonly<Record<string, number>>
  readonly handshakesRefusedByCode: Readonly<Record<string, number>>
  readonly resumesRefusedByCause: Readonly<Record<string, number>>
  readonly sessionsEndedByCause: Readonly<Record<string, number>>
  /** Times between the attachment and the detachment of sessions. */
  readonly attachments: HistogramReading
  /** Times between the detachment of sessions and their resume, and their end. */
  readonly absencesResumed: HistogramReading
  readonly absencesEnded: HistogramReading
  /** Readings by the contract's names of calls. Other names count as `unknown`. */
  readonly calls: Readonly<Record<string, CallReading>>
}
