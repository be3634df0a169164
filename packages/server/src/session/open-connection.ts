// Opens the session of an admitted user: who must go, WELCOME first, then the successor's and the predecessors' hooks.
import { HawserError } from "@hawser/protocol"
import type { AcceptedConnection, Codec, Profile } from "@hawser/protocol"
import type { AuthenticatedUser } from "../authenticate.ts"
import type { Translator20 } from "../profile20.ts"
import type { CapTicket } from "./connection-caps.ts"
import { RunningConnection } from "./run-connection.ts"
import type { ConnectionHost } from "./run-connection.ts"
import { ServerSession } from "./server-session.ts"
import type { SessionHost } from "./server-session.ts"
import type { SessionPolicy, SessionRegistry } from "./session-registry.ts"

export interface OpeningHost<User extends AuthenticatedUser> extends Omit<
  ConnectionHost<User>,
  "openSession"
> {
  readonly registry: SessionRegistry<User>
  readonly codecs: Readonly<Record<Profile, Codec>>
  readonly sessionHost: SessionHost<User>
  readonly types: readonly string[]
  readonly translator20: Translator20<User>
  readonly wallClockMs: () => number
  readonly sessionId: () => string
  readonly sessionPolicy: SessionPolicy
  readonly isClosing: () => boolean
  readonly onOpened: (session: ServerSession<User>, replaces: readonly ServerSession<User>[]) => void
}

export function openConnection<User extends AuthenticatedUser>(
  host: OpeningHost<User>,
  accepted: AcceptedConnection,
  ticket: CapTicket,
): RunningConnection<User> {
  const openSession = (user: User, connection: RunningConnection<User>): ServerSession<User> =>
    welcome(host, user, connection)
  return new RunningConnection({ ...host, openSession }, accepted, host.codecs[accepted.profile], ticket)
}

/** One synchronous block: nobody can see a half-open session. */
function welcome<User extends AuthenticatedUser>(
  host: OpeningHost<User>,
  user: User,
  connection: RunningConnection<User>,
): ServerSession<User> {
  const { registry, limits, sessionHost } = host
  if (host.isClosing()) throw new HawserError("server_shutdown")
  const surplus = registry.surplus(user.id, limits.sessionsPerUser)
  if (surplus.length > 0 && host.sessionPolicy === "oldestWins") {
    const message = `this user has ${limits.sessionsPerUser} open sessions, which is the most allowed`
    throw new HawserError("too_many_connections", { message })
  }
  const session = new ServerSession(sessionHost, {
    id: host.sessionId(),
    user,
    address: connection.accepted.address,
    codec: connection.codec,
    connection: connection.accepted.connection,
    closeConnection: (code, message) => connection.close(code, message),
  })
  session.sendFrame({
    kind: "welcome",
    sessionId: session.id,
    received: 0,
    handled: 0,
    expiresInMs:
      user.expiresAtMs === undefined ? null : Math.max(0, Math.round(user.expiresAtMs - host.wallClockMs())),
    maxMessageBytes: limits.message.maxBytes,
    types: host.types,
    ...(connection.codec.profile === "2.0" ? { payload: host.translator20.welcome(session) } : {}),
  })
  registry.add(session)
  host.counters.sessionsOpened += 1
  for (const old of surplus) old.finish("replaced", { successor: session })
  host.onOpened(session, surplus)
  return session
}
