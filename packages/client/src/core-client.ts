// Puts a client together: its layers and features, then the typed methods on top of them.
import { RoundTrip, assertContract, assertGiven, indexCalls, indexEvents } from "@hawser/protocol/core"
import type { Contract, EventSpec, Schema } from "@hawser/protocol"
import type { CallKind } from "@hawser/protocol/core"
import { createClientCounters, createClientTallies } from "./base/counters.ts"
import type { ClientCounters, ClientTallies } from "./base/counters.ts"
import { EventBus } from "./base/event-bus.ts"
import { describeValue } from "./base/injected.ts"
import { EventDelivery } from "./base/event-delivery.ts"
import type { Delivered } from "./base/event-delivery.ts"
import { callOptionFault } from "./calls/call-options.ts"
import { CallStats } from "./calls/call-stats.ts"
import type { CallOptions } from "./calls/requests.ts"
import type { ClientStats, ClientWith, CoreClient, Feature } from "./client-api.ts"
import { ClientStoreSet } from "./client-stores.ts"
import { dependenciesOf } from "./client-options.ts"
import type { ClientOptions } from "./client-options.ts"
import { connectWithin } from "./connect.ts"
import { isMaker, lacking, noHooks } from "./feature.ts"
import type { FeatureHooks, FeatureHost } from "./feature.ts"
import type { Dependencies } from "./session/run-client-options.ts"
import { RunningClient } from "./session/run-client.ts"
import type { SessionEvent } from "./session/session-event.ts"
import { statusIterator } from "./session/status.ts"
import type { ClientStatus } from "./session/status.ts"
import { randomClientId } from "./session/tokens.ts"

/** Options of `createClient` of `@hawser/client/core`. */
export interface CoreClientOptions<F extends readonly Feature[] = readonly Feature[]> extends ClientOptions {
  /** Features of the client: `topics()`, `replicas()`, `streams()`. Default: none. */
  readonly use?: F
}

/**
 * Creates a client with the features of `use`; without one its methods do not exist. It connects at the end of the current task,
 * unless `autoConnect` is false.
 * @throws TypeError for a first argument that is no contract, an unknown option or limit, an option of the wrong type, an address
 * that no WebSocket can use, a runtime without a WebSocket unless `autoConnect` is false, and an element of `use` that is no
 * feature.
 * @throws RangeError that names a limit which is out of range.
 */
export function createClient<C extends Contract, const F extends readonly Feature[] = []>(
  contract: C,
  options: CoreClientOptions<F>,
): ClientWith<C, F[number]["name"]>
export function createClient(contract: Contract, options: CoreClientOptions): CoreClient<Contract> {
  assertContract("createClient", contract)
  const layers = createLayers(contract, options)
  if (options.autoConnect !== false) layers.running.connectSoon()
  const client = createMethods(contract, layers)
  return layers.methods.reduce<typeof client>((own, more) => Object.assign(own, more), client)
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
  readonly hooks: FeatureHooks
  /** Methods of the features. */
  readonly methods: readonly object[]
  readonly running: RunningClient
  readonly stores: ClientStoreSet
}

function createLayers(contract: Contract, given: CoreClientOptions): ClientLayers {
  assertGiven("createClient", given, "createClient(contract, { url, token })")
  const { use, ...options } = given
  const dependencies = dependenciesOf(options)
  const basics = createBasics(contract, dependencies)
  const { events, eventBus, ownBus, counters, tallies, callStats } = basics
  const delivery = new EventDelivery({
    ...dependencies,
    events,
    optionalEvents: dependencies.dialect.optionalEvents,
    counters,
    bus: eventBus,
    onTopicEvent: (topic, event, delivered) => hooks.onTopicEvent(topic, event, delivered),
  })
  const { hooks, methods } = installed(use, {
    ...dependencies,
    contract,
    callStats,
    running: () => running,
    inOrder: (work) => delivery.run(work),
    hooks: () => hooks,
  })
  const running: RunningClient = new RunningClient(
    {
      ...dependencies,
      dial: options.dial ?? hooks.dialWith(dependencies.dial),
      counters,
      tallies,
      clientId: randomClientId(dependencies.random),
      contractName: contract.name,
      roundTrip: new RoundTrip(),
      replicas: hooks.replicas,
      onStatus(status) {
        hooks.onStatus(status)
        stores.onStatus()
        ownBus.emit("status", status)
      },
      onSession(event) {
        hooks.onSession(event)
        delivery.run(() => (stores.onSession(event), ownBus.emit("session", event)))
      },
      onFrame(frame) {
        if (!hooks.onFrame(frame)) delivery.deliver(frame)
      },
      onItem: hooks.onItem,
      onPending: () => stores.pending.changed(),
      onFresh: hooks.onFresh,
    },
    options.token,
  )
  const stores: ClientStoreSet = new ClientStoreSet({
    ...dependencies,
    status: () => running.status,
    pending: () => running.requests.pending(),
    stats: () => statsOf(layers),
  })
  const { validateReplies } = dependencies
  const layers = { ...basics, validateReplies, hooks, methods, running, stores }
  return layers
}

type Basics = Pick<ClientLayers, "events" | "eventBus" | "ownBus" | "counters" | "tallies" | "callStats">

/** Makes the parts that need no other part. */
function createBasics(contract: Contract, dependencies: Dependencies): Basics {
  const events = indexEvents(contract)
  const eventBus: ClientLayers["eventBus"] = new EventBus(dependencies)
  const ownBus: ClientLayers["ownBus"] = new EventBus(dependencies)
  const counters = createClientCounters()
  const tallies = createClientTallies()
  const callStats = new CallStats(dependencies.clock)
  return { events, eventBus, ownBus, counters, tallies, callStats }
}

/** Makes the parts of the features, as one set of hooks. @throws TypeError for a value that untyped code passes. */
function installed(use: readonly Feature[] = [], host: FeatureHost): Pick<ClientLayers, "hooks" | "methods"> {
  const list: unknown = use
  if (!Array.isArray(list))
    throw new TypeError(`use is ${describeValue(list)}, not a list: pass [topics(), replicas(), streams()]`)
  const parts = use.map((feature) => {
    if (isMaker(feature)) return feature.install(host)
    const advice = "pass topics(), replicas(), streams() or firefoxDials() of @hawser/client/core"
    throw new TypeError(`use contains ${describeValue(feature)}, which is no feature: ${advice}`)
  })
  return {
    hooks: parts.reduce<FeatureHooks>((hooks, part) => ({ ...hooks, ...part }), noHooks),
    methods: parts.map(({ methods }) => methods),
  }
}

// --- methods ----------------------------------------------------------------------------------------------------

/** Schema of the reply to a call without output, which resolves with undefined. */
const nothing: Schema = {
  "~standard": { version: 1, vendor: "hawser", validate: () => ({ value: undefined }) },
}

function createMethods(contract: Contract, layers: ClientLayers): CoreClient<Contract> {
  const { eventBus, events, ownBus, running } = layers
  const entries = indexCalls(contract)
  const assertEvent = (event: string): void => {
    if (!events.has(event)) throw lacking(contract, `event "${event}"`)
  }
  const callsOf =
    (call: CallKind) =>
    (name: string, input: unknown, options: CallOptions = {}): Promise<unknown> => {
      const entry = entries.get(name)
      if (entry === undefined || entry.call === "stream" || entry.call !== call)
        return Promise.reject(lacking(contract, `${call} "${name}"`))
      const fault = callOptionFault(name, options)
      if (fault !== undefined) return Promise.reject(fault)
      const watch = layers.callStats.watch(name)
      const { output } = entry.spec
      const reply = output === undefined ? nothing : layers.validateReplies ? output : undefined
      return running.requests.call({ call, name, reply, input, options, watch })
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
    command: callsOf("command"),
    query: callsOf("query"),
    connect: (options) => connectWithin(running, options),
    ping: () => running.ping(),
    wake: () => running.wake(),
    cut: () => running.cut(),
    close: () => running.close(),
    stats: () => statsOf(layers),
    stores: layers.stores,
  }
}

function statsOf({ callStats, counters, hooks, running, tallies }: ClientLayers): ClientStats {
  return {
    ...counters,
    pending: running.requests.pendingCount,
    queued: running.requests.queuedCount,
    streams: hooks.openStreams(),
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
