// Implements `StoreHost`, the services of a server for its store: lookups, freezing and thawing of sessions.
import type { ServerLimits } from "@hawser/protocol"
import { checkedUser } from "../../base/authenticate.ts"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { Dialect } from "../conversation/dialect.ts"
import { ServerSession } from "./server-session.ts"
import type { SessionHost } from "./session-host.ts"
import { restoredLife } from "./session.machine.ts"
import type { SessionRecord } from "./session-record.ts"
import type { SessionPolicy, SessionRegistry } from "./session-registry.ts"
import type { StoreHost } from "./session-store.ts"
import type { Tombstones } from "./tombstones.ts"

/** Dependencies of the store host. */
export interface StoreHostParts<User extends AuthenticatedUser> {
  readonly registry: SessionRegistry<User>
  readonly tombstones: Tombstones
  readonly limits: Pick<ServerLimits, "sessionsPerUser">
  readonly sessionPolicy: SessionPolicy
  readonly thaw: (record: SessionRecord) => ServerSession<User>
}

export function createStoreHost<User extends AuthenticatedUser>(
  parts: StoreHostParts<User>,
): StoreHost<User> {
  const { registry, tombstones, limits, sessionPolicy, thaw } = parts
  return {
    sessionsOf: (userId) => registry.ofUser(userId),
    holds: (sessionId) => registry.get(sessionId) !== undefined,
    ended: (sessionId, userId) => tombstones.find(sessionId, userId),
    sessionsPerUser: limits.sessionsPerUser,
    sessionPolicy,
    freeze(sessionId) {
      const session = registry.get(sessionId)
      if (session?.resumable !== true) return undefined
      return session.freeze()
    },
    thaw,
  }
}

/** Dependencies of `thawSession`. */
export interface Thawing<User extends AuthenticatedUser> {
  readonly registry: SessionRegistry<User>
  readonly sessionHost: SessionHost<User, ServerSession<User>>
  /** Dialect of resumable sessions. */
  readonly dialect: Dialect<User>
  readonly unpack: (packed: unknown) => User
}

/** Restores a session, detached. @throws RangeError if this process holds the id, TypeError for an invalid user, and the error of `unpack`. */
export function thawSession<User extends AuthenticatedUser>(
  { registry, sessionHost, dialect, unpack }: Thawing<User>,
  record: SessionRecord,
): ServerSession<User> {
  const { id, clientId, address } = record
  if (registry.get(id) !== undefined) throw new RangeError(`session ${id} is open in this process already`)
  const { clock, life } = sessionHost
  const session = new ServerSession(sessionHost, {
    id,
    clientId,
    user: checkedUser(unpack(record.user)),
    address,
    dialect,
    life: restoredLife(life.resumable, record.claims, clock.now()),
  })
  session.restore(record)
  return session
}
