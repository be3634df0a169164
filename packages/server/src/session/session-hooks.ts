// Hooks of the application that follow sessions.
import type { Contract } from "@hawser/protocol"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import { Hooks } from "../base/hooks.ts"
import type { EndCause, Session } from "../base/session.ts"
import type { SentMessage } from "./conversation/sent-message.ts"

/** Argument of `onSession` hooks. */
export interface SessionOpened<User extends AuthenticatedUser, C extends Contract = Contract> {
  /** The new session. */
  readonly session: Session<User, C>
  /** Sessions of the same user in this process that ended with `replaced` for this one, under `sessionPolicy`. */
  readonly replaces: readonly Session<User, C>[]
}

/** Argument of `onSessionEnd` hooks. */
export interface SessionEnded<User extends AuthenticatedUser, C extends Contract = Contract> {
  /** The ended session. */
  readonly session: Session<User, C>
  /** Cause of the end. */
  readonly cause: EndCause
  /** Session of this process that replaced this one, if the cause is `replaced`; otherwise undefined. */
  readonly successor: Session<User, C> | undefined
  /** Returns the reliable messages that the client has not acknowledged, oldest first. The client may have received them. */
  readonly unacknowledged: () => readonly SentMessage[]
}

/** Argument of `onSuspicion` hooks: a claim with an outdated resume token, from a copied page or a thief. */
export interface Suspicion<User extends AuthenticatedUser, C extends Contract = Contract> {
  /** The claimed session. It ends with `session_stolen`. */
  readonly session: Session<User, C>
  /** Address of the connection that presented the token. */
  readonly address: string
}

/** Hooks of one server. */
export type SessionHooks<User extends AuthenticatedUser> = Readonly<
  ReturnType<typeof createSessionHooks<User>>
>

export function createSessionHooks<User extends AuthenticatedUser>(onError: (error: unknown) => void) {
  return {
    opened: new Hooks<SessionOpened<User>>("onSession", onError),
    restored: new Hooks<Session<User>>("onSessionRestored", onError),
    ended: new Hooks<SessionEnded<User>>("onSessionEnd", onError),
    attachment: new Hooks<Session<User>>("onAttachment", onError),
    suspicion: new Hooks<Suspicion<User>>("onSuspicion", onError),
  }
}
