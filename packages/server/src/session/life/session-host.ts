// Dependencies of a session: of its server, of its connection, and at its creation.
import type { Connection, OutboundMessage, ResumeClaim } from "@hawser/protocol/core"
import type { Authenticate, AuthenticatedUser } from "../../base/authenticate.ts"
import type { EndCause } from "../../base/session.ts"
import type { ConversationHost } from "../conversation/conversation-host.ts"
import type { Ending } from "../conversation/session-end.ts"
import type { Dialect } from "../conversation/dialect.ts"
import type { MembershipRecord, UserPacking } from "./session-record.ts"
import type { SessionLedger } from "./kept-session.ts"
import type { LifeOptions, LifeState } from "./session.machine.ts"
import type { ConnectionCaps } from "../opening/connection-caps.ts"

/** Parts of a server that all sessions share. `S`: type of the sessions. */
export interface SessionHost<User extends AuthenticatedUser, S>
  extends ConversationHost<User>, SessionEvents<S> {
  readonly caps: Pick<ConnectionCaps, "expect" | "forget">
  readonly authenticate: Authenticate<User>
  /** Options of the life of resumable sessions, and of all others. */
  readonly life: { readonly resumable: LifeOptions; readonly single: LifeOptions }
  readonly userRecord: UserPacking<User>
  /** Ledger of the server; undefined if sessions end with the process. */
  readonly ledger: SessionLedger | undefined
}

/** Changes of a session, for its server. */
export interface SessionEvents<S> {
  /** Called when a session is detached or resumed. */
  readonly onAttachment: (session: S) => void
  /** Called when the session's token was renewed on its connection. */
  readonly onRenewed: (session: S) => void
  /** Called when the session is frozen. Returns the topics that its client joined. */
  readonly onFrozen: (session: S) => readonly MembershipRecord[]
  /** Returns the topics that the session's client joined. */
  readonly onStated: (session: S) => readonly MembershipRecord[]
  /** Called when the session was thawed from a record with these topics. */
  readonly onThawed: (session: S, memberships: readonly MembershipRecord[]) => void
  /** Called when the session was restored from the server's ledger, before the server listens. */
  readonly onRestored: (session: S, memberships: readonly MembershipRecord[]) => void
  /** Called exactly once for each session, after it has become inactive. */
  readonly onEnded: (session: S, end: SessionEnd<S>) => void
}

/** Layer of a server that follows its sessions. */
export type SessionObserver<S> = Partial<SessionEvents<S>>

/** End of a session, for its server. */
interface SessionEnd<S> {
  readonly cause: EndCause
  /** Session that replaced this one, if the cause is `replaced`. */
  readonly successor: S | undefined
  /** Reliable messages that the client has not acknowledged. It may have received them. */
  readonly unacknowledged: readonly OutboundMessage[]
  /** True if the client must not reconnect: BYE with a code whose retry is `never`. */
  readonly isFinal: boolean
}

/** Connection of a session. */
export interface SessionLink {
  readonly connection: Connection
  readonly address: string
  /** Closes with the dialect's close code. The session receives no message of it later. */
  close(code: string, message: string): void
}

/** Identity of a new session, and its state. */
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

/** Claim that was accepted. */
export interface AcceptedClaim<User extends AuthenticatedUser> {
  readonly user: User
  readonly resume: ResumeClaim
  readonly dial: number
  /** Generation of the presented token. */
  readonly generation: number
  /** True if the client acknowledges state (N9). */
  readonly countsState: boolean
}

/** Options of `restore`. */
export interface RestoreOptions<Joined> {
  /** Restores the memberships. */
  readonly joined: Joined
  /** Returns the message of restored bytes, the same one for all sessions that share them. */
  readonly messageOf: (bytes: Uint8Array) => OutboundMessage
}

/** Options of `finish`. */
export interface FinishOptions<S> extends Ending {
  /** Session that replaces this one. */
  readonly successor?: S
}
