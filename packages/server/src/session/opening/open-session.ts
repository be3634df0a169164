// Resumes or opens the session of an admitted user. Asks the session store, then judges and binds in one synchronous block: WELCOME
// first, then the replay or the ends of replaced sessions, then hooks. If the connection has closed meanwhile, a claimed session
// stays detached. Must not know how a connection reads and closes.
import { HawserError } from "@hawser/protocol"
import { errorWithCode } from "@hawser/protocol/core"
import type { HelloFrame, ResumeClaim } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { Base } from "../../base/create-base.ts"
import type { Dialect } from "../conversation/dialect.ts"
import type { ReplayMemory } from "../conversation/replay-memory.ts"
import { ServerSession } from "../life/server-session.ts"
import { attachedLife, firstClaims } from "../life/session.machine.ts"
import type { SessionHost, SessionLink } from "../life/session-host.ts"
import type { SessionRecord } from "../life/session-record.ts"
import type { SessionPolicy, SessionRegistry } from "../life/session-registry.ts"
import { judgeNewcomer } from "../life/session-store.ts"
import type { Newcomer, Opening, SessionClaim, SessionStore } from "../life/session-store.ts"
import type { SessionHooks } from "../session-hooks.ts"
import type { ResumeTokens, TokenVerdict } from "./resume-token.ts"
import { judgeResume } from "./resume.ts"
import { encodeWelcome } from "./welcome.ts"

/** Parts of a server that open sessions. */
export interface OpeningHost<User extends AuthenticatedUser> extends Base {
  readonly registry: SessionRegistry<User>
  readonly replayMemory: ReplayMemory
  readonly hooks: SessionHooks<User>
  readonly sessionHost: SessionHost<User, ServerSession<User>>
  readonly sessionId: () => string
  readonly tokens: ResumeTokens
  readonly store: SessionStore
  readonly sessionPolicy: SessionPolicy
  readonly isClosing: () => boolean
  /** Restores a session, detached. */
  readonly thaw: (record: SessionRecord) => ServerSession<User>
  /** Called when `connectionsPerAddress` refuses a log-in. */
  readonly onAddressFull: (address: string) => void
}

/** Connection that waits for its session. */
export interface OpeningConnection<User extends AuthenticatedUser> extends SessionLink {
  readonly dialect: Dialect<User>
  /** True once `close` was called or the socket has closed. */
  readonly isClosing: boolean
  /** True if its address has more authenticated connections than `connectionsPerAddress`. */
  readonly isOneTooMany: boolean
  /** Passes all later messages to the session. */
  bind(session: ServerSession<User>): void
}

/** First message of a client, and the user of its token. */
export interface Verified<User extends AuthenticatedUser> {
  readonly user: User
  readonly hello: HelloFrame
}

/** Connection whose token was verified. */
interface Admitted<User extends AuthenticatedUser> extends Verified<User> {
  readonly connection: OpeningConnection<User>
}

/**
 * Binds a session to an admitted connection; synchronously if the store answers synchronously.
 * @throws (or rejects with) HawserError if the session is refused.
 */
export function openSession<User extends AuthenticatedUser>(
  host: OpeningHost<User>,
  admitted: Admitted<User>,
): void | Promise<void> {
  const { resume } = admitted.hello
  if (resume === undefined) return openFresh(host, admitted, undefined)
  const { tokens, store, counters } = host
  const { user } = admitted
  counters.resumesAsked += 1
  const token = tokens.verify(resume.token, resume.sessionId, user.id)
  // Without a valid token the store is not asked.
  const answer = token.kind === "valid" ? store.claim(resume.sessionId, user.id) : unknown
  return whenKnown(answer, (claim) => claimed(host, admitted, { resume, token, claim }))
}

const unknown: SessionClaim = { kind: "unknown" }

interface Claiming {
  readonly resume: ResumeClaim
  readonly token: TokenVerdict
  readonly claim: SessionClaim
}

/** Judges a claim and binds the session in one synchronous block after the store's answer. */
function claimed<User extends AuthenticatedUser>(
  host: OpeningHost<User>,
  admitted: Admitted<User>,
  { resume, token, claim }: Claiming,
): void | Promise<void> {
  const { health } = host
  const { connection, hello } = admitted
  if (claim.kind === "record" && host.isClosing()) {
    putBack(host, claim.record)
    throw new HawserError("server_shutdown")
  }
  const session = claimedSession(host, claim, resume.sessionId)
  if (connection.isClosing) throw new HawserError("connection_lost")
  if (claim.kind === "elsewhere") throw heldElsewhere(claim.retryAfterMs)
  const verdict = judgeResume({ ...resume, dial: hello.dial }, token, session)
  switch (verdict.kind) {
    case "refuse":
      health.resumesRefused.add(verdict.code)
      throw new HawserError(verdict.code)
    case "fresh": {
      const cause = claim.kind === "ended" ? claim.cause : verdict.cause
      health.resumesRefused.add(cause)
      // The client may not have received the final end of its session, so the refusal repeats it.
      if (claim.kind === "ended" && claim.isFinal) throw errorWithCode(cause)
      return openFresh(host, admitted, cause)
    }
    case "reset":
      health.resumesRefused.add(verdict.cause)
      if (verdict.suspicious && session !== undefined)
        host.hooks.suspicion.run({ session, address: connection.address })
      session?.finish(verdict.cause)
      return openFresh(host, admitted, verdict.cause)
    case "resume":
      // The next process continues the session: a resume here would not be in the journal, or end at once.
      if (host.isClosing() && host.sessionHost.ledger !== undefined) throw new HawserError("server_shutdown")
      if (session !== undefined && bindResumed(host, admitted, { session, resume, token })) return undefined
      health.resumesRefused.add("session_thrash")
      return openFresh(host, admitted, "session_thrash")
  }
}

/** Returns the record to the store, so that another process can continue the session. */
function putBack<User extends AuthenticatedUser>(
  { store, onError }: OpeningHost<User>,
  record: SessionRecord,
): void {
  const done = store.putBack(record)
  if (done instanceof Promise) done.catch(onError)
}

/** Returns the claimed session of this process. A record is restored also if the connection has closed; it then waits for a resume. */
function claimedSession<User extends AuthenticatedUser>(
  { registry, thaw }: OpeningHost<User>,
  claim: SessionClaim,
  sessionId: string,
): ServerSession<User> | undefined {
  if (claim.kind === "here") return registry.get(sessionId)
  return claim.kind === "record" ? thaw(claim.record) : undefined
}

function heldElsewhere(retryAfterMs: number): HawserError {
  const message = `another server process holds the session; dial again in ${retryAfterMs} ms`
  return new HawserError("sys_service_unavailable", { message, retryAfterMs })
}

interface Resuming<User extends AuthenticatedUser> {
  readonly session: ServerSession<User>
  readonly resume: ResumeClaim
  readonly token: TokenVerdict
}

function bindResumed<User extends AuthenticatedUser>(
  host: OpeningHost<User>,
  { user, connection, hello }: Admitted<User>,
  { session, resume, token }: Resuming<User>,
): boolean {
  const generation = token.kind === "valid" ? token.generation : 0
  const accepted = { user, resume, dial: hello.dial, generation, countsState: countsState(hello) }
  return session.resume(connection, accepted, () => {
    connection.bind(session)
    const bytes = encodeWelcome(host, session, { resumed: true })
    connection.connection.send({ bytes })
  })
}

/** True if the client acknowledges state. A HELLO with limits shows it: one wire revision introduced both. */
function countsState({ limits }: HelloFrame): boolean {
  return limits !== undefined
}

/** @param refusal reason for not resuming the claimed session; undefined without a claim. */
function openFresh<User extends AuthenticatedUser>(
  host: OpeningHost<User>,
  admitted: Admitted<User>,
  refusal: string | undefined,
): void | Promise<void> {
  const { user, connection, hello } = admitted
  assertCapacity(host, connection)
  const dial = connection.dialect.counts ? hello.dial : undefined
  const newcomer = { userId: user.id, clientId: hello.clientId, dial }
  const answer = host.store.open(newcomer)
  if (!(answer instanceof Promise)) return bindFresh(host, admitted, { opening: answer, refusal })
  return answer.then((opening) => {
    assertCapacity(host, connection)
    bindFresh(host, admitted, { opening: withLocalRules(host, newcomer, opening), refusal })
  })
}

/**
 * Judges a newcomer again by the sessions of this process: others of the same user may have opened while the store was asked.
 * So a store that answers late exceeds neither `sessionsPerUser` nor the dial rule within one process.
 */
function withLocalRules<User extends AuthenticatedUser>(
  { registry, limits, sessionPolicy }: OpeningHost<User>,
  newcomer: Newcomer,
  opening: Opening,
): Opening {
  if (opening.kind === "refused") return opening
  const { sessionsPerUser } = limits
  const remaining = registry.ofUser(newcomer.userId).filter(({ id }) => !opening.ends.includes(id))
  const here = judgeNewcomer(newcomer, remaining, { sessionsPerUser, sessionPolicy })
  return here.kind === "refused" ? here : { kind: "open", ends: [...opening.ends, ...here.ends] }
}

/** @throws HawserError if the server is shutting down, its send buffers are full, or the address is at its cap. */
function assertCapacity<User extends AuthenticatedUser>(
  host: OpeningHost<User>,
  connection: OpeningConnection<User>,
): void {
  if (host.isClosing()) throw new HawserError("server_shutdown")
  if (host.replayMemory.isOver) {
    const message = `send buffers of all sessions exceed ${host.limits.replayMaxBytes} bytes (limits.replayMaxBytes); retry later`
    throw new HawserError("sys_service_unavailable", { message })
  }
  if (connection.isOneTooMany) {
    host.onAddressFull(connection.address)
    const { connectionsPerAddress } = host.limits
    const message = `this address has ${connectionsPerAddress} connections (limits.connectionsPerAddress); close one and retry`
    throw new HawserError("too_many_connections", { message })
  }
}

function bindFresh<User extends AuthenticatedUser>(
  host: OpeningHost<User>,
  { user, connection, hello }: Admitted<User>,
  { opening, refusal }: { readonly opening: Opening; readonly refusal: string | undefined },
): void {
  const { registry, sessionHost } = host
  if (connection.isClosing) throw new HawserError("connection_lost")
  if (opening.kind === "refused") {
    const { code, message } = opening
    throw new HawserError(code, message === undefined ? {} : { message })
  }
  const session = new ServerSession(sessionHost, {
    id: host.sessionId(),
    user,
    clientId: hello.clientId,
    address: connection.address,
    dialect: connection.dialect,
    life: attachedLife(firstClaims(host.limits, hello.dial), connection),
  })
  // WELCOME is encoded before the session is registered: if that fails, no session is left.
  const kind = refusal === undefined ? { resumed: false } : { resumed: false, refusal }
  const welcome = encodeWelcome(host, session, kind)
  session.open(connection, countsState(hello))
  connection.bind(session)
  registry.add(session)
  connection.connection.send({ bytes: welcome })
  host.counters.sessionsOpened += 1
  const replaced = opening.ends.flatMap((id) => registry.get(id) ?? [])
  for (const old of replaced) old.finish("replaced", { successor: session })
  host.health.attachments.attach(session)
  host.hooks.opened.run({ session, replaces: replaced })
}

/** Calls `next` at once with a value, or after a promise has resolved. */
function whenKnown<T>(
  answer: T | Promise<T>,
  next: (value: T) => void | Promise<void>,
): void | Promise<void> {
  return answer instanceof Promise ? answer.then(next) : next(answer)
}
