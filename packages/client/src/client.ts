// Puts a client together: its layers, then the typed methods on top of them.
import { RoundTrip, indexCalls, indexEvents, topicNameFault } from "@hawser/protocol/core"
import type { Contract, EventSpec, Schema } from "@hawser/protocol"
import type { CallKind } from "@hawser/protocol/core"
import { createClientCounters, createClientTallies } from "./base/counters.ts"
import type { ClientCounters, ClientTallies } from "./base/counters.ts"
import { EventBus } from "./base/event-bus.ts"
import { EventDelivery } from "./base/event-delivery.ts"
import type { Delivered } from "./base/event-delivery.ts"
import { CallStats } from "./calls/call-stats.ts"
import type { CallOptions } from "./calls/requests.ts"
import type { Client, ClientStats } from "./client-api.ts"
import { dependenciesOf } from "./client-options.ts"
import type { ClientOptions } from "./client-options.ts"
import { connectWithin } from "./connect.ts"
import { Replicas } from "./replicas/replicas.ts"
import { RunningClient } from "./session/run-client.ts"
import type { SessionEvent } from "./session/session-event.ts"
import { statusIterator } from "./session/status.ts"
import type { ClientStatus } from "./session/status.ts"
import { randomClientId } from "./session/tokens.ts"
import { Topics } from "./topics/topics.ts"

/**
 * Creates a client. It connects at the end of the current task, unless `autoConnect` is false.
 * @throws TypeError for an address that no WebSocket can use, and for a runtime without a WebSocket unless `autoConnect` is
 * false.
 * @throws RangeError that names a limit which is unknown or out of range.
 */
export function createClient<C extends Contract>(contract: C, options: ClientOptions): Client<C>
export function createClient(contract: Contract, options: ClientOptions): Client<Contract> {
  const layers = createLayers(contract, options)
  if (options.autoConnect !== false) layers.running.connectSoon()
  return createMethods(contract, layers)
}

// --- layers -----------------------------------------------------------------------------------------------------

interface ClientLayers {
  readonly validateReplies: boolean
  readonly events: ReadonlyMap<string, EventSpec>
  /** Delivers the events of the contract. */
  readonly eventBus: EventBus<Record<string, Delivered>>
  /** Delivers what the client itself reports. */
  readonly ownBus: EventBus<{ session: SessionEvent; status: ClientStatus }>
  readonly counters: ClientCounters
  readonly tallies: ClientTallies
  readonly callStats: CallStats
  readonly replicas: Replicas
  readonly topics: Topics
  readonly running: RunningClient
}

function createLayers(contract: Contract, options: ClientOptions): ClientLayers {
  const dependencies = dependenciesOf(options)
  const events = indexEvents(contract)
  const eventBus: ClientLayers["eventBus"] = new EventBus(dependencies)
  const ownBus: ClientLayers["ownBus"] = new EventBus(dependencies)
  const counters = createClientCounters()
  const tallies = createClientTallies()
  const callStats = new CallStats(dependencies.clock)
  const replicas = new Replicas({ ...dependencies, replicas: contract.replicas })
  const delivery = new EventDelivery({
    ...dependencies,
    events,
    optionalEvents: dependencies.dialect.optionalEvents,
    bus: eventBus,
    onTopicEvent: (topic, event, delivered) => topics.onDelivered(topic, event, delivered),
  })
  const topics = new Topics({
    ...dependencies,
    topics: contract.topics,
    callStats,
    requests: () => running.requests,
    status: () => running.status,
    inOrder: (work) => delivery.run(work),
  })
  const running: RunningClient = new RunningClient(
    {
      ...dependencies,
      counters,
      tallies,
      clientId: randomClientId(dependencies.random),
      roundTrip: new RoundTrip(),
      replicas,
      onStatus(status) {
        if (status.state === "closed") topics.onClosed()
        ownBus.emit("status", status)
      },
      onSession(event) {
        topics.onSession(event)
        delivery.run(() => ownBus.emit("session", event))
      },
      onFrame(frame) {
        if (!topics.receive(frame)) delivery.deliver(frame)
      },
      onFresh: () => topics.onFresh(),
    },
    options.token,
  )
  const { validateReplies } = dependencies
  const numbers = { counters, tallies, callStats }
  return { validateReplies, events, eventBus, ownBus, ...numbers, replicas, topics, running }
}

// --- methods ----------------------------------------------------------------------------------------------------

/** Schema of the reply to a call without output, which resolves with undefined. */
const nothing: Schema = {
  "~standard": { version: 1, vendor: "hawser", validate: () => ({ value: undefined }) },
}

type Lacking = (part: string) => TypeError

function createCalls(
  contract: Contract,
  { callStats, running, validateReplies }: ClientLayers,
  lacking: Lacking,
): Pick<Client<Contract>, "command" | "query" | "stream"> {
  const entries = indexCalls(contract)
  const validated = (schema: Schema): Schema | undefined => (validateReplies ? schema : undefined)
  const callsOf =
    (call: CallKind) =>
    (name: string, input: unknown, options: CallOptions = {}): Promise<unknown> => {
      const entry = entries.get(name)
      if (entry === undefined || entry.call === "stream" || entry.call !== call)
        return Promise.reject(lacking(`${call} "${name}"`))
      const watch = callStats.watch(name)
      const { output } = entry.spec
      const reply = output === undefined ? nothing : validated(output)
      return running.requests.call({ call, name, reply, input, options, watch })
    }
  return {
    command: callsOf("command"),
    query: callsOf("query"),
    stream(name, input, options = {}) {
      const entry = entries.get(name)
      if (entry?.call !== "stream") throw lacking(`stream "${name}"`)
      return running.streams.open({ name, item: validated(entry.spec.item), input, options })
    },
  }
}

function createMethods(contract: Contract, layers: ClientLayers): Client<Contract> {
  const { eventBus, events, ownBus, replicas, running, topics } = layers
  const lacking: Lacking = (part) => new TypeError(`the contract "${contract.name}" has no ${part}`)
  const assertEvent = (event: string): void => {
    if (!events.has(event)) throw lacking(`event "${event}"`)
  }
  return {
    get current() {
      return running.status
    },
    get sessionId() {
      return running.sessionId
    },
    onSession: (listener, options) => ownBus.on("session", listener, options),
    pending: () => running.requests.pending(),
    status: () => statusIterator(running.status, (listener) => ownBus.on("status", listener)),
    onStatus: (listener, options) => ownBus.on("status", listener, options),
    on(event, listener, options) {
      assertEvent(event)
      return eventBus.on(event, ({ payload, meta }) => listener(payload, meta), options)
    },
    once(event, listener, options) {
      assertEvent(event)
      return eventBus.once(event, ({ payload, meta }) => listener(payload, meta), options)
    },
    ...createCalls(contract, layers, lacking),
    replica(name) {
      const copy = replicas.get(name)
      if (copy === undefined) throw lacking(`replica "${name}"`)
      return copy
    },
    topic(name) {
      const topic = topics.topic(name)
      if (topic === undefined) throw new TypeError(topicNameFault(name) ?? lacking(`topic "${name}"`).message)
      return topic
    },
    connect: (options) => connectWithin(running, options),
    ping: () => running.heartbeat.ping(),
    wake: () => running.wake(),
    cut: () => running.cut(),
    close: () => running.close(),
    stats: () => statsOf(layers),
  }
}

function statsOf({ callStats, counters, running, tallies }: ClientLayers): ClientStats {
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
