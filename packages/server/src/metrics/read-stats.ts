// Reads the statistics of a server from their sources into a plain object, which is not modified later. Must not know metrics
// libraries.
import type { Clock } from "@hawser/protocol"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { ServerCounters } from "../base/counters.ts"
import type { ServerStats } from "./server-stats.ts"
import type { SessionRegistry } from "../session/life/session-registry.ts"
import type { Replicas } from "../replicas/replicas.ts"
import type { TopicService } from "../topics/topic-service.ts"
import type { Health } from "../base/health.ts"

export interface StatsSources<User extends AuthenticatedUser> {
  readonly health: Health
  readonly counters: ServerCounters
  readonly registry: SessionRegistry<User>
  readonly connections: { readonly size: number }
  readonly topics: { readonly counts: TopicService<User>["counts"] }
  readonly replicas: Pick<Replicas, "records" | "cells" | "deltaBytes" | "viewing" | "conflated">
  readonly replayMemory: { readonly bytes: number }
  readonly idempotency: { readonly bytes: number }
  readonly timers: { readonly size: number }
  readonly clock: Pick<Clock, "now">
}

export function readStats<User extends AuthenticatedUser>(sources: StatsSources<User>): ServerStats {
  const { counters, registry, connections, replicas, timers, health } = sources
  const topics = sources.topics.counts
  let attached = 0
  let bufferedMessages = 0
  let bufferedBytes = 0
  let stateUnacknowledgedBytes = 0
  const nowMs = sources.clock.now()
  let stateSinceMs = nowMs
  for (const session of registry.all) {
    const { buffered } = session
    if (session.attached) attached += 1
    bufferedMessages += buffered.messages
    bufferedBytes += buffered.bytes
    stateUnacknowledgedBytes += session.stateUnderWay?.bytes ?? 0
    stateSinceMs = Math.min(stateSinceMs, session.stateUnderWay?.sinceMs ?? nowMs)
  }
  return {
    // oxlint-disable-next-line typescript/no-misused-spread -- the class has fields only
    ...counters,
    connections: connections.size,
    sessions: registry.size,
    attached,
    detached: registry.size - attached,
    topics: topics.topics,
    topicMembers: topics.members,
    topicHistoryBytes: topics.historyBytes,
    replicaRecords: replicas.records,
    replicaCells: replicas.cells,
    replicaDeltaBytes: replicas.deltaBytes,
    viewing: replicas.viewing,
    conflated: replicas.conflated,
    stateUnacknowledgedBytes,
    stateOldestMs: nowMs - stateSinceMs,
    timers: timers.size,
    bufferedMessages,
    bufferedBytes,
    replayBytes: sources.replayMemory.bytes,
    idempotencyBytes: sources.idempotency.bytes,
    socketsDroppedByReason: health.socketsDropped.read(),
    upgradesRefusedByReason: health.upgradesRefused.read(),
    handshakesRefusedByCode: health.handshakesRefused.read(),
    resumesRefusedByCause: health.resumesRefused.read(),
    sessionsEndedByCause: health.sessionsEnded.read(),
    attachments: health.attachments.attached.read(),
    absencesResumed: health.attachments.resumed.read(),
    absencesEnded: health.attachments.ended.read(),
    calls: health.callStats.read(),
  }
}
