// Puts a client together: one constructor function for each layer, then the typed methods on top of them.
import { indexCalls, indexEvents } from "@hawser/protocol/core"
import type { Clock, Contract, EventSpec } from "@hawser/protocol"
import type { CallKind, Frame } from "@hawser/protocol/core"
import { createClientCounters, createClientTallies } from "./base/counters.ts"
import type { ClientCounters, ClientTallies } from "./base/counters.ts"
import { EventBus } from "./base/event-bus.ts"
import { EventDelivery } from "./base/event-delivery.ts"
import type { Delivered } from "./base/event-delivery.ts"
import { CallStats } from "./calls/call-stats.ts"
import type { CallOptions } from "./calls/requests.ts"
import type { StreamOptions } from "./calls/streams.ts"
import type { Client, ClientStats } from "./client-api.ts"
import { dependenciesOf } from "./client-options.ts"
import type { ClientOptions, Dependencies } from "./client-options.ts"
import { connectWithin } from "./connect.ts"
import { Replicas } from "./replicas/replicas.ts"
import { RunningClient } from "./session/run-client.ts"
import type { SessionEvent } from "./session/session-event.ts"
import { statusIterator } from "./session/status.ts"
import type { ClientStatus } from "./session/status.ts"
import type { TokenSource } from "./session/tokens.ts"
import { Topics } from "./topics/topics.ts"

/**
 * Creates a client. It connects at the end of the current task, unless `autoConnect` is false.
 * @throws TypeError for an address that no WebSocket can use, and for a runtime without a WebSocket unless `autoConnect` is
 * false.
 * @throws RangeError that names a limit which is unknown or out of range.
 */
export function createClient<C extends Contract>(contract: C, options: ClientOptions): Client<C>
export function createClient(contract: Contract, options: ClientOptions): Client<Contract> {
  const dependencies = dependenciesOf(options)
  const { clock, onError } = dependencies
  const events = indexEvents(contract)
  const buses = createBuses(onError)
  const numbers = createNumbers(clock)
  const replicas = new Replicas({ replicas: contract.replicas, clock, onError })
  const delivery = createDelivery({ dependencies, events, buses, topics: () => topics })
  const topics = createTopics({ contract, dependencies, numbers, delivery, running: () => running })
  const { token } = options
  const running = createRunning({ dependencies, token, buses, numbers, replicas, delivery, topics })
  if (options.autoConnect !== false) running.connectSoon()
  return createMethods({ contract, events, buses, numbers, replicas, topics, running })
}

// --- layers -----------------------------------------------------------------------------------------------------

interface Buses {
  readonly events: EventBus<Record<string, Delivered>>
  readonly session: EventBus<{ session: SessionEvent }>
  readonly status: EventBus<{ status: ClientStatus }>
}

function createBuses(onError: (error: unknown) => void): Buses {
  return {
    events: new EventBus({ onError }),
    session: new EventBus({ onError }),
    status: new EventBus({ onError }),
  }
}

interface Numbers {
  readonly counters: ClientCounters
  readonly tallies: ClientTallies
  readonly callStats: CallStats
}

function createNumbers(clock: Clock): Numbers {
  return {
    counters: createClientCounters(),
    tallies: createClientTallies(),
    callStats: new CallStats(clock),
  }
}

function createDelivery(parts: {
  readonly dependencies: Dependencies
  readonly events: ReadonlyMap<string, EventSpec>
  readonly buses: Buses
  readonly topics: () => Topics
}): EventDelivery {
  const { buses, dependencies, events, topics } = parts
  return new EventDelivery({
    events,
    optionalEvents: dependencies.dialect.optionalEvents,
    bus: buses.events,
    onTopicEvent: (event, delivered) => topics().onDelivered(event, delivered),
    onError: dependencies.onError,
  })
}

function createTopics(parts: {
  readonly contract: Contract
  readonly dependencies: Dependencies
  readonly numbers: Numbers
  readonly delivery: EventDelivery
  readonly running: () => RunningClient
}): Topics {
  const { contract, delivery, dependencies, numbers, running } = parts
  const { dialect, limits, onError } = dependencies
  return new Topics({
    topics: contract.topics,
    refusal: dialect.topicsRefusal,
    callStats: numbers.callStats,
    requests: () => running().requests,
    requestTimeoutMs: limits.requestTimeoutMs,
    timers: () => running().timers,
    isOnline: () => running().status.state === "open",
    isClosed: () => running().status.state === "closed",
    inOrder: (work) => delivery.run(work),
    onError,
  })
}

function createRunning(parts: {
  readonly dependencies: Dependencies
  readonly token: TokenSource
  readonly buses: Buses
  readonly numbers: Numbers
  readonly replicas: Replicas
  readonly delivery: EventDelivery
  readonly topics: Topics
}): RunningClient {
  const { buses, delivery, dependencies, numbers, replicas, token, topics } = parts
  const { clock, dial, dialect, leaveSource, limits, onError, random, strategy, url } = dependencies
  const { dialBurst, dialTimeoutMaxMs, dialsPerMinute, retryAfterMaxMs, stableAfterMs } = limits
  const options = {
    url,
    dialect,
    dial,
    clock,
    random,
    wallClockMs: dependencies.wallClockMs,
    limits,
    counters: numbers.counters,
    tallies: numbers.tallies,
    reconnect: { strategy, dialBurst, dialTimeoutMaxMs, dialsPerMinute, retryAfterMaxMs, stableAfterMs },
    wakeSource: dependencies.wakeSource,
    leaveSource,
    replicas,
    onStatus: (status: ClientStatus) => {
      if (status.state === "closed") topics.onClosed()
      buses.status.emit("status", status)
    },
    onSession: (event: SessionEvent) => {
      topics.onSession(event)
      delivery.run(() => buses.session.emit("session", event))
    },
    onFrame: (frame: Frame) => {
      if (!topics.receive(frame)) delivery.deliver(frame)
    },
    onFresh: () => topics.onFresh(),
    onError,
  }
  return new RunningClient(options, token)
}

// --- methods ----------------------------------------------------------------------------------------------------

interface MethodParts {
  readonly contract: Contract
  readonly events: ReadonlyMap<string, EventSpec>
  readonly buses: Buses
  readonly numbers: Numbers
  readonly replicas: Replicas
  readonly topics: Topics
  readonly running: RunningClient
}

function createMethods(parts: MethodParts): Client<Contract> {
  const { buses, contract, events, numbers, replicas, running, topics } = parts
  const calls = createCalls(contract, numbers.callStats, running)
  const assertEvent = (event: string): void => {
    if (!events.has(event)) throw lacking(contract, `event "${event}"`)
  }
  return {
    get current() {
      return running.status
    },
    get sessionId() {
      return running.sessionId
    },
    onSession: (listener, options) => buses.session.on("session", listener, options),
    pending: () => running.requests.pending(),
    status: () => statusIterator(running.status, (listener) => buses.status.on("status", listener)),
    onStatus: (listener, options) => buses.status.on("status", listener, options),
    on(event, listener, options) {
      assertEvent(event)
      return buses.events.on(event, ({ payload, meta }) => listener(payload, meta), options)
    },
    once(event, listener, options) {
      assertEvent(event)
      return buses.events.once(event, ({ payload, meta }) => listener(payload, meta), options)
    },
    command: (name, input, options) => calls.call("command", name, { input, options }),
    query: (name, input, options) => calls.call("query", name, { input, options }),
    stream: (name, input, options = {}) => calls.stream(name, input, options),
    replica(name) {
      const copy = replicas.get(name)
      if (copy === undefined) throw lacking(contract, `replica "${name}"`)
      return copy
    },
    topic(name) {
      const topic = topics.topic(name)
      if (topic === undefined) throw lacking(contract, `topic "${name}"`)
      return topic
    },
    connect: (options) => connectWithin(running, options),
    ping: () => running.heartbeat.ping(),
    wake: () => running.wake(),
    cut: () => running.cut(),
    close: () => running.close(),
    stats: () => statsOf(running, numbers),
  }
}

function lacking(contract: Contract, part: string): TypeError {
  return new TypeError(`the contract "${contract.name}" has no ${part}`)
}

interface Calls {
  call(
    kind: CallKind,
    name: string,
    request: { input: unknown; options: CallOptions | undefined },
  ): Promise<unknown>
  /** @throws TypeError for a stream that the contract lacks. */
  stream(name: string, input: unknown, options: StreamOptions): AsyncIterableIterator<unknown, undefined>
}

function createCalls(contract: Contract, callStats: CallStats, running: RunningClient): Calls {
  const entries = indexCalls(contract)
  return {
    call(kind, name, { input, options = {} }) {
      const entry = entries.get(name)
      if (entry === undefined || entry.call === "stream" || entry.call !== kind)
        return Promise.reject(lacking(contract, `${kind} "${name}"`))
      const watch = callStats.watch(name)
      return running.requests.call({ call: kind, name, spec: entry.spec, input, options, watch })
    },
    stream(name, input, options) {
      const entry = entries.get(name)
      if (entry?.call !== "stream") throw lacking(contract, `stream "${name}"`)
      return running.streams.open({ name, spec: entry.spec, input, options })
    },
  }
}

function statsOf(running: RunningClient, { callStats, counters, tallies }: Numbers): ClientStats {
  return {
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
  }
}
