// The façade: puts the parts of one server together and gives them the names that applications use.
import {
  RateLimiter,
  TimerQueue,
  TypeTable,
  contractTypes,
  createEnvelopeCodec,
  createFrameCodec,
  indexCalls,
  indexEvents,
} from "@hawser/protocol"
import type { Accept, Contract } from "@hawser/protocol"
import type { AuthenticatedUser } from "./authenticate.ts"
import { CallRouter } from "./calls/call-router.ts"
import { HandlerTable } from "./calls/handler-table.ts"
import { checkLimits } from "./check-limits.ts"
import { createCounters } from "./counters.ts"
import { Hooks } from "./hooks.ts"
import { createTranslator20 } from "./profile20.ts"
import type { Server, ServerOptions, SessionEnded, SessionOpened } from "./server-api.ts"
import { ConnectionCaps } from "./session/connection-caps.ts"
import { startLivenessSweep } from "./session/liveness.ts"
import { OpenConnections } from "./session/open-connections.ts"
import { openConnection } from "./session/open-connection.ts"
import type { OpeningHost } from "./session/open-connection.ts"
import type { SessionHost } from "./session/server-session.ts"
import { SessionRegistry } from "./session/session-registry.ts"
import type { Session } from "./session/session.ts"
import { shutDown } from "./session/shut-down.ts"
import { debugError, randomSessionId, systemClock } from "./system.ts"
import { Hub } from "./topics/hub.ts"
import { Publisher } from "./topics/publisher.ts"
import { Entrances } from "./transport/entrances.ts"

type User = AuthenticatedUser
type Options = ServerOptions<Contract, User>

/**
 * Creates a server for a contract. Nothing listens until `listen`, `attach` or `accept`.
 * @throws RangeError that names a limit which cannot be kept.
 */
export function createServer<C extends Contract, U extends AuthenticatedUser>(
  contract: C,
  options: ServerOptions<C, U>,
): Server<C, U>
export function createServer(contract: Contract, options: Options): Server<Contract, User> {
  const parts = createParts(contract, options)
  const { counters, handlers, registry, hub, publisher, connections, caps } = parts
  let closing: Promise<void> | undefined
  const isClosing = (): boolean => closing !== undefined
  const accept = createAccept(parts, options, isClosing)
  const entrances = new Entrances({
    ...parts,
    accept,
    path: options.path ?? "/ws",
    origins: options.origins,
    trustProxy: options.trustProxy ?? false,
    checkCaps: (address, exempt) => caps.check(address, exempt),
    isClosing,
    assertReady: () => handlers.assertComplete(),
  })

  async function end(): Promise<void> {
    await shutDown(parts)
    parts.liveness.stop()
    await entrances.close()
  }

  function close(): Promise<void> {
    closing ??= end()
    return closing
  }

  return {
    command: (name, handler) => handlers.set("command", name, handler),
    query: (name, handler) => handlers.set("query", name, handler),
    topic: (name) => publisher.topic(name),
    broadcast: (event, payload, but) => publisher.broadcast(event, payload, but),
    multicast: (sessions, event, payload) => publisher.multicast(sessions, event, payload),
    onSession: (hook) => parts.opened.add(hook),
    onSessionEnd: (hook) => parts.ended.add(hook),
    sessions: () => [...registry.all],
    sessionsOf: (userId) => [...registry.ofUser(userId)],
    listen: (where) => entrances.listen(where),
    attach: (httpServer) => entrances.attach(httpServer),
    accept,
    stats: () => ({
      ...counters,
      connections: connections.size,
      sessions: registry.size,
      topics: hub.size,
      timers: parts.timers.size,
    }),
    close,
    [Symbol.asyncDispose]: close,
  }
}

type Parts = ReturnType<typeof createParts>

/** What one server has one of. */
function createParts(contract: Contract, options: Options) {
  const limits = checkLimits(options.limits)
  const { clock = systemClock, onError = debugError, wallClockMs = Date.now } = options
  const timers = new TimerQueue(clock, onError)
  const calls = indexCalls(contract)
  const events = indexEvents(contract)
  const types = contractTypes(contract)
  const counters = createCounters()
  const translator20 = createTranslator20(options.profile20)
  const codecs = {
    "hawser.1": createFrameCodec(new TypeTable(types), limits.message),
    "2.0": createEnvelopeCodec({ side: "server", limits: limits.message, wallClockMs }),
  }
  const encoders = {
    codecs,
    counters,
    event20: (name: string, payload: unknown) => translator20.event(name, payload),
  }
  const registry = new SessionRegistry<User>()
  const hub = new Hub<Session<User>>()
  const connections = new OpenConnections<User>()
  return {
    limits,
    clock,
    onError,
    wallClockMs,
    timers,
    calls,
    events,
    types,
    counters,
    translator20,
    codecs,
    encoders,
    registry,
    hub,
    connections,
    limiter: new RateLimiter(),
    caps: new ConnectionCaps(limits),
    handlers: new HandlerTable<Session<User>>(contract.name, calls),
    publisher: new Publisher({ contractName: contract.name, events, encoders, registry, hub }),
    liveness: startLivenessSweep({ connections, clock, timers, limits }),
    opened: new Hooks<SessionOpened<User, Contract>>(onError),
    ended: new Hooks<SessionEnded<User, Contract>>(onError),
  }
}

function createAccept(parts: Parts, options: Options, isClosing: () => boolean): Accept {
  const { caps, connections, counters, liveness, opened } = parts
  const host: OpeningHost<User> = {
    ...parts,
    sessionHost: createSessionHost(parts),
    authenticate: options.authenticate,
    sessionId: options.sessionId ?? randomSessionId,
    sessionPolicy: options.sessionPolicy ?? "newestWins",
    isClosing,
    onOpened: (session, replaces) => opened.run({ session, replaces }),
    onClosed(closed) {
      counters.connectionsClosed += 1
      connections.delete(closed)
      liveness.changed()
    },
  }
  return (accepted) => {
    const connection = openConnection(host, accepted, caps.enter(accepted.address))
    counters.connectionsAccepted += 1
    connections.add(connection)
    liveness.changed()
    return connection
  }
}

function createSessionHost(parts: Parts): SessionHost<User> {
  const { counters, registry, hub, ended } = parts
  return {
    ...parts,
    router: new CallRouter<User>({ ...parts, handlers: parts.handlers.byName }),
    onEnded(session, end) {
      counters.sessionsEnded += 1
      registry.delete(session)
      hub.leaveAll(session)
      ended.run({ session, ...end })
    },
  }
}
