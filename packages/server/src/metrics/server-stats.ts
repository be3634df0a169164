// The counts and sizes that `server.stats()` returns.
import type { CallReading } from "../base/call-stats.ts"
import type { ServerCounters } from "../base/counters.ts"
import type { HistogramReading } from "../base/histogram.ts"

export interface ServerStats extends Readonly<ServerCounters> {
  readonly connections: number
  readonly sessions: number
  /** Of these: with a connection, and without. */
  readonly attached: number
  readonly detached: number
  readonly topics: number
  /** Stays of sessions in topics that they joined by themselves, and bytes of all histories. */
  readonly topicMembers: number
  readonly topicHistoryBytes: number
  /** Records of all replicas, and the cells that have records or viewers. */
  readonly replicaRecords: number
  readonly replicaCells: number
  /** Memory in bytes of the changes that cells hold for viewers who missed some. Per cell bounded by `replicaDeltaMaxBytes`. */
  readonly replicaDeltaBytes: number
  /** Sessions that view replicas, and those of them that have fallen behind and wait for their socket or their link. */
  readonly viewing: number
  readonly conflated: number
  /** Frames of state that clients have not acknowledged: their bytes, and the age of the oldest in milliseconds; 0 for none. */
  readonly stateUnacknowledgedBytes: number
  readonly stateOldestMs: number
  /** Deadlines that wait; 0 on an idle server without connections. */
  readonly timers: number
  /** Reliable messages that clients have not acknowledged; a broadcast counts once per session that keeps it. */
  readonly bufferedMessages: number
  readonly bufferedBytes: number
  /** The same bytes with a broadcast counted once for all sessions. Bounded by `replayMaxBytes`. */
  readonly replayBytes: number
  /** Memory of the outcomes of requests with an idempotency key. Bounded by `idempotencyMaxBytes`. */
  readonly idempotencyBytes: number
  /**
   * TCP connections that were dropped before a request came. `silent`: no whole request within `httpTimeoutMs`; `crowded`:
   * `requestlessPerAddress`.
   */
  readonly socketsDroppedByReason: Readonly<Record<string, number>>
  /** Codes and causes beyond those of the error table count as `other`; a code of `authenticate` does up to 32. */
  readonly upgradesRefusedByReason: Readonly<Record<string, number>>
  readonly handshakesRefusedByCode: Readonly<Record<string, number>>
  readonly resumesRefusedByCause: Readonly<Record<string, number>>
  readonly sessionsEndedByCause: Readonly<Record<string, number>>
  /** How long sessions had a connection without a pause, of those times that are over. */
  readonly attachments: HistogramReading
  /** How long clients were away, until they came back or until their session ended. */
  readonly absencesResumed: HistogramReading
  readonly absencesEnded: HistogramReading
  /** By the contract's names of calls; any other name counts as `unknown`. */
  readonly calls: Readonly<Record<string, CallReading>>
}
