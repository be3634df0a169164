// Restores the sessions of a journal: detached, each with its number, before the server listens. A session that cannot be restored
// is set aside and reported; the others are restored. Must not know files and records.
import type { DeliveryRecord } from "@hawser/protocol/core"
import { runsMax } from "../base/session-page.ts"
import { decodeUser } from "../session/life/kept-session.ts"
import type { KeptSession, RestoredNumber } from "../session/life/kept-session.ts"
import type { SessionRecord } from "../session/life/session-record.ts"
import { unknownUser } from "../session/life/tombstones.ts"
import type { Tombstone } from "../session/life/tombstones.ts"
import type { KeptState } from "./kept-state.ts"
import { unacknowledgedOf } from "./kept-state.ts"

/** Session of this process that was restored. */
export interface RestoredSession {
  /** Follows the session under its number. */
  follow(restored: RestoredNumber): void
}

export interface RestoreHost<S extends RestoredSession> {
  /** Restores a session, detached. @throws the error of a record that does not fit. */
  thaw(record: SessionRecord): S
  /** Notes the end of a session that cannot be restored, for its client. */
  bury(sessionId: string, end: Omit<Tombstone, "untilMs">): void
  readonly wallClockMs: () => number
  readonly onError: (error: unknown) => void
}

/** Result of a restore. */
export interface RestoredSessions<S> {
  readonly restored: readonly S[]
  /** Sessions that could not be restored; the errors went to `onError`. */
  readonly setAside: number
  /** Requests that are not run again, because they have begun in `runsMax` processes that have ended. */
  readonly requestsSetAside: number
}

/** Restores all sessions of a state. */
export function restoreSessions<S extends RestoredSession>(
  { sessions, lastAtMs }: KeptState,
  host: RestoreHost<S>,
): RestoredSessions<S> {
  const restored: S[] = []
  let setAside = 0
  let requestsSetAside = 0
  for (const [number, kept] of sessions) {
    try {
      const session = host.thaw(recordOf(kept, { lastAtMs, wallMs: host.wallClockMs() }))
      // The END of an open stream is a new message.
      session.follow({ number, isChanged: kept.streams.size > 0, started: kept.started })
      restored.push(session)
      for (const [count, runs] of kept.started) {
        if (runs < runsMax) continue
        requestsSetAside += 1
        host.onError(
          new Error(
            `request ${count} of session ${kept.id} ran when each of ${runs} processes ended; it is not run again and fails with sys_internal_error`,
          ),
        )
      }
    } catch (cause) {
      setAside += 1
      host.bury(kept.id, { cause: "server_restarted", userId: unknownUser, isFinal: false })
      host.onError(new Error(`session ${kept.id} of the journal cannot be restored`, { cause }))
    }
  }
  return { restored, setAside, requestsSetAside }
}

/** Converts a kept session to a record. The time since its last connection counts as a wait, at the latest since the last record. */
function recordOf(
  kept: KeptSession,
  { lastAtMs, wallMs }: { readonly lastAtMs: number; readonly wallMs: number },
): SessionRecord {
  const { takeoversAtMs, detachedAtMs = lastAtMs, spentMs, ...claims } = kept.claims
  const delivery: DeliveryRecord = {
    sent: { base: kept.base, baseDigest: kept.baseDigest, messages: unacknowledgedOf(kept) },
    received: {
      handled: kept.handled,
      handledDigest: kept.handledDigest,
      settledAhead: [...kept.ahead].toSorted((one, other) => one - other),
    },
    values: [...kept.values].map(([key, bytes]) => ({ key, bytes })),
  }
  return {
    id: kept.id,
    clientId: kept.clientId,
    user: decodeUser(kept.user),
    address: kept.address,
    claims: {
      ...claims,
      spentMs: spentMs + Math.max(0, wallMs - detachedAtMs),
      takeoversAgoMs: takeoversAtMs.map((atMs) => Math.max(0, wallMs - atMs)),
    },
    delivery,
    streams: [...kept.streams],
    memberships: [...kept.memberships].map(([topic, membership]) => ({
      topic,
      session: kept.id,
      ...membership,
    })),
  }
}
