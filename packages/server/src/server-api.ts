// Public types of a server: options, methods, arguments of hooks.
import type {
  CallOutput,
  CallSpec,
  CommandName,
  Contract,
  Encoded,
  EventName,
  KindOfTopic,
  QueryName,
  ReplicaName,
  ReplicaRecord,
  Schema,
  SentPayload,
  StreamItem,
  StreamName,
  StreamSpec,
  TopicKind,
  TopicName,
  ValidInput,
  ValidItem,
  ValidOutput,
  ValidPayload,
} from "@hawser/protocol"
import type { Accept } from "@hawser/protocol/core"
import type { Server as HttpServer } from "node:http"
import type { AuthenticatedUser } from "./base/authenticate.ts"
import type { BaseOptions } from "./base/create-base.ts"
import type { HandlerContext, StreamContext } from "./calls/call-router.ts"
import type { HandlerOptions } from "./calls/handler-table.ts"
import type { Middleware } from "./calls/middleware.ts"
import type { Migrations } from "./journal/restore-replicas.ts"
import type { JournalOption, Recovery } from "./journal/server-journal.ts"
import type { ItemSource } from "./calls/job.ts"
import type { SessionOptions } from "./session/create-sessions.ts"
import type { SessionEnded, SessionOpened, Suspicion } from "./session/session-hooks.ts"
import type { DialectFactory } from "./session/conversation/dialect.ts"
import type { DrainOptions } from "./session/life/drain.ts"
import type { CloseOptions } from "./session/life/shut-down.ts"
import type { Replica } from "./replicas/replica.ts"
import type { TopicRules } from "./topics/topic-kinds.ts"
import type { Session } from "./base/session.ts"
import type { EntranceHost } from "./transport/entrances.ts"
import type { LocalTopic, PublishOptions, Topic } from "./topics/topic.ts"
import type { ServerStats } from "./metrics/server-stats.ts"
import type { ListenOptions, Listening } from "./transport/listening.ts"

/**
 * Handler of a command or query. Returns the output, or a promise of it. The server discards the result of a call that has no
 * output.
 */
export type Handler<S extends CallSpec, C extends Contract, User extends AuthenticatedUser> = (
  context: HandlerContext<ValidInput<S>, Session<User, C>>,
) => HandlerResult<S>

/** Result of a handler: its output before validation, or one that `encodeOnce` has validated. */
type HandlerResult<S extends CallSpec> = S extends { readonly output: Schema }
  ? Result<CallOutput<S> | Encoded<ValidOutput<S>>>
  : unknown
type Result<T> = T | Promise<T>

/** Handler of a stream. Returns the source of its items, or a promise of it. */
export type StreamHandler<S extends StreamSpec, C extends Contract, User extends AuthenticatedUser> = (
  context: StreamContext<ValidInput<S>, Session<User, C>>,
) => Result<ItemSource<StreamItem<S> | Encoded<ValidItem<S>>>>

/** Options of `createServer`. */
export interface ServerOptions<
  C extends Contract,
  User extends AuthenticatedUser,
  Trust extends boolean = false,
>
  extends BaseOptions, SessionOptions<User> {
  /**
   * Keeps sessions beyond this process, such as `fileJournal(folder)` of `@hawser/server/journal`: the next process continues them.
   * Default: none, sessions end with the process.
   */
  readonly journal?: JournalOption
  /**
   * Conversions of durable replicas whose fields have changed since the journal was written, by the name of the replica; `kind.name`
   * for one of a topic. Without one, `listen` rejects and names the replica. A record for which the function returns undefined is
   * dropped; `"drop"` drops all. Remove the entry when every process that wrote the old fields has ended: later starts do not call it.
   */
  readonly migrate?: Migrations
  /**
   * Allowed origins of pages, such as `https://game.example`, or a function that decides. Case and default port are ignored.
   * Default: pages of the same host. A connection without Origin is always allowed. Other origins get HTTP 403. An invalid
   * entry is a TypeError.
   */
  readonly origins?: readonly string[] | ((origin: string) => boolean)
  /**
   * Also allows pages of loopback names such as `localhost`, on any port, if they call the server by a loopback name from the
   * same machine. For development servers such as Vite. Default false.
   */
  readonly allowLoopbackOrigins?: boolean
  /** Path of the WebSocket, as in a URL, without query. Default `/ws`. An invalid path is a TypeError. */
  readonly path?: string
  /**
   * True if a proxy of your own sets X-Forwarded-For: addresses are then read from its last entry, with or without a port.
   * Without a valid entry the proxy's address counts. Default false.
   */
  readonly trustProxy?: boolean
  /**
   * Support of protocol `2.0`: `profile20(…)` from `@hawser/server/profile20`. Default: its clients are refused with HTTP 400.
   */
  readonly profile20?: DialectFactory<C, User>
  /**
   * True: the server sends results, items and payloads of the application without validation. Their types are then the outputs
   * of their schemas, and members that a schema would remove are sent. Inputs, and publications of clients, are validated all the
   * same. Default false; `trustOutput` of a call, stream or event does it for that one.
   */
  readonly trustOutput?: Trust
}

/** Refuses functions that return promises. */
type Synchronous<T> = [T] extends [never]
  ? unknown
  : T extends PromiseLike<unknown>
    ? "atomic() takes a function that returns no promise"
    : unknown

/** Argument of `server.endSessions`. */
export interface EndSessionsOptions {
  /** Id of the user. */
  readonly user: string
  /** Cause of the end, a code of the error table or of the application. Default `forbidden`. */
  readonly code?: string
  /** Text for the user; 123 bytes of it fit into the close frame. Default: the sentence of the code. */
  readonly message?: string
}

/** The part of a server that one process knows. Nothing here waits or asks another process. */
export interface LocalServer<User extends AuthenticatedUser, C extends Contract> {
  /** Returns the open sessions of this process, attached or detached: all, or those of one user, oldest first. */
  sessions(userId?: string): readonly Session<User, C>[]
  /** Returns the state of a topic in this process. @throws TypeError like `server.topic`. */
  topic(name: TopicName<C>): LocalTopic
}

/** Server of a contract. */
export interface Server<C extends Contract, User extends AuthenticatedUser> {
  /**
   * Adds a function around the handlers of all commands, queries and streams, and around all publications and joins of clients.
   * It runs after validation and rate limits; a repetition whose outcome is remembered does not reach it. The first one added is
   * the outermost. @throws TypeError after `listen`, `attach` or the first connection.
   */
  use(middleware: Middleware<Session<User, C>>): void
  /**
   * Sets the handler of a command. @throws TypeError for a command that the contract lacks, for a second handler, and for an
   * invalid option.
   */
  command<K extends CommandName<C>>(name: K, handler: Handler<C["commands"][K], C, User>): void
  /** Sets the options and the handler of a command. @throws TypeError likewise. */
  command<K extends CommandName<C>>(
    name: K,
    options: HandlerOptions<Session<User, C>, ValidInput<C["commands"][K]>>,
    handler: Handler<C["commands"][K], C, User>,
  ): void
  /** Sets the handler of a query. @throws TypeError like `command`. */
  query<K extends QueryName<C>>(name: K, handler: Handler<C["queries"][K], C, User>): void
  /** Sets the options and the handler of a query. @throws TypeError like `command`. */
  query<K extends QueryName<C>>(
    name: K,
    options: HandlerOptions<Session<User, C>, ValidInput<C["queries"][K]>>,
    handler: Handler<C["queries"][K], C, User>,
  ): void
  /**
   * Sets the handler of a stream, for example an async generator function. The server pulls an item only while the reader has
   * credit. When the reader cancels or the session ends, `signal` aborts and the iterator's `return()` is called.
   * @throws TypeError like `command`.
   */
  stream<K extends StreamName<C>>(name: K, handler: StreamHandler<C["streams"][K], C, User>): void
  /** Sets the options and the handler of a stream. @throws TypeError like `command`. */
  stream<K extends StreamName<C>>(
    name: K,
    options: HandlerOptions<Session<User, C>, ValidInput<C["streams"][K]>>,
    handler: StreamHandler<C["streams"][K], C, User>,
  ): void
  /**
   * Returns the topic of a name: a kind of the contract, alone or followed by `:` and more, such as `chat:docks`.
   * @throws TypeError for a kind that the contract lacks, and for a name that is not allowed.
   */
  topic<N extends TopicName<C>>(name: N): Topic<User, C, KindOfTopic<C, N>>
  /**
   * Sets permissions and history of the topics of a kind. Default: clients may neither join nor publish. Call it before the
   * first connection.
   * @throws TypeError for a kind that the contract lacks, a second call, and an unknown rule or one of the wrong type.
   * @throws RangeError for a history limit that is not above 0.
   */
  topicKind<K extends TopicKind<C>>(kind: K, rules: TopicRules<User, C, K>): void
  /**
   * Returns the replica of a name; the same name gives the same object. Its records and views are those of this process.
   * @throws TypeError for a name that the contract lacks.
   */
  replica<K extends ReplicaName<C>>(name: K): Replica<ReplicaRecord<C, K>, Session<User, C>>
  /**
   * Runs a function whose changes of records, publications and sends happen together: they leave when it returns. If it throws,
   * every change is undone, nothing leaves, and the error is thrown. Returns the function's result. One inside another undoes its
   * own part. See docs/state.md for the calls that wait for the end, and the ones that stay.
   * @throws TypeError for a function that returns a promise: it is undone.
   */
  atomic<T>(fn: (() => T) & Synchronous<T>): T
  /**
   * Sends the changes of all replicas to their viewers now; at the end of an `atomic` function, inside one. For applications with a
   * tick of their own. Otherwise the server does it `limits.replicaTickMs` after the first change.
   */
  flush(): void
  /**
   * Sends an event to all sessions. Later faults go to `onError`.
   * @throws TypeError for an event that the contract lacks, and for `except` of another server. HawserError `invalid_input` with the
   * issues of a payload that does not fit its schema, or `message_too_large`. No session gets the event then.
   */
  broadcast<K extends EventName<C>>(
    event: K,
    payload: SentPayload<C, K> | Encoded<ValidPayload<C, K>>,
    options?: PublishOptions<User, C>,
  ): void
  /**
   * Sends an event to these sessions, encoded once per profile. Sessions that have ended are skipped. Throws like `broadcast`, and
   * a TypeError for a session of another server.
   */
  multicast<K extends EventName<C>>(
    sessions: Iterable<Session<User, C>>,
    event: K,
    payload: SentPayload<C, K> | Encoded<ValidPayload<C, K>>,
  ): void
  /** Adds a hook that runs after WELCOME was sent. Messages of the hook follow WELCOME. Returns the unsubscribe function. */
  onSession(hook: (opened: SessionOpened<User, C>) => unknown): () => void
  /**
   * Adds a hook that runs for each session that the option `journal` continues, in `recover()` and so before the port opens. The
   * session is detached. Here the application puts back what it had given the session: its own state, subscriptions to topics, views
   * of replicas. The library has restored memberships, with their presence and the replicas of their topics. `onSession` does not run
   * again. A promise is awaited, for 10 s at most for all sessions together. A throw and a rejection go to `onError`; the session
   * continues. Returns the unsubscribe function.
   */
  onSessionRestored(hook: (session: Session<User, C>) => unknown): () => void
  /** Adds a hook that runs once for each session, after its end. Returns the unsubscribe function. */
  onSessionEnd(hook: (ended: SessionEnded<User, C>) => unknown): () => void
  /**
   * Adds a hook that runs when a session is detached and when it is resumed; read `attached`. Returns the unsubscribe function.
   */
  onAttachment(hook: (session: Session<User, C>) => unknown): () => void
  /** Adds a hook that runs before a session ends with `session_stolen`. Returns the unsubscribe function. */
  onSuspicion(hook: (suspicion: Suspicion<User, C>) => unknown): () => void
  /** Sessions and topics of this process, without those of other processes. */
  readonly local: LocalServer<User, C>
  /**
   * Restores the sessions of earlier processes from the option `journal`. `listen` and `serveWithBun` call it; `attach`,
   * `mountOnBun` and `accept` need it first.
   * Later calls have no effect. Rejects if the journal is in use, is damaged, or has a newer format.
   */
  recover(): Promise<void>
  /**
   * Resolves when the journal has kept everything that happened before the call: before a write to a database, an answer over HTTP,
   * a call of another service. Without a journal it resolves at once.
   */
  committed(): Promise<void>
  /** Result of `recover`; undefined before it, and without a journal. */
  readonly recovery: Recovery | undefined
  /**
   * Opens an HTTP server with the WebSocket, and 200 on `/healthz`. Rejects with the system's error (`EADDRINUSE`), after which
   * it may be called again; with a TypeError for a call without a handler and for an unknown option; after `close()` with
   * `server_shutdown`.
   */
  listen(options?: ListenOptions): Promise<Listening>
  /**
   * Serves the WebSocket on an HTTP server of the application. `close()` leaves that server open. Throws `server_shutdown` after
   * `close()`, and a TypeError for a call without a handler, a second call, an argument that is no HTTP server, and a journal before
   * `recover()`.
   */
  attach(httpServer: HttpServer): void
  /** Accepts one socket of any transport. Throws a TypeError with a journal before `recover()`. */
  readonly accept: Accept
  /** Services for other HTTP servers than Node's, such as `@hawser/server/bun`. */
  readonly entrances: EntranceHost
  /** Returns counters and sizes. Walks over all sessions. */
  stats(): ServerStats
  /**
   * Ends all sessions of a user, as `session.end` does. Resolves when they have ended. A log-in that `authenticate` still verifies
   * is not ended: revoke the user's tokens first. @throws TypeError for an unknown option, and for a user or code that is no text.
   */
  endSessions(which: EndSessionsOptions): Promise<void>
  /**
   * Asks each client of `hawser.1` to move to a new connection, spread over time. A client dials before it leaves the old
   * connection, so no message is delayed. Resolves when the old connections have closed. Sessions continue. Rejects with
   * TypeError for an unknown option, RangeError for a number that is not a time.
   */
  drain(options?: DrainOptions): Promise<void>
  /**
   * Announces the shutdown, waits for running requests and for socket buffers, ends all sessions with `server_shutdown`, and
   * closes all connections and the HTTP servers of `listen`. Connections close within `limits.shutdownMs`. Later calls return the
   * same promise. @throws TypeError for an unknown option, RangeError for a number that is not a time.
   */
  close(options?: CloseOptions): Promise<void>
  /** Calls `close()`. */
  [Symbol.asyncDispose](): Promise<void>
}
