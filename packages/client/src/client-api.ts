// Public types of a client: its methods, and the numbers of `stats()`.
import type {
  CallArguments,
  CommandName,
  Contract,
  EventName,
  KindOfTopic,
  QueryName,
  ReplicaName,
  ReplicaRecord,
  StreamName,
  TopicName,
  ValidItem,
  ValidOutput,
  ValidPayload,
} from "@hawser/protocol"
import type { ClientCounters } from "./base/counters.ts"
import type { ListenOptions, Unsubscribe } from "./base/event-bus.ts"
import type { Store } from "./base/store.ts"
import type { EventMeta } from "./base/event-delivery.ts"
import type { CallReading } from "./calls/call-stats.ts"
import type { PendingRequest } from "./calls/pending-request.ts"
import type { CallOptions } from "./calls/requests.ts"
import type { StreamOptions } from "./calls/streams.ts"
import type { ConnectOptions } from "./connect.ts"
import type { ReplicaCopy } from "./replicas/replica-api.ts"
import type { SessionCounts } from "./session/client-session.ts"
import type { SessionEvent } from "./session/session-event.ts"
import type { ClientStatus } from "./session/status.ts"
import type { ClientTopic, TopicReplicas } from "./topics/topic-api.ts"

/** Listener of an event: its payload, which the server has validated, and its origin. Errors and rejections go to `onError`. */
export type EventListener<T> = (payload: T, meta: EventMeta) => unknown

/** Numbers of a client. Counters begin at 0 with `createClient`, never decrease, and are not bounded. */
export interface ClientStats extends Readonly<ClientCounters>, SessionCounts {
  /** Requests without a reply, waiting ones and streams included. */
  readonly pending: number
  /** Requests that wait for a session, or for space in its send buffer; at most `limits.sendQueueMaxCount`. */
  readonly queued: number
  /** Streams that have not ended. */
  readonly streams: number
  /** Scheduled deadlines; 0 on a closed client. */
  readonly timers: number
  /** Last measured round trip, in milliseconds; undefined before the first. */
  readonly roundTripMs: number | undefined
  /** Milliseconds since the connection was lost; 0 while connected. `outagesMs` includes it after the outage. */
  readonly outageMs: number
  /** Attempts without WELCOME, by error code. `dials` minus `welcomes` also includes the attempt under way. */
  readonly handshakesFailedByCode: Readonly<Record<string, number>>
  /** Resumes that the server or the client refused, by error code. */
  readonly resumesRefusedByCause: Readonly<Record<string, number>>
  /** Ended sessions, by error code; those ended by `close()` excluded. */
  readonly sessionsResetByCause: Readonly<Record<string, number>>
  /** Commands and queries, by name. */
  readonly calls: Readonly<Record<string, CallReading>>
}

/** The session as a user interface shows it. */
export interface SessionView {
  /** Id of the current session, attached or detached; undefined without a session. */
  readonly id: string | undefined
  /** Last event of a session; undefined before the first. */
  readonly last: SessionEvent | undefined
}

/** Stores of a client: the same values as its methods and events, for frameworks. Each costs nothing until it is read. */
export interface ClientStores {
  /** Current status. */
  readonly status: Store<ClientStatus>
  /** Current session, and its last event. It changes in the order of all events. */
  readonly session: Store<SessionView>
  /** Requests without a reply, in the order of their calls. */
  readonly pending: Store<readonly PendingRequest[]>
  /** The client's numbers. A snapshot is replaced at each change of the status, and when it is 1 second old. */
  readonly stats: Store<ClientStats>
}

/** A typed client of a contract, without features: commands, queries, events, the connection and its session. */
export interface CoreClient<C extends Contract> {
  /** Current status. */
  readonly current: ClientStatus
  /** Id of the current session, attached or detached; undefined without a session. */
  readonly sessionId: string | undefined
  /** Calls `listener` with each session event: opened, resumed, reset, prolonged outage. Returns the unsubscribe function. */
  onSession(listener: (event: SessionEvent) => unknown, options?: ListenOptions): Unsubscribe
  /** Returns the requests without a reply, in the order of their calls. */
  pending(): PendingRequest[]
  /**
   * Yields the current status, then each change. Ends after `closed`; after another `connect()`, call it again. A reader
   * more than 64 changes behind loses the oldest of them.
   */
  status(): AsyncIterableIterator<ClientStatus>
  /** Calls `listener` with each new status. Returns the unsubscribe function. */
  onStatus(listener: (status: ClientStatus) => unknown, options?: ListenOptions): Unsubscribe
  /**
   * Calls `listener` for each event of this name, in order. Returns the unsubscribe function.
   * @throws TypeError for an event that the contract lacks.
   */
  on<K extends EventName<C>>(
    event: K,
    listener: EventListener<ValidPayload<C, K>>,
    options?: ListenOptions,
  ): Unsubscribe
  /**
   * Calls `listener` for the next event of this name only. Returns the unsubscribe function.
   * @throws TypeError for an event that the contract lacks.
   */
  once<K extends EventName<C>>(
    event: K,
    listener: EventListener<ValidPayload<C, K>>,
    options?: ListenOptions,
  ): Unsubscribe
  /**
   * Sends a command. Resolves with its output, which the server has validated; with undefined for a command without output. The
   * input may be left out if the command has none, or if its type includes undefined. Rejects with a HawserError: the server's
   * error, `timeout`, `cancelled`, `connection_lost`, `client_closed`, `buffer_full`, `invalid_reply` and others
   * (docs/errors.md).
   */
  command<K extends CommandName<C>>(
    name: K,
    ...args: CallArguments<C["commands"][K], CallOptions>
  ): Promise<ValidOutput<C["commands"][K]>>
  /** Sends a query. Resolves and rejects like `command`. */
  query<K extends QueryName<C>>(
    name: K,
    ...args: CallArguments<C["queries"][K], CallOptions>
  ): Promise<ValidOutput<C["queries"][K]>>
  /**
   * Dials at once, also during a delay between attempts, outside of the dial budget. An attempt under way continues, unless
   * it has exceeded the limit that applies without failures (`limits.dialTimeoutMs`). Resolves when a session is open with
   * the token source of this call. Rejects when the client closes, and with `cancelled` or `connection_timeout` by its
   * options. It can be called again after each outcome.
   */
  connect(options?: ConnectOptions): Promise<void>
  /** Measures the round trip, in milliseconds. Rejects with `not_connected`, `connection_lost` or `client_closed`. */
  ping(): Promise<number>
  /** Probes the connection as after a sleep. A client that waits for its next attempt dials, if the dial budget allows it. */
  wake(): void
  /** Cuts the connection like a broken network; the client reconnects. For tests and demonstrations. */
  cut(): void
  /** Ends the session and all attempts. Pending requests reject with `client_closed`. Only `connect()` dials again. */
  close(): void
  /** Returns the client's numbers. */
  stats(): ClientStats
  /** Status, session, pending requests and numbers as stores, for frameworks. */
  readonly stores: ClientStores
}

/** Method of the feature `streams`. */
export interface StreamMethods<C extends Contract> {
  /**
   * Opens a stream at once and iterates its items. The server sends at most `window` items ahead of the reader. Leaving the
   * loop cancels the stream. The reader gets all received items before the stream's end or error: the server's error,
   * `cancelled`, `connection_lost` (the session ended), `client_closed`, `invalid_reply` and others.
   * @throws RangeError for a window that is no whole number from 1 to 1,024.
   * @throws TypeError for a stream that the contract lacks.
   */
  stream<K extends StreamName<C>>(
    name: K,
    ...args: CallArguments<C["streams"][K], StreamOptions>
  ): AsyncIterableIterator<ValidItem<C["streams"][K]>, undefined>
}

/** Method of the feature `replicas`. */
export interface ReplicaMethods<C extends Contract> {
  /**
   * Returns the copy of a replica: the records that the server shows to this session. The same name gives the same copy.
   * @throws TypeError for a name that the contract lacks.
   */
  replica<K extends ReplicaName<C>>(name: K): ReplicaCopy<ReplicaRecord<C, K>>
}

/** Method of the feature `topics`. */
export interface TopicMethods<C extends Contract> {
  /**
   * Returns a topic of a kind that the contract declares. The same name gives the same object while it is in use.
   * @throws TypeError for an invalid name, and for a kind that the contract lacks.
   */
  topic<N extends TopicName<C>>(name: N): ClientTopic<C, KindOfTopic<C, N>>
}

/** Method of the feature `topics` beside the feature `replicas`. */
export interface TopicReplicaMethods<C extends Contract> {
  /** Returns a topic like `TopicMethods.topic`, with the replicas of its kind. @throws TypeError likewise. */
  topic<N extends TopicName<C>>(
    name: N,
  ): ClientTopic<C, KindOfTopic<C, N>> & TopicReplicas<C, KindOfTopic<C, N>>
}

/** Name of a feature. */
export type FeatureName = "topics" | "replicas" | "streams" | "firefoxDials"

/** A feature of a client, from `topics()`, `replicas()`, `streams()` or `firefoxDials()`. It holds no state, so several clients may share it. */
export interface Feature<Name extends FeatureName = FeatureName> {
  /** Name of the feature. */
  readonly name: Name
}

/** A client with the features of these names. */
export type ClientWith<C extends Contract, F extends FeatureName> = CoreClient<C> &
  ("topics" extends F ? ("replicas" extends F ? TopicReplicaMethods<C> : TopicMethods<C>) : unknown) &
  ("replicas" extends F ? ReplicaMethods<C> : unknown) &
  ("streams" extends F ? StreamMethods<C> : unknown)

/** A typed client of a contract, with every feature. */
export interface Client<C extends Contract>
  extends CoreClient<C>, StreamMethods<C>, ReplicaMethods<C>, TopicReplicaMethods<C> {}
