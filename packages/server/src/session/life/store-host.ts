// Implements `StoreHost`, the services of a server for its store: lookups, freezing and thawing of sessions.
import { outbound } from "@hawser/protocol/core"
import type { OutboundMessage } from "@hawser/protocol/core"
import { checkedUser } from "../../base/authenticate.ts"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { Dialect } from "../conversation/dialect.ts"
import { ServerSession } from "./server-session.ts"
import type { RestoreOptions, SessionHost } from "./session-host.ts"
import { restoredLife } from "./session.machine.ts"
import type { SessionRecord } from "./session-record.ts"
import type { SessionPolicy, SessionRegistry } from "./session-registry.ts"
import type { StoreHost } from "./session-store.ts"
import type { Tombstones } from "./tombstones.ts"

/** Dependencies of the store host. */
export interface StoreHostParts<User extends AuthenticatedUser> {
  readonly registry: SessionRegistry<User>
  readonly tombstones: Tombstones
  readonly sessionHost: SessionHost<User, ServerSession<User>>
  readonly sessionPolicy: SessionPolicy
  /** Dialect of resumable sessions. */
  readonly compact: Dialect<User>
}

interface ServerStoreHost<User extends AuthenticatedUser> extends StoreHost<User> {
  /** Restores a session, detached. @throws RangeError if this process holds the id, TypeError for an invalid user, and the error of `unpack`. */
  readonly thaw: (record: SessionRecord) => ServerSession<User>
  /** Restores a session of the server's ledger, as `thaw`. */
  readonly revive: (record: SessionRecord) => ServerSession<User>
}

export function createStoreHost<User extends AuthenticatedUser>(
  parts: StoreHostParts<User>,
): ServerStoreHost<User> {
  const { registry, tombstones, sessionHost, sessionPolicy, compact } = parts
  const { clock, life, limits, userRecord } = sessionHost
  /** Messages of restored bytes: those of a broadcast are kept once, and count once. */
  const messages = new WeakMap<Uint8Array, OutboundMessage>()
  const sharedMessage = (bytes: Uint8Array): OutboundMessage => {
    const known = messages.get(bytes)
    if (known !== undefined) return known
    const message = outbound(bytes)
    messages.set(bytes, message)
    return message
  }
  return {
    sessionsOf: (userId) => registry.ofUser(userId),
    holds: (sessionId) => registry.get(sessionId) !== undefined,
    ended: (sessionId, userId) => tombstones.find(sessionId, userId),
    sessionsPerUser: limits.sessionsPerUser,
    sessionPolicy,
    freeze(sessionId) {
      const session = registry.get(sessionId)
      return session?.resumable === true ? session.freeze() : undefined
    },
    thaw: (record) => restored(record, { joined: sessionHost.onThawed, messageOf: outbound }),
    revive: (record) => restored(record, { joined: sessionHost.onRestored, messageOf: sharedMessage }),
  }

  function restored(
    record: SessionRecord,
    options: RestoreOptions<SessionHost<User, ServerSession<User>>["onThawed"]>,
  ): ServerSession<User> {
    const { id, clientId, address } = record
    if (registry.get(id) !== undefined) throw new RangeError(`session ${id} is open in this process already`)
    const session = new ServerSession(sessionHost, {
      id,
      clientId,
      user: checkedUser(userRecord.unpack(record.user)),
      address,
      dialect: compact,
      life: restoredLife(life.resumable, record.claims, clock.now()),
    })
    session.restore(record, options)
    return session
  }
}
