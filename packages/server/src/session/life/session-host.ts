// What a session is given: by its server, by its connection, and at its birth.
import type { Connection, OutboundMessage } from "@hawser/protocol/core"
import type { Authenticate, AuthenticatedUser } from "../../base/authenticate.ts"
import type { EndCause } from "../../base/session.ts"
import type { ConversationHost } from "../conversation/conversation-host.ts"
import type { Dialect } from "../conversation/dialect.ts"
import type { Ending } from "../conversation/farewell.ts"
import type { ConnectionCaps } from "../opening/connection-caps.ts"

/** What all sessions of a server share. `S`: the sessions themselves, as their server hears of them. */
export interface SessionHost<User extends AuthenticatedUser, S> extends ConversationHost<User> {
  readonly caps: Pick<ConnectionCaps, "expect" | "forget">
  readonly authenticate: Authenticate<User>
  readonly wallClockMs: () => number
  /** Its client is away, or back. */
  readonly onAttachment: (session: S) => void
  /** Its user has shown a fresh token on the live connection. */
  readonly onRenewed: (session: S) => void
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

export interface SessionOptions<User extends AuthenticatedUser> {
  readonly id: string
  readonly user: User
  /** Of the HELLO that opened it. */
  readonly clientId: string
  readonly dial: number
  readonly dialect: Dialect<User>
  readonly link: SessionLink
  /** True if the client acknowledges state (N9). */
  readonly countsState: boolean
}

export interface FinishOptions<S> extends Ending {
  readonly successor?: S
}
