// Port of the session store, which knows the process that holds each session. The default store knows the sessions of its process;
// another store may know several processes, or stored records. Must not know tokens: a claim is verified before.
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { EndCause, Session } from "../../base/session.ts"
import type { SessionPolicy } from "./session-registry.ts"
import type { SessionRecord } from "./session-record.ts"

/** Answer to the claim of a session. */
export type SessionClaim =
  | {
      /** This process holds the session. */
      readonly kind: "here"
    }
  | {
      /** Another process holds the session. The client is refused with `sys_service_unavailable`. */
      readonly kind: "elsewhere"
      /** Expected wait, in milliseconds. The refusal names it in its sentence; the client dials by its own strategy. */
      readonly retryAfterMs: number
    }
  | {
      /** The store had the session as a record. From now on this process holds it. */
      readonly kind: "record"
      /** Record of the session. */
      readonly record: SessionRecord
    }
  | {
      /** The session has ended. */
      readonly kind: "ended"
      /** Cause of its end. */
      readonly cause: EndCause
      /** True if the client must not reconnect; the claim is then refused. */
      readonly isFinal: boolean
    }
  | {
      /** The store does not know the session, or it belongs to another user. */
      readonly kind: "unknown"
    }

/** Client that requests a new session. */
export interface Newcomer {
  /** Id of its user. */
  readonly userId: string
  /** Identity of the client, from its HELLO. */
  readonly clientId: string
  /** Number of this client's dials; undefined in a profile without dial numbers. */
  readonly dial: number | undefined
}

/** Answer to a newcomer. */
export type Opening =
  | {
      /** The session may open. */
      readonly kind: "open"
      /** Ids of sessions of the same user that end with `replaced`. */
      readonly ends: readonly string[]
    }
  | {
      /** The session is refused. */
      readonly kind: "refused"
      /** `replaced`: a later dial of the same client has a session. `too_many_connections`: the user is at `sessionsPerUser`. */
      readonly code: "replaced" | "too_many_connections"
      /** Text for the user. Default: the sentence of the code. */
      readonly message?: string
    }

/** Session store of a server. Time limit of an answer: `limits.claimTimeoutMs`, then `sys_service_unavailable`. */
export interface SessionStore {
  /** Answers the claim of a session, whose token was verified for this user. A rejection fails the log-in. */
  claim(sessionId: string, userId: string): SessionClaim | Promise<SessionClaim>
  /**
   * Answers the request for a new session. A rejection fails the log-in. After a promise the server applies `judgeNewcomer` again
   * to the sessions of its process, which may have become more.
   */
  open(newcomer: Newcomer): Opening | Promise<Opening>
  /** Takes back the record that `claim` returned: the server is closing and does not continue the session. A rejection goes to `onError`. */
  putBack(record: SessionRecord): void | Promise<void>
}

/** Session of this process, for its store. */
export interface HeldSession {
  /** Id of the session. */
  readonly id: string
  /** Identity of its client. */
  readonly clientId: string
  /** Dial number of its last accepted HELLO. */
  readonly lastDial: number
  /** True while it has a connection. */
  readonly attached: boolean
}

/** End of a session, while the server remembers it. */
interface SessionEnding {
  /** Cause of the end. */
  readonly cause: EndCause
  /** True if the client must not reconnect. */
  readonly isFinal: boolean
}

/** Services of a server for its store. */
export interface StoreHost<User extends AuthenticatedUser> {
  /** Returns the sessions of a user in this process, oldest first. */
  sessionsOf(userId: string): readonly HeldSession[]
  /** True if this process holds the session. */
  holds(sessionId: string): boolean
  /** Returns the end of a session of this process for `limits.tombstoneMs`; undefined after it, and for another user. */
  ended(sessionId: string, userId: string): SessionEnding | undefined
  /** Number of sessions that a user may have, `limits.sessionsPerUser`. */
  readonly sessionsPerUser: number
  /** Option `sessionPolicy`. */
  readonly sessionPolicy: SessionPolicy
  /**
   * Closes the connection of a session, removes the session and returns it as plain data. No hook is called. Returns undefined
   * for a session that is not resumable or not held.
   */
  freeze(sessionId: string): SessionRecord | undefined
  /** Restores a session, detached. @throws RangeError if this process holds the id, and the error of `unpack`. */
  thaw(record: SessionRecord): Session<User>
}

/** Creates the store of one server: the option `sessionStore` of `createServer`. */
export type SessionStoreFactory<User extends AuthenticatedUser> = (host: StoreHost<User>) => SessionStore

/** Default store: the sessions of this process, in memory. Answers synchronously. */
export function memoryStore<User extends AuthenticatedUser>(host: StoreHost<User>): SessionStore {
  return {
    claim(sessionId, userId) {
      if (host.holds(sessionId)) return { kind: "here" }
      const stone = host.ended(sessionId, userId)
      if (stone === undefined) return { kind: "unknown" }
      return { kind: "ended", cause: stone.cause, isFinal: stone.isFinal }
    },
    open: (newcomer) => judgeNewcomer(newcomer, host.sessionsOf(newcomer.userId), host),
    putBack() {
      throw new TypeError("internal: the default store has no records")
    },
  }
}

/** Judges a newcomer by the sessions of its user, with the rules of the default store. For other stores. */
export function judgeNewcomer(
  { clientId, dial }: Newcomer,
  sessions: readonly HeldSession[],
  { sessionsPerUser, sessionPolicy }: Pick<StoreHost<AuthenticatedUser>, "sessionsPerUser" | "sessionPolicy">,
): Opening {
  // A HELLO that its client has abandoned may arrive after a later one. It must not end the later one's session.
  if (dial !== undefined && sessions.some((one) => one.clientId === clientId && dial <= one.lastDial))
    return { kind: "refused", code: "replaced" }
  // Detached sessions end first, then the oldest.
  const byNeed = sessions.toSorted((one, other) => Number(one.attached) - Number(other.attached))
  const surplus = byNeed.slice(0, Math.max(0, sessions.length + 1 - sessionsPerUser))
  if (sessionPolicy === "oldestWins" && surplus.some(({ attached }) => attached)) {
    const message = `this user has ${sessionsPerUser} open sessions (limits.sessionsPerUser); close one and retry`
    return { kind: "refused", code: "too_many_connections", message }
  }
  return { kind: "open", ends: surplus.map(({ id }) => id) }
}
