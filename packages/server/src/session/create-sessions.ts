// Creates the session layer of one server: registry, connection set-up, session store, hooks and observers of sessions.
import type { Contract } from "@hawser/protocol"
import type { Accept, Profile } from "@hawser/protocol/core"
import type { Authenticate, AuthenticatedUser } from "../base/authenticate.ts"
import type { Base } from "../base/create-base.ts"
import { Hooks } from "../base/hooks.ts"
import type { EndCause, Session } from "../base/session.ts"
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
import { startLivenessSweep } from "./life/liveness.ts"
import type { LivenessSweep } from "./life/liveness.ts"
import type { ServerSession } from "./life/server-session.ts"
import type { SessionEnd, SessionHost } from "./life/session-host.ts"
import { SessionRegistry } from "./life/session-registry.ts"
import type { SessionPolicy } from "./life/session-registry.ts"
import type { MembershipRecord, SessionRecord, UserPacking } from "./life/session-record.ts"
import { memoryStore } from "./life/session-store.ts"
import type { SessionStoreFactory } from "./life/session-store.ts"
import { createStoreHost, thawSession } from "./life/store-host.ts"
import { Tombstones } from "./life/tombstones.ts"
import { createAccept } from "./opening/accept.ts"
import type { OpeningHost } from "./opening/open-session.ts"
import { ConnectionCaps } from "./opening/connection-caps.ts"
import { ResumeTokens } from "./opening/resume-token.ts"

/** Options of the session layer. */
export interface SessionsOptions<User extends AuthenticatedUser> {
  readonly authenticate: Authenticate<User>
  readonly sessionPolicy?: SessionPolicy
  readonly sessionId?: () => string
  readonly resumeKey?: Uint8Array
  /** Default `memoryStore`. */
  readonly sessionStore?: SessionStoreFactory<User>
  readonly userRecord: UserPacking<User>
  /** Creates the dialect of an older profile that the server also serves; undefined for none. */
  readonly olderDialect: DialectFactory<Contract, User> | undefined
  readonly isClosing: () => boolean
  /** Called when `connectionsPerAddress` refuses a log-in. */
  readonly onAddressFull: (address: string) => void
}

/** Layer of a server that follows its sessions. Called before the hooks of the application. */
interface SessionObserver<S> {
  /** Called when a session is detached or resumed. */
  onAttachment?(session: S): void
  /** Called when a session's token was renewed. */
  onRenewed?(session: S): void
  onEnded(session: S): void
  /** Called when a session is frozen. Returns its topics, and keeps its memberships for a resume window. */
  onFrozen?(session: S): readonly MembershipRecord[]
  /** Called when a session was restored from a record with these topics. */
  onThawed?(session: S, memberships: readonly MembershipRecord[]): void
}

/** Hooks of the application. */
interface SessionHooks<User extends AuthenticatedUser> {
  readonly opened: Hooks<{ readonly session: Session<User>; readonly replaces: readonly Session<User>[] }>
  readonly ended: Hooks<EndedSession<User>>
  readonly attachment: Hooks<Session<User>>
  readonly suspicion: Hooks<{ readonly session: Session<User>; readonly address: string }>
}

interface EndedSession<User extends AuthenticatedUser> {
  readonly session: Session<User>
  readonly cause: EndCause
  readonly successor: Session<User> | undefined
  readonly unacknowledged: () => readonly SentMessage[]
}

/** The session layer of one server. */
export interface Sessions<User extends AuthenticatedUser> {
  readonly registry: SessionRegistry<User>
  readonly connections: ConnectionSet<User>
  /** Dialects by profile. A client of another profile is refused. */
  readonly dialects: ReadonlyMap<Profile, Dialect<User>>
  /** Dialect of `hawser.1`. */
  readonly compact: Dialect<User>
  readonly fanOut: FanOut
  readonly caps: ConnectionCaps
  readonly replayMemory: ReplayMemory
  readonly liveness: LivenessSweep
  readonly hooks: SessionHooks<User>
  readonly accept: Accept
  /** Adds observers. They are called in the order of their addition. */
  observe(...observers: readonly SessionObserver<ServerSession<User>>[]): void
}

export function createSessions<User extends AuthenticatedUser>(
  options: SessionsOptions<User>,
  base: Base,
  calls: Calls<User>,
): Sessions<User> {
  const { limits, clock, timers, counters, onError } = base
  const registry = new SessionRegistry<User>()
  const connections = new ConnectionSet<User>()
  const compact = createCompactDialect<User>(base.codec, limits)
  const observers: SessionObserver<ServerSession<User>>[] = []
  const shared = {
    registry,
    connections,
    compact,
    dialects: dialectsOf(compact, options.olderDialect?.(base)),
    fanOut: new FanOut(),
    caps: new ConnectionCaps(limits, clock),
    replayMemory: new ReplayMemory({ sessions: registry.all, timers, limits }),
    liveness: startLivenessSweep({ connections, clock, timers, limits, counters }),
    hooks: {
      opened: new Hooks<{ session: Session<User>; replaces: readonly Session<User>[] }>(onError),
      ended: new Hooks<EndedSession<User>>(onError),
      attachment: new Hooks<Session<User>>(onError),
      suspicion: new Hooks<{ session: Session<User>; address: string }>(onError),
    },
    tombstones: new Tombstones(clock, limits),
    observers,
  }
  const sessionHost = createSessionHost(options, base, calls, shared)
  return {
    ...shared,
    accept: createAccept({
      ...shared,
      login: { ...base, authenticate: options.authenticate },
      opening: createOpening(options, base, { ...shared, sessionHost }),
    }),
    observe: (...added) => void observers.push(...added),
  }
}

function dialectsOf<User extends AuthenticatedUser>(
  ...dialects: readonly (Dialect<User> | undefined)[]
): ReadonlyMap<Profile, Dialect<User>> {
  return new Map(dialects.flatMap((dialect) => (dialect === undefined ? [] : [[dialect.profile, dialect]])))
}

interface OpeningParts<User extends AuthenticatedUser> extends Pick<
  Sessions<User>,
  "registry" | "replayMemory" | "hooks" | "compact"
> {
  readonly tombstones: Tombstones
  readonly sessionHost: SessionHost<User, ServerSession<User>>
}

/** Parts that all sessions share. */
interface SharedParts<User extends AuthenticatedUser> extends Pick<
  Sessions<User>,
  "registry" | "fanOut" | "caps" | "replayMemory" | "hooks"
> {
  readonly tombstones: Tombstones
  readonly observers: readonly SessionObserver<ServerSession<User>>[]
}

function createOpening<User extends AuthenticatedUser>(
  options: SessionsOptions<User>,
  { limits, counters, health, types }: Base,
  { registry, replayMemory, hooks, tombstones, sessionHost, compact }: OpeningParts<User>,
): OpeningHost<User> {
  const { sessionStore = memoryStore, sessionPolicy = "newestWins", isClosing, onAddressFull } = options
  const thawing = { registry, sessionHost, dialect: compact, unpack: options.userRecord.unpack }
  const thaw = (record: SessionRecord): ServerSession<User> => thawSession(thawing, record)
  const storeHost = createStoreHost({ registry, tombstones, limits, sessionPolicy, thaw })
  return {
    limits,
    counters,
    health,
    types,
    registry,
    replayMemory,
    sessionHost,
    isClosing,
    onAddressFull,
    sessionId: options.sessionId ?? randomSessionIds(),
    tokens: new ResumeTokens(options.resumeKey),
    store: sessionStore(storeHost),
    thaw,
    onOpened(session, replaces) {
      health.attachments.attach(session)
      hooks.opened.run({ session, replaces })
    },
    onSuspicion: (session, address) => hooks.suspicion.run({ session, address }),
  }
}

// oxlint-disable-next-line eslint/max-params -- one parameter for each layer below, and the options
function createSessionHost<User extends AuthenticatedUser>(
  { authenticate, userRecord }: SessionsOptions<User>,
  base: Base,
  calls: Calls<User>,
  shared: SharedParts<User>,
): SessionHost<User, ServerSession<User>> {
  const { limits, clock, codec, counters, timers, health } = base
  const { replayMemory, caps, fanOut, observers, hooks } = shared
  return {
    limits,
    clock,
    timers,
    counters,
    health,
    events: base.events,
    onError: base.onError,
    wallClockMs: base.wallClockMs,
    router: calls.router,
    limiter: calls.limiter,
    starts: calls.starts,
    acks: new AckSchedule(timers, limits.ackDelayMs),
    userRates: userRates(limits),
    delivery: { limits, stateLimits: limits, clock, counters, codec, kept: replayMemory },
    replayMemory,
    fanOut,
    caps,
    authenticate,
    life: { resumable: { ...limits, isResumable: true }, single: { ...limits, isResumable: false } },
    packUser: userRecord.pack,
    onAttachment(session) {
      if (session.attached) health.attachments.attach(session)
      else health.attachments.detach(session)
      for (const observer of observers) observer.onAttachment?.(session)
      hooks.attachment.run(session)
    },
    onRenewed(session) {
      for (const observer of observers) observer.onRenewed?.(session)
    },
    onFrozen: (session) => {
      health.attachments.end(session)
      shared.registry.delete(session)
      return observers.flatMap((observer) => observer.onFrozen?.(session) ?? [])
    },
    onThawed(session, memberships) {
      shared.registry.add(session)
      health.attachments.attach(session)
      health.attachments.detach(session)
      for (const observer of observers) observer.onThawed?.(session, memberships)
    },
    onEnded: (session, end) => endSession(base, shared, session, end),
  }
}

// oxlint-disable-next-line eslint/max-params -- one parameter for each layer, then the session and its end
function endSession<User extends AuthenticatedUser>(
  { counters, health, sentCodec }: Base,
  { registry, tombstones, observers, hooks }: SharedParts<User>,
  session: ServerSession<User>,
  { cause, successor, unacknowledged, isFinal }: SessionEnd<ServerSession<User>>,
): void {
  counters.sessionsEnded += 1
  health.sessionsEnded.add(cause)
  health.attachments.end(session)
  registry.delete(session)
  if (session.resumable) tombstones.bury(session.id, { cause, userId: session.user.id, isFinal })
  for (const observer of observers) observer.onEnded(session)
  hooks.ended.run({
    session,
    cause,
    successor,
    unacknowledged: () => unacknowledged.flatMap(({ bytes }) => sentMessage(sentCodec, bytes) ?? []),
  })
}
