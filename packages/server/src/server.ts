// The façade: puts the parts of one server together and gives them the names that applications use.
import {
  RateLimiter,
  TimerQueue,
  contractTypes,
  createEnvelopeCodec,
  createFrameCodec,
  defaultServerLimits,
  indexCalls,
  indexEvents,
  TypeTable,
} from "@hawser/protocol"
import type {
  Accept,
  CallOutput,
  CallSpec,
  Clock,
  Codec,
  CommandName,
  Contract,
  Encodable,
  EventName,
  EventPayload,
  Profile,
  QueryName,
  ServerLimits,
  ValidInput,
} from "@hawser/protocol"
import { createServer as createHttpServer } from "node:http"
import type { Server as HttpServer } from "node:http"
import type { Authenticate, AuthenticatedUser } from "./authenticate.ts"
import { CallRouter } from "./calls/call-router.ts"
import type { AnyHandler, HandlerContext } from "./calls/call-router.ts"
import { createCounters } from "./counters.ts"
import type { ServerCounters } from "./counters.ts"
import { createTranslator20 } from "./profile20.ts"
import type { Profile20 } from "./profile20.ts"
import { ConnectionCaps } from "./session/connection-caps.ts"
import { openConnection } from "./session/open-connection.ts"
import type { RunningConnection } from "./session/run-connection.ts"
import type { ServerSession, SessionHost } from "./session/server-session.ts"
import { SessionRegistry } from "./session/session-registry.ts"
import type { SessionPolicy } from "./session/session-registry.ts"
import type { EndCause, Session } from "./session/session.ts"
import { startLivenessSweep } from "./session/liveness.ts"
import { shutDown } from "./session/shut-down.ts"
import { debugError, randomSessionId, systemClock } from "./system.ts"
import { Hub } from "./topics/hub.ts"
import { Publication } from "./topics/publication.ts"
import { attachWebSocket } from "./transport/web-socket.ts"

export type Handler<S extends CallSpec, C extends Contract, User extends AuthenticatedUser> = (
  context: HandlerContext<ValidInput<S>, Session<User, C>>,
) => Encodable<CallOutput<S>> | Promise<Encodable<CallOutput<S>>>

export interface ServerOptions<C extends Contract, User extends AuthenticatedUser> {
  readonly authenticate: Authenticate<User>
  /** Exact origins of pages that may connect. Default: pages of the same host. A connection without Origin is allowed. */
  readonly origins?: readonly string[] | ((origin: string) => boolean)
  /** Path of the WebSocket. Default `/ws`. */
  readonly path?: string
  readonly limits?: Partial<ServerLimits>
  /** Who wins when a user exceeds `limits.sessionsPerUser`. Default `newestWins`: the oldest ends with `replaced`. */
  readonly sessionPolicy?: SessionPolicy
  /** Take addresses from the last entry of X-Forwarded-For. Default false. */
  readonly trustProxy?: boolean
  /** How messages look to clients of protocol `2.0`. Default: unchanged. */
  readonly profile20?: Profile20<C, User>
  /** Unexpected throws of handlers and hooks, refused bytes, socket errors. Default: `NODE_DEBUG=hawser`. */
  readonly onError?: (error: unknown) => void
  readonly clock?: Clock
  /** Wall-clock milliseconds since 1970. Default `Date.now`. */
  readonly wallClockMs?: () => number
  readonly sessionId?: () => string
}

/** How a session came to be. */
export interface SessionOpened<User extends AuthenticatedUser, C extends Contract> {
  readonly session: Session<User, C>
  /** The same user's sessions that this one took over from; others need not hear of a departure. */
  readonly replaces: readonly Session<User, C>[]
}

export interface SessionEnded<User extends AuthenticatedUser, C extends Contract> {
  readonly session: Session<User, C>
  readonly cause: EndCause
  /** The session that took over, when the cause is `replaced`. */
  readonly successor: Session<User, C> | undefined
}

export interface PublishOptions<User extends AuthenticatedUser, C extends Contract> {
  readonly except?: Session<User, C>
}

export interface Topic<User extends AuthenticatedUser, C extends Contract> {
  readonly name: string
  /** Sends to everyone in the topic: encoded once per profile; no socket is waited for. Returns how many got it. */
  publish<K extends EventName<C>>(
    event: K,
    payload: Encodable<EventPayload<C, K>>,
    options?: PublishOptions<User, C>,
  ): number
  /** Idempotent. An ended session leaves by itself. */
  subscribe(session: Session<User, C>): void
  unsubscribe(session: Session<User, C>): void
  readonly size: number
}

export interface Listening {
  readonly port: number
  readonly url: string
}

export interface ServerStats extends Readonly<ServerCounters> {
  readonly connections: number
  readonly sessions: number
  readonly topics: number
  /** Deadlines that wait; 0 on an idle server without connections. */
  readonly timers: number
}

export interface Server<C extends Contract, User extends AuthenticatedUser> {
  /** Sets the one handler of a command. @throws TypeError for an unknown name or a second handler. */
  command<K extends CommandName<C>>(name: K, handler: Handler<C["commands"][K], C, User>): void
  query<K extends QueryName<C>>(name: K, handler: Handler<C["queries"][K], C, User>): void
  topic(name: string): Topic<User, C>
  /** Sends to every session. Returns how many got it. */
  broadcast<K extends EventName<C>>(
    event: K,
    payload: Encodable<EventPayload<C, K>>,
    options?: PublishOptions<User, C>,
  ): number
  /** Sends to these sessions: encoded once per profile, like a broadcast. Returns how many got it. */
  multicast<K extends EventName<C>>(
    sessions: Iterable<Session<User, C>>,
    event: K,
    payload: Encodable<EventPayload<C, K>>,
  ): number
  /** Called after WELCOME was sent; what the hook sends comes right after it. Returns how to stop. */
  onSession(hook: (opened: SessionOpened<User, C>) => void): () => void
  /** Called exactly once per session, after it has become inert. Returns how to stop. */
  onSessionEnd(hook: (ended: SessionEnded<User, C>) => void): () => void
  sessions(): readonly Session<User, C>[]
  sessionsOf(userId: string): readonly Session<User, C>[]
  /** Own HTTP server: the WebSocket, and 200 on `/healthz`. @throws TypeError that names a call without a handler. */
  listen(options?: { readonly port?: number; readonly host?: string }): Promise<Listening>
  /** Serves the WebSocket on an HTTP server of the application. */
  attach(httpServer: HttpServer): void
  /** The transport port: takes in one socket of any kind. */
  readonly accept: Accept
  stats(): ServerStats
  /** Announces the shutdown, lets running requests finish, closes everything. Resolves within `limits.shutdownMs`. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Creates a server for a contract. Nothing listens until `listen`, `attach` or `accept`. */
export function createServer<C extends Contract, User extends AuthenticatedUser>(
  contract: C,
  options: ServerOptions<C, User>,
): Server<C, User>
export function createServer(
  contract: Contract,
  options: ServerOptions<Contract, AuthenticatedUser>,
): Server<Contract, AuthenticatedUser> {
  type User = AuthenticatedUser
  const limits: ServerLimits = { ...defaultServerLimits, ...options.limits }
  const { clock = systemClock, onError = debugError, wallClockMs = Date.now, path = "/ws" } = options
  const timers = new TimerQueue(clock, onError)
  const counters = createCounters()
  const calls = indexCalls(contract)
  const events = indexEvents(contract)
  const types = contractTypes(contract)
  const translator20 = createTranslator20(options.profile20)
  const codecs: Readonly<Record<Profile, Codec>> = {
    "hawser.1": createFrameCodec(new TypeTable(types), limits.message),
    "2.0": createEnvelopeCodec({ side: "server", limits: limits.message, wallClockMs }),
  }
  const encoders = { codecs, event20: translator20.event, counters }
  const handlers = new Map<string, AnyHandler<Session<User>>>()
  const limiter = new RateLimiter()
  const registry = new SessionRegistry<User>()
  const hub = new Hub<Session<User>>()
  const caps = new ConnectionCaps(limits)
  const connections = new Set<RunningConnection<User>>()
  const openHooks = new Set<(opened: SessionOpened<User, Contract>) => void>()
  const endHooks = new Set<(ended: SessionEnded<User, Contract>) => void>()
  const detachers: (() => void)[] = []
  let ownHttpServer: HttpServer | undefined
  let closing: Promise<void> | undefined

  const router = new CallRouter<User>({ calls, handlers, limiter, clock, translator20, onError })

  function runHooks<T>(hooks: ReadonlySet<(value: T) => void>, value: T): void {
    for (const hook of [...hooks]) {
      try {
        hook(value)
      } catch (error) {
        onError(error)
      }
    }
  }

  const sessionHost: SessionHost<User> = {
    limits,
    clock,
    timers,
    limiter,
    counters,
    events,
    encoders,
    router,
    onError,
    onEnded(session, end) {
      counters.sessionsEnded += 1
      registry.delete(session)
      hub.leaveAll(session)
      runHooks(endHooks, { session, ...end })
    },
  }

  const liveness = startLivenessSweep({ connections, clock, timers, limits })

  const accept: Accept = (accepted) => {
    const connection = openConnection(
      {
        limits,
        clock,
        timers,
        counters,
        registry,
        codecs,
        sessionHost,
        types,
        translator20,
        authenticate: options.authenticate,
        onError,
        wallClockMs,
        sessionId: options.sessionId ?? randomSessionId,
        sessionPolicy: options.sessionPolicy ?? "newestWins",
        isClosing: () => closing !== undefined,
        onOpened: (session, replaces) => runHooks(openHooks, { session, replaces }),
        onClosed(closed) {
          counters.connectionsClosed += 1
          connections.delete(closed)
          liveness.changed()
        },
      },
      accepted,
      caps.enter(accepted.address),
    )
    counters.connectionsAccepted += 1
    connections.add(connection)
    liveness.changed()
    return connection
  }

  function setHandler(call: "command" | "query", name: string, handler: AnyHandler<Session<User>>): void {
    if (calls.get(name)?.call !== call)
      throw new TypeError(`the contract "${contract.name}" has no ${call} "${name}"`)
    if (handlers.has(name)) throw new TypeError(`the ${call} "${name}" has a handler already`)
    handlers.set(name, handler)
  }

  function assertComplete(): void {
    const missing = [...calls.keys()].filter((name) => !handlers.has(name))
    if (missing.length > 0)
      throw new TypeError(`no handler for ${missing.map((name) => `"${name}"`).join(", ")}`)
  }

  function publishTo(
    recipients: Iterable<Session<User>>,
    publication: Publication,
    except?: Session<User>,
  ): number {
    let count = 0
    for (const recipient of recipients) {
      if (recipient === except) continue
      if (isServerSession(recipient) && recipient.publish(publication) !== "ended") count += 1
    }
    return count
  }

  function isServerSession(session: Session<User>): session is ServerSession<User> {
    const all: ReadonlySet<Session<User>> = registry.all
    return all.has(session)
  }

  function publication(
    name: string,
    payload: unknown,
    position?: { topic: string; offset: number },
  ): Publication {
    const spec = events.get(name)
    if (spec === undefined) throw new TypeError(`the contract "${contract.name}" has no event "${name}"`)
    return new Publication(encoders, { name, spec, payload, position })
  }

  function topic(name: string): Topic<User, Contract> {
    return {
      name,
      publish(event, payload, { except } = {}) {
        const offset = hub.nextOffset(name)
        if (offset === undefined) return 0
        return publishTo([...hub.members(name)], publication(event, payload, { topic: name, offset }), except)
      },
      subscribe(session) {
        if (session.active) hub.join(name, session)
      },
      unsubscribe: (session) => hub.leave(name, session),
      get size() {
        return hub.members(name).size
      },
    }
  }

  function attach(httpServer: HttpServer): void {
    assertComplete()
    detachers.push(
      attachWebSocket(httpServer, {
        accept,
        path,
        limits,
        origins: options.origins,
        trustProxy: options.trustProxy ?? false,
        checkCaps: (address, exempt) => caps.check(address, exempt),
        isClosing: () => closing !== undefined,
        onError,
      }),
    )
  }

  async function listen(where: { port?: number; host?: string } = {}): Promise<Listening> {
    const httpServer = createHttpServer(
      { headersTimeout: 5_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 },
      (request, response) => {
        const healthy = request.url === "/healthz"
        response.writeHead(healthy ? 200 : 426, { "Content-Type": "text/plain; charset=utf-8" })
        response.end(healthy ? "ok\n" : "this port speaks WebSocket\n")
      },
    )
    attach(httpServer)
    const { port = 0, host } = where
    await new Promise<void>((resolve, reject) => {
      httpServer.once("error", reject)
      httpServer.listen(host === undefined ? { port } : { port, host }, () => resolve())
    })
    ownHttpServer = httpServer
    const address = httpServer.address()
    const bound = typeof address === "object" && address !== null ? address.port : port
    return { port: bound, url: `ws://${host ?? "localhost"}:${bound}${path}` }
  }

  function close(): Promise<void> {
    closing ??= shutDown({ registry, connections, timers, limits }).finally(() => {
      for (const detach of detachers) detach()
      liveness.stop()
      ownHttpServer?.close()
    })
    return closing
  }

  return {
    command: (name, handler) => setHandler("command", name, handler),
    query: (name, handler) => setHandler("query", name, handler),
    topic,
    broadcast: (event, payload, { except } = {}) =>
      publishTo([...registry.all], publication(event, payload), except),
    multicast: (sessions, event, payload) => publishTo(sessions, publication(event, payload)),
    onSession(hook) {
      openHooks.add(hook)
      return () => void openHooks.delete(hook)
    },
    onSessionEnd(hook) {
      endHooks.add(hook)
      return () => void endHooks.delete(hook)
    },
    sessions: () => [...registry.all],
    sessionsOf: (userId) => [...registry.ofUser(userId)],
    listen,
    attach,
    accept,
    stats: () => ({
      ...counters,
      connections: connections.size,
      sessions: registry.size,
      topics: hub.size,
      timers: timers.size,
    }),
    close,
    [Symbol.asyncDispose]: close,
  }
}
