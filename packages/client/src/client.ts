// The façade: the typed names that applications use, on top of the running client.
import { indexCalls, indexEvents } from "@hawser/protocol/core"
import type {
  CallInput,
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
import type { CallKind } from "@hawser/protocol/core"
import type { CallOptions, PendingRequest } from "./calls/requests.ts"
import { CallStats } from "./calls/call-stats.ts"
import type { CallReading } from "./calls/call-stats.ts"
import type { StreamOptions } from "./calls/streams.ts"
import { dependenciesOf } from "./client-options.ts"
import type { ClientOptions } from "./client-options.ts"
import { connectWithin } from "./connect.ts"
import type { ConnectOptions } from "./connect.ts"
import { createClientCounters, createClientTallies } from "./base/counters.ts"
import type { ClientCounters } from "./base/counters.ts"
import { EventBus } from "./base/event-bus.ts"
import type { ListenOptions, Unsubscribe } from "./base/event-bus.ts"
import { EventDelivery } from "./base/event-delivery.ts"
import type { Delivered, EventMeta } from "./base/event-delivery.ts"
import { RunningClient } from "./session/run-client.ts"
import type { SessionEvent } from "./session/session-event.ts"
import { statusIterator } from "./session/status.ts"
import type { ClientStatus } from "./session/status.ts"
import { Replicas } from "./replicas/replicas.ts"
import type { ReplicaView } from "./replicas/replicas.ts"
import type { TopicRoom } from "./topics/topic-api.ts"
import { Topics } from "./topics/topics.ts"

export type EventListener<T> = (payload: T, meta: EventMeta) => unknown

export interface ClientStats extends Readonly<ClientCounters> {
  /** Requests without a reply, waiting ones included. */
  readonly pending: number
  /** Requests that wait for a session, or for room in it. */
  readonly queued: number
  /** Streams that have not ended; `pending` counts them too. */
  readonly streams: number
  /** Deadlines that wait; 0 on a closed client. */
  readonly timers: number
  /** Reliable messages of this session. */
  readonly sent: number
  readonly received: number
  readonly handled: number
  /** Reliable messages that the server has not acknowledged. */
  readonly bufferedMessages: number
  readonly bufferedBytes: number
  readonly roundTripMs: number | undefined
  /** How long there has been no connection; 0 while there is one. Not part of `outagesMs` until it is over. */
  readonly outageMs: number
  /** Attempts without WELCOME, by why; `dials` minus `welcomes` are those, and the one under way. */
  readonly handshakesFailedByCode: Readonly<Record<string, number>>
  readonly resumesRefusedByCause: Readonly<Record<string, number>>
  readonly sessionsResetByCause: Readonly<Record<string, number>>
  /** Commands and queries by their names. */
  readonly calls: Readonly<Record<string, CallReading>>
}

export interface Client<C extends Contract> {
  /** The status now. */
  readonly current: ClientStatus
  /** Of the session that the client has, with a connection or without. */
  readonly sessionId: string | undefined
  /** What became of the session: opened, resumed, reset, away for long. */
  onSession(listener: (event: SessionEvent) => unknown, options?: ListenOptions): Unsubscribe
  /** Requests without a reply, in the order of their calls. */
  pending(): PendingRequest[]
  /** Yields the current status, then every change. Ends after `closed`; after another `connect()`, call it again. */
  status(): AsyncIterableIterator<ClientStatus>
  onStatus(listener: (status: ClientStatus) => unknown, options?: ListenOptions): Unsubscribe
  /** Calls `listener` for every event of this name, in order. */
  on<K extends EventName<C>>(
    event: K,
    listener: EventListener<ValidPayload<C, K>>,
    options?: ListenOptions,
  ): Unsubscribe
  once<K extends EventName<C>>(
    event: K,
    listener: EventListener<ValidPayload<C, K>>,
    options?: ListenOptions,
  ): Unsubscribe
  /** Rejects once, with a HawserError: the server's, `timeout`, `cancelled`, `connection_lost`, `client_closed`, … */
  command<K extends CommandName<C>>(
    name: K,
    input: CallInput<C["commands"][K]>,
    options?: CallOptions,
  ): Promise<ValidOutput<C["commands"][K]>>
  query<K extends QueryName<C>>(
    name: K,
    input: CallInput<C["queries"][K]>,
    options?: CallOptions,
  ): Promise<ValidOutput<C["queries"][K]>>
  /**
   * Opens a stream at once and reads it item by item, at the reader's own pace: the server is never more than `window`
   * items ahead. Leaving the loop cancels it. Items that arrived are read before the stream's end or error: the
   * server's, `cancelled`, `connection_lost` (the session ended), `client_closed`, `invalid_reply`, …
   * @throws RangeError for a window that is no whole number from 1 to 1,024.
   */
  stream<K extends StreamName<C>>(
    name: K,
    input: CallInput<C["streams"][K]>,
    options?: StreamOptions,
  ): AsyncIterableIterator<ValidItem<C["streams"][K]>, undefined>
  /**
   * The copy of a replica: what the server shows this session of it, at any time.
   * @throws TypeError for a name that the contract lacks.
   */
  replica<K extends ReplicaName<C>>(name: K): ReplicaView<ReplicaRecord<C, K>>
  /**
   * A topic of a kind that the contract declares. The same name gives the same room.
   * @throws TypeError for another name.
   */
  topic<N extends TopicName<C>>(name: N): TopicRoom<C, KindOfTopic<C, N>>
  /**
   * Dials now, also while the client waits between two attempts, whatever its dial budget; an attempt under way goes on
   * unless it has taken longer than its limit without failures (`dialTimeoutMs`). Resolves when a session is open with
   * the token source that it was called with; rejects when the client gives up or is closed, and with `cancelled` or
   * `connection_timeout` by its options. Works again after each of these.
   */
  connect(options?: ConnectOptions): Promise<void>
  /** Measures the round trip in milliseconds. */
  ping(): Promise<number>
  /** Doubts the connection now, as after a sleep: probes it, or dials instead of waiting if the dial budget allows it. */
  wake(): void
  /** Cuts the connection as a broken network would. For tests and for showing what happens then. */
  cut(): void
  /** Ends the session and every attempt; pending requests reject with `client_closed`. Never dials again by itself. */
  close(): void
  stats(): ClientStats
}

/**
 * Creates a client. Unless `autoConnect` is false it connects when the current task is done.
 * @throws TypeError for an address that can never work, and, unless `autoConnect` is false, without a WebSocket.
 * @throws RangeError that names a limit which cannot be kept.
 */
export function createClient<C extends Contract>(contract: C, options: ClientOptions): Client<C>
export function createClient(contract: Contract, options: ClientOptions): Client<Contract> {
  const dependencies = dependenciesOf(options)
  const { profile, clock, limits, strategy, onError } = dependencies
  const calls = indexCalls(contract)
  const events = indexEvents(contract)
  const bus = new EventBus<Record<string, Delivered>>({ onError })
  const sessionBus = new EventBus<{ session: SessionEvent }>({ onError })
  const counters = createClientCounters()
  const tallies = createClientTallies()
  const callStats = new CallStats(clock)
  const statusBus = new EventBus<{ status: ClientStatus }>({ onError })
  const delivery = new EventDelivery({
    events,
    bus,
    onTopicEvent: (event, delivered) => topics.onDelivered(event, delivered),
    onError,
  })
  const replicas = new Replicas({ replicas: contract.replicas, clock, onError })
  const topics = new Topics({
    topics: contract.topics,
    isServed: profile !== "2.0",
    callStats,
    requests: () => running.requests,
    requestTimeoutMs: limits.requestTimeoutMs,
    timers: () => running.timers,
    isOnline: () => running.status.state === "open",
    isClosed: () => running.status.state === "closed",
    inOrder: (work) => delivery.run(work),
    onError,
  })
  const running: RunningClient = new RunningClient(
    {
      ...dependencies,
      counters,
      tallies,
      replicas,
      onSession(event) {
        topics.onSession(event)
        delivery.run(() => sessionBus.emit("session", event))
      },
      onFresh: () => topics.onFresh(),
      reconnect: { ...limits, strategy },
      onStatus(status) {
        if (status.state === "closed") topics.onClosed()
        statusBus.emit("status", status)
      },
      onFrame(frame) {
        if (!topics.receive(frame)) delivery.deliver(frame)
      },
    },
    options.token,
  )

  function call(
    kind: CallKind,
    name: string,
    request: { input: unknown; options: CallOptions | undefined },
  ): Promise<unknown> {
    const entry = calls.get(name)
    if (entry === undefined || entry.call === "stream" || entry.call !== kind) {
      return Promise.reject(new TypeError(`the contract "${contract.name}" has no ${kind} "${name}"`))
    }
    const { input, options: callOptions = {} } = request
    const watch = callStats.watch(name)
    return running.requests.call({ call: kind, name, spec: entry.spec, input, options: callOptions, watch })
  }

  function assertEvent(event: string): void {
    if (!events.has(event)) throw new TypeError(`the contract "${contract.name}" has no event "${event}"`)
  }

  if (options.autoConnect !== false) running.connectSoon()

  return {
    get current() {
      return running.status
    },
    get sessionId() {
      return running.sessionId
    },
    onSession: (listener, listenOptions) => sessionBus.on("session", listener, listenOptions),
    pending: () => running.requests.pending(),
    status: () => statusIterator(running.status, (listener) => statusBus.on("status", listener)),
    onStatus: (listener, listenOptions) => statusBus.on("status", listener, listenOptions),
    on(event, listener, listenOptions) {
      assertEvent(event)
      return bus.on(event, ({ payload, meta }) => listener(payload, meta), listenOptions)
    },
    once(event, listener, listenOptions) {
      assertEvent(event)
      return bus.once(event, ({ payload, meta }) => listener(payload, meta), listenOptions)
    },
    command: (name, input, callOptions) => call("command", name, { input, options: callOptions }),
    query: (name, input, callOptions) => call("query", name, { input, options: callOptions }),
    stream(name, input, streamOptions = {}) {
      const entry = calls.get(name)
      if (entry?.call !== "stream")
        throw new TypeError(`the contract "${contract.name}" has no stream "${name}"`)
      return running.streams.open({ name, spec: entry.spec, input, options: streamOptions })
    },
    replica(name) {
      const view = replicas.get(name)
      if (view === undefined) throw new TypeError(`the contract "${contract.name}" has no replica "${name}"`)
      return view
    },
    topic(name) {
      const room = topics.room(name)
      if (room === undefined) throw new TypeError(`the contract "${contract.name}" has no topic "${name}"`)
      return room
    },
    connect: (connectOptions) => connectWithin(running, connectOptions),
    ping: () => running.heartbeat.ping(),
    wake: () => running.wake(),
    cut: () => running.cut(),
    close: () => running.close(),
    stats: () => ({
      ...counters,
      pending: running.requests.pendingCount,
      queued: running.requests.queuedCount,
      streams: running.streams.openCount,
      timers: running.timers.size,
      ...running.counts,
      roundTripMs: running.heartbeat.roundTripMs,
      outageMs: running.outageMs,
      handshakesFailedByCode: tallies.handshakesFailed.read(),
      resumesRefusedByCause: tallies.resumesRefused.read(),
      sessionsResetByCause: tallies.sessionsReset.read(),
      calls: callStats.read(),
    }),
  }
}
