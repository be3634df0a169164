// Port of the place that knows which process holds which session. The default knows the sessions of its own process; another
// store may know those of many processes, or sessions that were written down. Must not know tokens: a claim is proven before.
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { EndCause, Session } from "../../base/session.ts"
import type { SessionPolicy } from "./session-registry.ts"
import type { SessionRecord } from "./session-record.ts"

/** Answer to the claim of a session. */
export type SessionClaim =
  /** This process holds the session. */
  | { readonly kind: "here" }
  /** Another process holds it and did not release it. The client is refused and told to come back after `retryAfterMs`. */
  | { readonly kind: "elsewhere"; readonly retryAfterMs: number }
  /** The session was written down, and is this process's from now on. */
  | { readonly kind: "record"; readonly record: SessionRecord }
  /** It has ended with this cause; `isFinal` if its client is to stay away. */
  | { readonly kind: "ended"; readonly cause: EndCause; readonly isFinal: boolean }
  /** Nothing is known of it, or it is another user's. */
  | { readonly kind: "unknown" }

/** A client that asks for a new session. */
export interface Newcomer {
  readonly userId: string
  readonly clientId: string
  /** Counts the dials of this client; undefined for clients that count nothing. */
  readonly dial: number | undefined
}

/** Answer to a newcomer. */
export type Opening =
  /** The session may open; these sessions of the same user end for it with `replaced`. */
  | { readonly kind: "open"; readonly ends: readonly string[] }
  /** `replaced`: a later dial of the same client has a session. `too_many_connections`: the user has as many as allowed. */
  | {
      readonly kind: "refused"
      readonly code: "replaced" | "too_many_connections"
      readonly message?: string
    }

export interface SessionStore {
  /** Asks for a session on behalf of the user who proved the claim. Rejects if the store cannot be reached. */
  claim(sessionId: string, userId: string): SessionClaim | Promise<SessionClaim>
  /** Asks whether a new session may open. */
  open(newcomer: Newcomer): Opening | Promise<Opening>
}

/** A session of this process, as a store sees it. */
export interface HeldSession {
  readonly id: string
  readonly clientId: string
  /** Dial number of its last accepted HELLO. */
  readonly lastDial: number
  readonly attached: boolean
}

/** Services of a server for its store. */
export interface StoreHost<User extends AuthenticatedUser> {
  /** Sessions of one user in this process, the oldest first. */
  sessionsOf(userId: string): readonly HeldSession[]
  holds(sessionId: string): boolean
  /** The end of a session of this process, while it is remembered; undefined for another user's. */
  ended(
    sessionId: string,
    userId: string,
  ): { readonly cause: EndCause; readonly isFinal: boolean } | undefined
  /** `limits.sessionsPerUser` and `sessionPolicy`. */
  readonly sessionsPerUser: number
  readonly sessionPolicy: SessionPolicy
  /**
   * Cuts a session's connection and returns it as plain data. Afterwards this process does not hold it; no hook is called.
   * Undefined for a session that cannot be resumed, or is not held.
   */
  freeze(sessionId: string): SessionRecord | undefined
  /** Restores a session, which then waits for its client. @throws RangeError for an id that is held already. */
  thaw(record: SessionRecord): Session<User>
}

/** Makes the store of one server: the option `sessionStore` of `createServer`. */
export type SessionStoreFactory<User extends AuthenticatedUser> = (host: StoreHost<User>) => SessionStore

/** The default store: the sessions of this process, in memory. They end with it. Answers at once. */
export function memoryStore<User extends AuthenticatedUser>(host: StoreHost<User>): SessionStore {
  return {
    claim(sessionId, userId) {
      if (host.holds(sessionId)) return { kind: "here" }
      const stone = host.ended(sessionId, userId)
      if (stone === undefined) return { kind: "unknown" }
      return { kind: "ended", cause: stone.cause, isFinal: stone.isFinal }
    },
    open: (newcomer) => judgeNewcomer(newcomer, host.sessionsOf(newcomer.userId), host),
  }
}

/** Judges a newcomer by the sessions that its user has: for stores whose answers follow the rules of the default. */
export function judgeNewcomer(
  { clientId, dial }: Newcomer,
  sessions: readonly HeldSession[],
  { sessionsPerUser, sessionPolicy }: Pick<StoreHost<AuthenticatedUser>, "sessionsPerUser" | "sessionPolicy">,
): Opening {
  // A first dial that the client gave up, arriving after its successor, must not end the session of the successor.
  if (dial !== undefined && sessions.some((one) => one.clientId === clientId && dial <= one.lastDial))
    return { kind: "refused", code: "replaced" }
  const surplus = surplusOf(sessions, sessionsPerUser)
  if (sessionPolicy === "oldestWins" && surplus.some(({ attached }) => attached)) {
    const message = `this user has ${sessionsPerUser} open sessions, which is the most allowed`
    return { kind: "refused", code: "too_many_connections", message }
  }
  return { kind: "open", ends: surplus.map(({ id }) => id) }
}

/** Sessions that must end so that one more fits: detached ones first, then the oldest. */
function surplusOf(sessions: readonly HeldSession[], maxCount: number): readonly HeldSession[] {
  const excess = Math.max(0, sessions.length + 1 - maxCount)
  if (excess === 0) return []
  const away = sessions.filter(({ attached }) => !attached)
  const here = sessions.filter(({ attached }) => attached)
  return [...away, ...here].slice(0, excess)
}
