// Creates the session layer of one server: registry, connection set-up, session store, hooks and observers of sessions.
import type { Contract } from "@hawser/protocol"
import type { Accept, Profile } from "@hawser/protocol/core"
import type { Authenticate, AuthenticatedUser } from "../base/authenticate.ts"
import type { Base } from "../base/create-base.ts"
import { randomSessionIds } from "../base/system.ts"
import type { Calls } from "../calls/create-calls.ts"
import { AckSchedule } from "./conversation/ack-schedule.ts"
import { createCompactDialect } from "./conversation/compact-dialect.ts"
import type { Dialect, DialectFactory } from "./conversation/dialect.ts"
import { FanOut } from "./conversation/fan-out.ts"
import { userRates } from "./conversation/inbound.ts"
import { ReplayMemory } from "./conversation/replay-memory.ts"
import { sentMessage } from "./conversation/sent-message.ts"
import type { SentMessage } from "./conversation/sent-message.ts"
import { ConnectionSet } from "./life/connection-set.ts"
import { keepableUsers } from "./life/keepable-user.ts"
import { startLivenessSweep } from "./life/liveness.ts"
import type { ServerSession } from "./life/server-session.ts"
import type { SessionEvents, SessionHost, SessionObserver } from "./life/session-host.ts"
import { SessionRegistry } from "./life/session-registry.ts"
import type { SessionPolicy } from "./life/session-registry.ts"
import type { SessionLedger } from "./life/kept-session.ts"
import type { SessionRecord, UserPacking } from "./life/session-record.ts"
import { memoryStore } from "./life/session-store.ts"
import type { SessionStoreFactory } from "./life/session-store.ts"
import { createStoreHost } from "./life/store-host.ts"
import { Tombstones } from "./life/tombstones.ts"
import { createAccept } from "./opening/accept.ts"
import { ConnectionCaps } from "./opening/connection-caps.ts"
import { ResumeTokens } from "./opening/resume-token.ts"
import { createSessionHooks } from "./session-hooks.ts"

/** Options of `createServer` that the session layer uses. */
export interface SessionOptions<User extends AuthenticatedUser> {
  /** Hook that verifies the token of each log-in and each renewed token. Time limit: `limits.authTimeoutMs`. */
  readonly authenticate: Authenticate<User>
  /**
   * Policy for a user above `limits.sessionsPerUser`. Default `newestWins`: a detached session, otherwise the oldest, ends with
   * `replaced`. `oldestWins`: a new session is refused with `too_many_connections`, unless a detached one can end.
   */
  readonly sessionPolicy?: SessionPolicy
  /** Returns a new, unique session id. Default: 128 random bits as 22 characters. */
  readonly sessionId?: () => string
  /** Secret of resume tokens, 32 bytes. Default: random, so that tokens are valid in this process only. */
  readonly resumeKey?: Uint8Array
  /**
   * Creates the session store, which answers resume claims and requests for new sessions. Time limit of an answer:
   * `limits.claimTimeoutMs`, then `sys_service_unavailable`. Default `memoryStore`: the sessions of this process.
   */
  readonly sessionStore?: SessionStoreFactory<User>
  /**
   * Serialization of users into plain data, for session records and the journal. Default: the user itself, which must be plain data. With
   * a journal each log-in checks that: a user who would not come back as he is is refused with `sys_internal_error`, and `onError` names
   * the part.
   */
  readonly userRecord?: UserPacking<User>
}

/** Options of the session layer. */
export interface SessionsSetup<User extends AuthenticatedUser> extends SessionOptions<User> {
  readonly userRecord: UserPacking<User>
  /** Creates the dialect of an older profile that the server also serves; undefined for none. */
  readonly olderDialect: DialectFactory<Contract, User> | undefined
  readonly isClosing: () => boolean
  /** Time for which the server has held its output back, in milliseconds. */
  readonly heldMs: () => number
  readonly ledger: SessionLedger | undefined
  /** Called when `connectionsPerAddress` refuses a log-in. */
  readonly onAddressFull: (address: string) => void
}

/** Parts that all sessions share. */
type SharedParts<User extends AuthenticatedUser> = Readonly<ReturnType<typeof createParts<User>>>

/** The session layer of one server. */
export interface Sessions<User extends AuthenticatedUser> extends SharedParts<User> {
  readonly accept: Accept
  /** Restores a session of the server's ledger, detached. */
  readonly revive: (record: SessionRecord) => ServerSession<User>
}

export function createSessions<User extends AuthenticatedUser>(
  setup: SessionsSetup<User>,
  base: Base,
  calls: Calls<User>,
): Sessions<User> {
  const { userRecord, isClosing, onAddressFull } = setup
  const authenticate =
    setup.ledger === undefined ? setup.authenticate : keepableUsers(setup.authenticate, userRecord)
  const { sessionStore = memoryStore, sessionPolicy = "newestWins" } = setup
  const { limits } = base
  const parts = createParts(setup, base)
  const sessionHost: SessionHost<User, ServerSession<User>> = {
    ...base,
    ...calls,
    ...parts,
    ...createEvents(base, parts),
    acks: new AckSchedule(base.timers, limits.ackDelayMs),
    userRates: userRates(limits),
    delivery: { ...base, stateLimits: limits, kept: parts.replayMemory },
    life: { resumable: { ...limits, isResumable: true }, single: { ...limits, isResumable: false } },
    authenticate,
    userRecord,
    ledger: setup.ledger,
  }
  const storeHost = createStoreHost({ ...parts, sessionHost, sessionPolicy })
  const accept = createAccept({
    ...base,
    ...parts,
    authenticate,
    isClosing,
    onAddressFull,
    sessionHost,
    sessionPolicy,
    sessionId: setup.sessionId ?? randomSessionIds(),
    tokens: new ResumeTokens(setup.resumeKey),
    store: sessionStore(storeHost),
    thaw: storeHost.thaw,
  })
  return { ...parts, accept, revive: storeHost.revive }
}

function createParts<User extends AuthenticatedUser>(
  { olderDialect, ledger, heldMs }: SessionsSetup<User>,
  base: Base,
) {
  const { limits, clock, timers, codec, onError } = base
  const registry = new SessionRegistry<User>()
  const connections = new ConnectionSet<User>()
  const compact = createCompactDialect<User>(codec, limits)
  const older = olderDialect?.(base)
  const served = older === undefined ? [compact] : [compact, older]
  const dialects: ReadonlyMap<Profile, Dialect<User>> = new Map(
    served.map((dialect) => [dialect.profile, dialect]),
  )
  const observers: SessionObserver<ServerSession<User>>[] = []
  return {
    registry,
    connections,
    /** Dialect of `hawser.1`. */
    compact,
    /** Dialects by profile. A client of another profile is refused. */
    dialects,
    fanOut: new FanOut(base.atomic),
    caps: new ConnectionCaps(limits, clock),
    replayMemory: new ReplayMemory({ sessions: registry.all, timers, limits }),
    liveness: startLivenessSweep({ ...base, connections, heldMs }),
    tombstones: new Tombstones(clock, limits, ledger && ((id, stone) => ledger.buried(id, stone))),
    hooks: createSessionHooks<User>(onError),
    /** Layers that follow the sessions. Called in this order, before the hooks of the application. */
    observers,
  }
}

function createEvents<User extends AuthenticatedUser>(
  { counters, health, sentCodec }: Base,
  { registry, tombstones, observers, hooks }: SharedParts<User>,
): SessionEvents<ServerSession<User>> {
  const { attachments } = health
  return {
    onAttachment(session) {
      if (session.attached) attachments.attach(session)
      else attachments.detach(session)
      for (const observer of observers) observer.onAttachment?.(session)
      hooks.attachment.run(session)
    },
    onRenewed(session) {
      for (const observer of observers) observer.onRenewed?.(session)
    },
    onFrozen(session) {
      attachments.end(session)
      registry.delete(session)
      return observers.flatMap((observer) => observer.onFrozen?.(session) ?? [])
    },
    onStated: (session) => observers.flatMap((observer) => observer.onStated?.(session) ?? []),
    onThawed(session, memberships) {
      registry.add(session)
      attachments.attach(session)
      attachments.detach(session)
      for (const observer of observers) observer.onThawed?.(session, memberships)
    },
    onRestored(session, memberships) {
      registry.add(session)
      attachments.attach(session)
      attachments.detach(session)
      for (const observer of observers) observer.onRestored?.(session, memberships)
    },
    onEnded(session, end) {
      const { cause, successor, isFinal } = end
      counters.sessionsEnded += 1
      health.sessionsEnded.add(cause)
      attachments.end(session)
      registry.delete(session)
      if (session.resumable) tombstones.bury(session.id, { cause, userId: session.user.id, isFinal })
      for (const observer of observers) observer.onEnded?.(session, end)
      const unacknowledged = (): readonly SentMessage[] =>
        end.unacknowledged.flatMap(({ bytes }) => sentMessage(sentCodec, bytes) ?? [])
      hooks.ended.run({ session, cause, successor, unacknowledged })
    },
  }
}
