// What applications see of a server: its options and its methods.
import type {
  CallOutput,
  CallSpec,
  Clock,
  CommandName,
  Contract,
  Encodable,
  EventName,
  EventPayload,
  QueryName,
  ReplicaName,
  ReplicaRecord,
  ServerLimits,
  StreamItem,
  StreamName,
  StreamSpec,
  TopicKind,
  ValidInput,
} from "@hawser/protocol"
import type { Accept } from "@hawser/protocol/core"
import type { Server as HttpServer } from "node:http"
import type { Authenticate, AuthenticatedUser } from "./base/authenticate.ts"
import type { HandlerContext, StreamContext } from "./calls/call-router.ts"
import type { ItemSource } from "./calls/job.ts"
import type { DialectFactory } from "./session/conversation/dialect.ts"
import type { SessionStoreFactory } from "./session/life/session-store.ts"
import type { UserPacking } from "./session/life/session-record.ts"
import type { SessionPolicy } from "./session/life/session-registry.ts"
import type { DrainOptions } from "./session/life/drain.ts"
import type { CloseOptions } from "./session/life/shut-down.ts"
import type { Replica } from "./replicas/replica.ts"
import type { TopicRules } from "./topics/topic-kinds.ts"
import type { SentMessage } from "./session/conversation/sent-message.ts"
import type { EndCause, Session } from "./base/session.ts"
import type { EntranceHost } from "./transport/entrances.ts"
import type { ServerWarning } from "./base/server-warning.ts"
import type { PublishOptions, Topic } from "./topics/topic.ts"
import type { ServerStats } from "./metrics/server-stats.ts"
import type { Listening } from "./transport/listening.ts"

export type Handler<S extends CallSpec, C extends Contract, User extends AuthenticatedUser> = (
  context: HandlerContext<ValidInput<S>, Session<User, C>>,
) => Encodable<CallOutput<S>> | Promise<Encodable<CallOutput<S>>>

export type StreamHandler<S extends StreamSpec, C extends Contract, User extends AuthenticatedUser> = (
  context: StreamContext<ValidInput<S>, Session<User, C>>,
) => ItemSource<Encodable<StreamItem<S>>> | Promise<ItemSource<Encodable<StreamItem<S>>>>

export interface ServerOptions<C extends Contract, User extends AuthenticatedUser> {
  readonly authenticate: Authenticate<User>
  /**
   * Origins of pages that may connect, such as `https://game.example`; case and a default port make no difference. Default:
   * pages of the same host. A connection without Origin is allowed. An entry that is no origin is a TypeError.
   */
  readonly origins?: readonly string[] | ((origin: string) => boolean)
  /**
   * Also lets in pages of `localhost` and other loopback names, on any port, if they call the server by such a name from the
   * same machine: a development server's, such as Vite's. Default false.
   */
  readonly allowLoopbackOrigins?: boolean
  /** Path of the WebSocket, as in a URL. Default `/ws`. Another text than a path is a TypeError. */
  readonly path?: string
  /** Bounds, each with its default. Every one is a number above 0; a heartbeat is 100 ms at least. */
  readonly limits?: Partial<ServerLimits>
  /** Who wins when a user exceeds `limits.sessionsPerUser`. Default `newestWins`: the oldest ends with `replaced`. */
  readonly sessionPolicy?: SessionPolicy
  /**
   * Take addresses from the last entry of X-Forwarded-For, with or without a port: the one that your own proxy wrote.
   * Without a usable entry the proxy's own address counts. Default false.
   */
  readonly trustProxy?: boolean
  /**
   * Serves clients of protocol `2.0`: `profile20(…)` from `@hawser/server/profile20`. Default: they are refused with 400.
   */
  readonly profile20?: DialectFactory<C, User>
  /** Unexpected throws of handlers and hooks, refused bytes, socket errors. Default: `NODE_DEBUG=hawser`. */
  readonly onError?: (error: unknown) => unknown
  /** A refused origin, the first refusal of each other reason, signs of a wrong `trustProxy`, a join without rules. Default: `console.warn`. */
  readonly onWarning?: (warning: ServerWarning) => unknown
  readonly clock?: Clock
  /** Wall-clock milliseconds since 1970. Default `Date.now`. */
  readonly wallClockMs?: () => number
  readonly sessionId?: () => string
  /** 32 secret bytes that sign resume tokens. Default: random, so that tokens die with the process. */
  readonly resumeKey?: Uint8Array
  /**
   * Makes the store that answers claims of sessions and newcomers: `here`, `elsewhere`, a `record`, `ended` or `unknown`. Its
   * answers may take up to `limits.claimTimeoutMs`. Default `memoryStore`: the sessions of this process.
   */
  readonly sessionStore?: SessionStoreFactory<User>
  /** Packing of users into plain data, where sessions are written down. Default: the user itself, which must be plain data. */
  readonly userRecord?: UserPacking<User>
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
  /** What its client has not acknowledged, oldest first: it may or may not have seen it. Decoded when asked for. */
  readonly unacknowledged: () => readonly SentMessage[]
}

/** Somebody presented a resume token that its owner should no longer have: a copied page, or a theft. */
export interface Suspicion<User extends AuthenticatedUser, C extends Contract> {
  /** The session; it ends with `session_stolen`. */
  readonly session: Session<User, C>
  /** Where the token was presented from. */
  readonly address: string
}

export interface Server<C extends Contract, User extends AuthenticatedUser> {
  /** Sets the one handler of a command. @throws TypeError for an unknown name or a second handler. */
  command<K extends CommandName<C>>(name: K, handler: Handler<C["commands"][K], C, User>): void
  query<K extends QueryName<C>>(name: K, handler: Handler<C["queries"][K], C, User>): void
  /**
   * Sets the one handler of a stream: an async generator function, or any that returns something to iterate. The next
   * item is asked for only while its reader wants one. When the reader leaves or the session ends, `signal` aborts and
   * the iterator's `return()` is called. @throws TypeError as `command`.
   */
  stream<K extends StreamName<C>>(name: K, handler: StreamHandler<C["streams"][K], C, User>): void
  /** Any topic, declared or not. `subscribe` throws RangeError for a name that no topic may have. */
  topic(name: string): Topic<User, C>
  /**
   * What clients may do in the topics of a kind, and what is kept of them. Without it they may do nothing there. To be
   * called before clients come. @throws TypeError for a kind that the contract lacks, or a second time; RangeError for
   * a bound of the history that is not above 0.
   */
  topicKind<K extends TopicKind<C>>(kind: K, rules: TopicRules<User, C, K>): void
  /** The contract's replica of this name. @throws TypeError for a name that the contract lacks. */
  replica<K extends ReplicaName<C>>(name: K): Replica<ReplicaRecord<C, K>, Session<User, C>>
  /**
   * Tells every viewer now what changed in replicas. A game with a tick of its own calls it at the tick's end; otherwise
   * it happens by itself, `limits.replicaTickMs` after the first change.
   */
  flush(): void
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
  onSession(hook: (opened: SessionOpened<User, C>) => unknown): () => void
  /** Called exactly once per session, after it has become inert. Returns how to stop. */
  onSessionEnd(hook: (ended: SessionEnded<User, C>) => unknown): () => void
  /** Called when a session's client is away (`attached` is false then) and when it is back. Returns how to stop. */
  onAttachment(hook: (session: Session<User, C>) => unknown): () => void
  onSuspicion(hook: (suspicion: Suspicion<User, C>) => unknown): () => void
  sessions(): readonly Session<User, C>[]
  sessionsOf(userId: string): readonly Session<User, C>[]
  /**
   * Own HTTP server: the WebSocket, and 200 on `/healthz`. Rejects with the system's error (`EADDRINUSE`) when it cannot
   * listen, and may then be called again; with TypeError that names a call without a handler; after `close()` with
   * `server_shutdown`.
   */
  listen(options?: { readonly port?: number; readonly host?: string }): Promise<Listening>
  /** Serves the WebSocket on an HTTP server of the application, which `close()` leaves open. Throws as `listen` rejects. */
  attach(httpServer: HttpServer): void
  /** The transport port: takes in one socket of any kind. */
  readonly accept: Accept
  /** For a way in on another HTTP server than Node's, such as `@hawser/server/bun`. */
  readonly entrances: EntranceHost
  stats(): ServerStats
  /** Ends all sessions of a user, as after a ban or a log-out everywhere; none can be resumed. Returns how many. */
  endSessionsOf(userId: string, code?: string, message?: string): number
  /**
   * Asks every client of `hawser.1` to move to a new connection, a little apart from one another; each dials before it
   * leaves the old one, so nobody notices. Resolves when the old connections are gone. Sessions stay.
   */
  drain(options?: DrainOptions): Promise<void>
  /**
   * Announces the shutdown, lets running requests finish and buffers empty, closes everything, also the HTTP servers of
   * `listen`. Resolves within `limits.shutdownMs`. Later calls return the same promise.
   */
  close(options?: CloseOptions): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
