// The façade: puts the parts of one server together and gives them the names that applications use.
import { RateLimiter, TimerQueue, contractTypes, indexCalls, indexEvents } from "@hawser/protocol/core"
import type { Contract } from "@hawser/protocol"
import type { Accept } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "./base/authenticate.ts"
import { CallRouter } from "./calls/call-router.ts"
import { HandlerTable } from "./calls/handler-table.ts"
import { Idempotency } from "./calls/idempotency.ts"
import { checkLimits } from "./base/check-limits.ts"
import { createCodecs } from "./base/codecs.ts"
import { createCounters } from "./base/counters.ts"
import { Hooks, callReporting, guardedReporter } from "./base/hooks.ts"
import { createTranslator20 } from "./base/profile20.ts"
import { createHealth } from "./base/health.ts"
import { readStats } from "./metrics/read-stats.ts"
import type { Server, ServerOptions, SessionEnded, SessionOpened, Suspicion } from "./server-api.ts"
import { StartSchedule } from "./calls/start-schedule.ts"
import { AckSchedule } from "./session/conversation/ack-schedule.ts"
import { ConnectionCaps } from "./session/opening/connection-caps.ts"
import { drain } from "./session/life/drain.ts"
import { userRates } from "./session/conversation/inbound.ts"
import { startLivenessSweep } from "./session/life/liveness.ts"
import { ConnectionSet } from "./session/life/connection-set.ts"
import { createOpener } from "./session/opening/open-session.ts"
import type { OpeningHost } from "./session/opening/open-session.ts"
import { ReplayMemory } from "./session/conversation/replay-memory.ts"
import { ResumeTokens } from "./session/opening/resume-token.ts"
import { sentMessage } from "./session/conversation/sent-message.ts"
import type { ServerSession } from "./session/life/server-session.ts"
import type { SessionHost } from "./session/life/session-host.ts"
import { SessionRegistry } from "./session/life/session-registry.ts"
import { memoryStore } from "./session/life/session-store.ts"
import type { Session } from "./base/session.ts"
import { shutDown } from "./session/life/shut-down.ts"
import type { CloseOptions } from "./session/life/shut-down.ts"
import { Tombstones } from "./session/life/tombstones.ts"
import { debugError, showWarning } from "./base/report.ts"
import { randomSessionIds, systemClock } from "./base/system.ts"
import { FanOut } from "./session/conversation/fan-out.ts"
import { createReplicaDesk } from "./replicas/replica.ts"
import { Replicas } from "./replicas/replicas.ts"
import { createTopics, topicEntries } from "./topics/topic-service.ts"
import { Entrances } from "./transport/entrances.ts"
import { canonicalOrigins } from "./transport/origin.ts"
import { checkedPath } from "./transport/socket-path.ts"
import { UpgradeWarnings } from "./transport/upgrade-warnings.ts"
import type { ServerWarning } from "./base/server-warning.ts"

type User = AuthenticatedUser
type Options = ServerOptions<Contract, User>

/**
 * Creates a server for a contract. Nothing listens until `listen`, `attach` or `accept`.
 * @throws RangeError that names a limit which cannot be kept or does not exist; TypeError that names an entry of `origins`
 * which is none, or a `path` that no request can have.
 */
export function createServer<C extends Contract, U extends AuthenticatedUser>(
  contract: C,
  options: ServerOptions<C, U>,
): Server<C, U>
export function createServer(contract: Contract, options: Options): Server<Contract, User> {
  const path = checkedPath(options.path)
  const parts = createParts(contract, options)
  const { handlers, registry, topics, caps } = parts
  const { publisher } = topics
  let closing: Promise<void> | undefined
  const isClosing = (): boolean => closing !== undefined
  const { trustProxy = false } = options
  const { clock } = parts
  const warnings = new UpgradeWarnings({
    path,
    trustProxy,
    clock,
    onWarning: parts.onWarning,
  })
  const accept = createAccept(parts, options, { isClosing, warnings })
  const entrances = new Entrances({
    ...parts,
    accept,
    path,
    origins: typeof options.origins === "object" ? canonicalOrigins(options.origins) : options.origins,
    allowLoopbackOrigins: options.allowLoopbackOrigins ?? false,
    trustProxy,
    warnings,
    checkCaps: (address, exempt) => caps.check(address, exempt),
    isClosing,
    assertReady: () => handlers.assertComplete(),
  })

  async function end(how: CloseOptions): Promise<void> {
    await shutDown({ ...parts, how })
    parts.liveness.stop()
    parts.replicas.stop()
    topics.stop()
    await entrances.close()
  }

  function close(how: CloseOptions = {}): Promise<void> {
    closing ??= end(how)
    return closing
  }

  return {
    command: (name, handler) => handlers.set("command", name, handler),
    query: (name, handler) => handlers.set("query", name, handler),
    stream: (name, handler) => handlers.set("stream", name, handler),
    topic: (name) => publisher.topic(name),
    topicKind: (kind, rules) => topics.kinds.set(kind, rules),
    replica: createReplicaDesk(parts.replicas, registry),
    flush: () => parts.replicas.flush(),
    broadcast: (event, payload, but) => publisher.broadcast(event, payload, but),
    multicast: (sessions, event, payload) => publisher.multicast(sessions, event, payload),
    onSession: (hook) => parts.opened.add(hook),
    onSessionEnd: (hook) => parts.ended.add(hook),
    onAttachment: (hook) => parts.attachment.add(hook),
    onSuspicion: (hook) => parts.suspicion.add(hook),
    sessions: () => [...registry.all],
    sessionsOf: (userId) => [...registry.ofUser(userId)],
    listen: (where) => entrances.listen(where),
    attach: (httpServer) => entrances.attach(httpServer),
    accept,
    entrances,
    stats: () => readStats(parts),
    endSessionsOf(userId, code, message) {
      const sessions = [...registry.ofUser(userId)]
      for (const session of sessions) session.end(code, message)
      return sessions.length
    },
    drain: (how = {}) => drain(parts, how),
    close,
    [Symbol.asyncDispose]: () => close(),
  }
}

type Parts = ReturnType<typeof createParts>

/** What one server has one of. */
function createParts(contract: Contract, options: Options) {
  const limits = checkLimits(options.limits)
  const { clock = systemClock, wallClockMs = Date.now } = options
  const onError = guardedReporter(options.onError ?? debugError)
  const warn = options.onWarning ?? showWarning
  const onWarning = (warning: ServerWarning): void => callReporting(() => warn(warning), onError)
  const timers = new TimerQueue(clock, onError)
  const calls = new Map([...indexCalls(contract), ...topicEntries(contract)])
  const events = indexEvents(contract)
  const types = contractTypes(contract)
  const counters = createCounters()
  const health = createHealth(calls.keys(), clock)
  const translator20 = createTranslator20(options.profile20)
  const { codecs, sentCodec } = createCodecs(types, limits, wallClockMs)
  const encoders = {
    codecs,
    counters,
    event20: (name: string, payload: unknown) => translator20.event(name, payload),
  }
  const registry = new SessionRegistry<User>()
  const connections = new ConnectionSet<User>()
  const tombstones = new Tombstones(clock, limits)
  const replicas = new Replicas({
    replicas: contract.replicas,
    codecs,
    translator20,
    clock,
    timers,
    counters,
    limits,
    onError,
  })
  const fanOut = new FanOut()
  const limiter = new RateLimiter()
  const topics = createTopics({
    contract,
    events,
    encoders,
    codecs,
    registry,
    fanOut,
    limiter,
    limits,
    clock,
    timers,
    counters,
    onWarning,
    onError,
  })
  const handlers = new HandlerTable<Session<User>>(contract.name, calls)
  if (calls.has("$join"))
    for (const [name, handler] of topics.handlers) handlers.set("command", name, handler)
  return {
    limits,
    clock,
    onError,
    onWarning,
    wallClockMs,
    timers,
    calls,
    events,
    types,
    counters,
    health,
    translator20,
    codecs,
    sentCodec,
    encoders,
    registry,
    topics,
    replicas,
    fanOut,
    connections,
    limiter,
    idempotency: new Idempotency(clock, limits),
    replayMemory: new ReplayMemory({ sessions: registry.all, timers, limits }),
    acks: new AckSchedule(timers, limits.ackDelayMs),
    starts: new StartSchedule(),
    tokens: new ResumeTokens(options.resumeKey),
    tombstones,
    store: memoryStore(registry, tombstones),
    caps: new ConnectionCaps(limits, clock),
    handlers,
    liveness: startLivenessSweep({ connections, clock, timers, limits, counters }),
    opened: new Hooks<SessionOpened<User, Contract>>(onError),
    ended: new Hooks<SessionEnded<User, Contract>>(onError),
    attachment: new Hooks<Session<User>>(onError),
    suspicion: new Hooks<Suspicion<User, Contract>>(onError),
  }
}

interface Door {
  readonly isClosing: () => boolean
  readonly warnings: UpgradeWarnings
}

function createAccept(parts: Parts, options: Options, { isClosing, warnings }: Door): Accept {
  const { caps, connections, counters, liveness, opened, suspicion } = parts
  const host: OpeningHost<User> = {
    ...parts,
    sessionHost: createSessionHost(parts, options),
    authenticate: options.authenticate,
    sessionId: options.sessionId ?? randomSessionIds(),
    sessionPolicy: options.sessionPolicy ?? "newestWins",
    isClosing,
    onOpened(session, replaces) {
      parts.health.attachments.attach(session)
      opened.run({ session, replaces })
    },
    onSuspicion: (session, address) => suspicion.run({ session, address }),
    onAddressFull: (address) => warnings.addressFull(address),
    onClosed(closed) {
      counters.connectionsClosed += 1
      connections.delete(closed)
      liveness.changed()
    },
  }
  const open = createOpener(host)
  return (accepted) => {
    const connection = open(accepted, caps.enter(accepted.address, accepted.isCapped))
    counters.connectionsAccepted += 1
    connections.add(connection)
    liveness.changed()
    return connection
  }
}

function createSessionHost(parts: Parts, options: Options): SessionHost<User, ServerSession<User>> {
  const { sentCodec, counters, health, registry, tombstones, topics, replicas, ended, attachment } = parts
  const { limits, clock, codecs, replayMemory } = parts
  return {
    ...parts,
    userRates: userRates(limits),
    delivery: { limits, stateLimits: limits, clock, counters, codec: codecs["hawser.1"], kept: replayMemory },
    router: new CallRouter<User>({ ...parts, handlers: parts.handlers.byName }),
    authenticate: options.authenticate,
    onAttachment(session) {
      if (session.attached) health.attachments.attach(session)
      else health.attachments.detach(session)
      topics.onAttachment(session)
      attachment.run(session)
    },
    onRenewed: (session) => topics.onRenewed(session),
    onEnded(session, { cause, successor, unacknowledged, isFinal }) {
      counters.sessionsEnded += 1
      health.sessionsEnded.add(cause)
      health.attachments.end(session)
      registry.delete(session)
      if (session.resumable) tombstones.bury(session.id, { cause, userId: session.user.id, isFinal })
      topics.onEnded(session)
      replicas.end(session)
      ended.run({
        session,
        cause,
        successor,
        unacknowledged: () => unacknowledged.flatMap(({ bytes }) => sentMessage(sentCodec, bytes) ?? []),
      })
    },
  }
}
