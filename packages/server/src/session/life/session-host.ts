// What a session is given: by its server, by its connection, and at its birth.
import type { Connection, OutboundMessage, ResumeClaim } from "@hawser/protocol/core"
import type { Authenticate, AuthenticatedUser } from "../../base/authenticate.ts"
import type { EndCause } from "../../base/session.ts"
import type { ConversationHost } from "../conversation/conversation-host.ts"
import type { Ending } from "../conversation/farewell.ts"
import type { Dialect } from "../conversation/dialect.ts"
import type { MembershipRecord } from "./session-record.ts"
import type { LifeOptions, LifeState } from "./session.machine.ts"
import type { ConnectionCaps } from "../opening/connection-caps.ts"

/** What all sessions of a server share. `S`: the sessions themselves, as their server hears of them. */
export interface SessionHost<User extends AuthenticatedUser, S> extends ConversationHost<User> {
  readonly caps: Pick<ConnectionCaps, "expect" | "forget">
  readonly authenticate: Authenticate<User>
  readonly wallClockMs: () => number
  /** Bounds of the life of sessions whose client may come back, and of all others. */
  readonly life: { readonly resumable: LifeOptions; readonly single: LifeOptions }
  /** Returns the user as plain data. */
  readonly packUser: (user: User) => unknown
  /** Its client is away, or back. */
  readonly onAttachment: (session: S) => void
  /** Its user has shown a fresh token on the live connection. */
  readonly onRenewed: (session: S) => void
  /** Called when the session is frozen. Returns the topics that its client joined. */
  readonly onFrozen: (session: S) => readonly MembershipRecord[]
  /** Called when the session was thawed. */
  readonly onThawed: (session: S, memberships: readonly MembershipRecord[]) => void
  /** Called exactly once per session, after it has become inert. */
  readonly onEnded: (session: S, end: SessionEnd<S>) => void
}

export interface SessionEnd<S> {
  readonly cause: EndCause
  /** The session that took over, when the cause is `replaced`. */
  readonly successor: S | undefined
  /** Reliable messages that the client has not acknowledged: it may or may not have seen them. */
  readonly unacknowledged: readonly OutboundMessage[]
  /** True when the client was told to stay away. */
  readonly isFinal: boolean
}

/** The connection of a session, as the session sees it. */
export interface SessionLink {
  readonly connection: Connection
  readonly address: string
  /** Closes with the dialect's close code; afterwards nothing of it reaches the session. */
  close(code: string, message: string): void
}

/** Identity of a session, and its life so far. */
export interface SessionBirth<User extends AuthenticatedUser> {
  readonly id: string
  /** Identity of the client, from the HELLO that opened the session. */
  readonly clientId: string
  readonly user: User
  /** Address of the last connection. */
  readonly address: string
  readonly dialect: Dialect<User>
  readonly life: LifeState<SessionLink>
}

/** A claim that was judged good. */
export interface AcceptedClaim<User extends AuthenticatedUser> {
  readonly user: User
  readonly resume: ResumeClaim
  readonly dial: number
  /** Generation of the token that was presented. */
  readonly generation: number
  /** True if the client acknowledges state (N9). */
  readonly countsState: boolean
}

export interface FinishOptions<S> extends Ending {
  readonly successor?: S
}
