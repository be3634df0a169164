// Reads the statistics of a server from their sources into a plain object, which is not modified later. Must not know metrics
// libraries.
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { Base } from "../base/create-base.ts"
import type { Calls } from "../calls/create-calls.ts"
import type { ServerJournal } from "../journal/server-journal.ts"
import type { Replicas } from "../replicas/replicas.ts"
import type { Sessions } from "../session/create-sessions.ts"
import type { TopicService } from "../topics/topic-service.ts"
import type { ServerStats } from "./server-stats.ts"

export interface StatsSources<User extends AuthenticatedUser>
  extends
    Pick<Base, "health" | "counters" | "timers" | "clock">,
    Pick<Calls<User>, "idempotency">,
    Pick<Sessions<User>, "registry" | "connections" | "replayMemory"> {
  readonly topics: Pick<TopicService<User>, "counts">
  readonly replicas: Pick<Replicas, "counts">
  readonly kept: Pick<ServerJournal, "journal" | "recovery"> | undefined
}

export function readStats<User extends AuthenticatedUser>(sources: StatsSources<User>): ServerStats {
  const { counters, registry, connections, topics, replicas, timers, health } = sources
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
    ...topics.counts,
    ...replicas.counts,
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
    journal: sources.kept && { ...sources.kept.journal.stats(), recovery: sources.kept.recovery },
    calls: health.callStats.read(),
  }
}
