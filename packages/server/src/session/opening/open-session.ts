// Gives an admitted user a session: the one that it left, or a new one. WELCOME first, then replay or predecessors'
// ends, then hooks; one synchronous block, so that nobody sees a session half bound.
import { HawserError } from "@hawser/protocol"
import { wireVersion } from "@hawser/protocol/core"
import type { AcceptedConnection, HelloFrame, Profile, ResumeClaim } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { Dialect } from "../conversation/dialect.ts"
import type { AdmissionOptions } from "./admission.machine.ts"
import type { CapTicket } from "./connection-caps.ts"
import type { ResumeTokens } from "./resume-token.ts"
import { judgeResume } from "./resume.ts"
import { RunningConnection } from "./run-connection.ts"
import type { Admitted, ConnectionHost } from "./run-connection.ts"
import { ServerSession } from "../life/server-session.ts"
import type { SessionHost } from "../life/session-host.ts"
import type { SessionPolicy, SessionRegistry } from "../life/session-registry.ts"
import type { Claim, SessionStore } from "../life/session-store.ts"

export interface OpeningHost<User extends AuthenticatedUser> extends Omit<
  ConnectionHost<User>,
  "openSession" | "admissionOf"
> {
  readonly registry: SessionRegistry<User>
  readonly dialects: ReadonlyMap<Profile, Dialect<User>>
  readonly sessionHost: SessionHost<User, ServerSession<User>>
  readonly types: readonly string[]
  readonly sessionId: () => string
  readonly sessionPolicy: SessionPolicy
  readonly tokens: ResumeTokens
  readonly store: SessionStore<User>
  readonly isClosing: () => boolean
  readonly onOpened: (session: ServerSession<User>, replaces: readonly ServerSession<User>[]) => void
  /** A resume token was presented that its owner should no longer have. */
  readonly onSuspicion: (session: ServerSession<User>, address: string) => void
  /** A log-in was refused because its address has `connectionsPerAddress`. */
  readonly onAddressFull: (address: string) => void
}

/** How sockets become connections. What all of them share is put together once: there may be thousands a second. */
export function createOpener<User extends AuthenticatedUser>(
  host: OpeningHost<User>,
): (accepted: AcceptedConnection, dialect: Dialect<User>, ticket: CapTicket) => RunningConnection<User> {
  const admission = new Map(
    [...host.dialects.values()].map((dialect) => [dialect, admissionOptions(host, dialect)]),
  )
  const connectionHost: ConnectionHost<User> = {
    ...host,
    admissionOf: (dialect) => admission.get(dialect) ?? admissionOptions(host, dialect),
    openSession: (admitted) =>
      admitted.hello.resume === undefined
        ? openFresh(host, admitted, undefined)
        : resumeOrOpen(host, admitted, admitted.hello.resume),
  }
  return (accepted, dialect, ticket) => new RunningConnection(connectionHost, accepted, dialect, ticket)
}

function admissionOptions<User extends AuthenticatedUser>(
  { limits }: OpeningHost<User>,
  { admission: rules }: Dialect<User>,
): AdmissionOptions {
  const { helloMaxBytes, authTimeoutMs, earlyMaxCount, earlyMaxBytes, clientMessage } = limits
  return { rules, wireVersion, helloMaxBytes, authTimeoutMs, earlyMaxCount, earlyMaxBytes, clientMessage }
}

function resumeOrOpen<User extends AuthenticatedUser>(
  host: OpeningHost<User>,
  admitted: Admitted<User>,
  resume: ResumeClaim,
): ServerSession<User> {
  const { tokens, store, counters, health } = host
  const { user, connection, hello } = admitted
  counters.resumesAsked += 1
  const { dial } = hello
  const token = tokens.verify(resume.token, resume.sessionId, user.id)
  // Nothing is looked up for whoever cannot prove that it is theirs.
  const claim: Claim<User> =
    token.kind === "valid" ? store.claim(resume.sessionId, user.id) : { kind: "unknown" }
  const session = claim.kind === "here" ? claim.session : undefined
  const verdict = judgeResume({ ...resume, dial }, token, session)
  switch (verdict.kind) {
    case "refuse":
      health.resumesRefused.add(verdict.code)
      throw new HawserError(verdict.code)
    case "fresh":
      health.resumesRefused.add(claim.kind === "ended" ? claim.cause : verdict.cause)
      // Whoever was sent away for good did not hear of it then, and hears of it now.
      if (claim.kind === "ended" && claim.isFinal) throw new HawserError(claim.cause)
      return openFresh(host, admitted, claim.kind === "ended" ? claim.cause : verdict.cause)
    case "reset":
      health.resumesRefused.add(verdict.cause)
      if (verdict.suspicious && session !== undefined) host.onSuspicion(session, connection.address)
      session?.finish(verdict.cause)
      return openFresh(host, admitted, verdict.cause)
    case "resume": {
      const welcome = (): void => {
        if (session === undefined) return
        const bytes = encodeWelcome(host, session, { connection, resumed: true, refusal: undefined })
        connection.connection.send({ bytes })
      }
      const generation = token.kind === "valid" ? token.generation : 0
      const accepted = { user, resume, dial, generation, countsState: countsState(hello) }
      if (session?.resume(connection, accepted, welcome) === true) return session
      health.resumesRefused.add("session_thrash")
      return openFresh(host, admitted, "session_thrash")
    }
  }
}

/** A client that names the limits of its reader acknowledges state, too: both came with one revision of the wire. */
function countsState({ limits }: HelloFrame): boolean {
  return limits !== undefined
}

function openFresh<User extends AuthenticatedUser>(
  host: OpeningHost<User>,
  { user, connection, hello }: Admitted<User>,
  refusal: string | undefined,
): ServerSession<User> {
  const { registry, limits, sessionHost } = host
  if (host.isClosing()) throw new HawserError("server_shutdown")
  if (sessionHost.replayMemory.isOver) {
    const message = "the server keeps as much for its clients as it may; try again in a moment"
    throw new HawserError("sys_service_unavailable", { message })
  }
  if (connection.isOneTooMany) {
    host.onAddressFull(connection.address)
    const message = `this address has ${limits.connectionsPerAddress} connections, which is the most allowed`
    throw new HawserError("too_many_connections", { message })
  }
  // A first dial that this client gave up, arriving after its successor, must not end what that one opened.
  for (const { clientId, lastDial } of registry.ofUser(user.id)) {
    if (connection.dialect.counts && clientId === hello.clientId && hello.dial <= lastDial)
      throw new HawserError("replaced")
  }
  const surplus = registry.surplus(user.id, limits.sessionsPerUser)
  if (host.sessionPolicy === "oldestWins" && surplus.some((session) => session.attached)) {
    const message = `this user has ${limits.sessionsPerUser} open sessions, which is the most allowed`
    throw new HawserError("too_many_connections", { message })
  }
  const session = new ServerSession(sessionHost, {
    id: host.sessionId(),
    user,
    clientId: hello.clientId,
    dial: hello.dial,
    dialect: connection.dialect,
    link: connection,
    countsState: countsState(hello),
  })
  // A welcome that cannot be made leaves no session behind.
  const welcome = encodeWelcome(host, session, { connection, resumed: false, refusal })
  registry.add(session)
  connection.connection.send({ bytes: welcome })
  host.counters.sessionsOpened += 1
  for (const old of surplus) old.finish("replaced", { successor: session })
  host.onOpened(session, surplus)
  return session
}

function encodeWelcome<User extends AuthenticatedUser>(
  host: OpeningHost<User>,
  session: ServerSession<User>,
  how: { connection: RunningConnection<User>; resumed: boolean; refusal: string | undefined },
): Uint8Array {
  const { dialect } = how.connection
  const payload = dialect.welcome(session)
  const { received, handled, digest } = session.counts
  return dialect.codec.encode({
    kind: "welcome",
    sessionId: session.id,
    resumeToken: session.resumable
      ? host.tokens.issue(session.id, session.user.id, session.tokenGeneration)
      : null,
    resumed: how.resumed,
    ...(how.refusal === undefined ? {} : { refusal: how.refusal }),
    received,
    handled,
    digest,
    expiresInMs: session.expiresInMs,
    limits: host.limits.message,
    types: host.types,
    ...(payload === undefined ? {} : { payload }),
  })
}
