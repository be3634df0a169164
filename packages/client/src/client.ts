// The façade: the typed names that applications use, on top of the running client.
import {
  HawserError,
  defaultClientLimits,
  describeIssues,
  indexCalls,
  indexEvents,
  validate,
} from "@hawser/protocol"
import type {
  CallInput,
  CallKind,
  ClientLimits,
  Clock,
  CommandName,
  Contract,
  Dial,
  EventName,
  EventSpec,
  Frame,
  Profile,
  QueryName,
  Validated,
  ValidOutput,
  ValidPayload,
} from "@hawser/protocol"
import type { CallOptions } from "./calls/requests.ts"
import { EventBus } from "./event-bus.ts"
import type { ListenOptions, Unsubscribe } from "./event-bus.ts"
import { exponential, noReconnect } from "./session/strategies.ts"
import type { ReconnectStrategy } from "./session/strategies.ts"
import { RunningClient } from "./session/run-client.ts"
import type { TokenSource } from "./session/run-client.ts"
import { statusIterator } from "./status.ts"
import type { ClientStatus } from "./status.ts"
import { systemClock } from "./system.ts"
import { webSocketDial } from "./transport/web-socket.ts"
import type { WebSocketConstructor } from "./transport/web-socket.ts"

export interface ClientOptions {
  /** `ws://` or `wss://`. */
  readonly url: string
  /** Asked before every attempt. One attempt is made per distinct token. */
  readonly token: TokenSource
  /** Default: the global WebSocket. Node 20 has none: pass the one of `ws`. */
  readonly webSocket?: WebSocketConstructor
  /** Instead of a WebSocket: any transport. */
  readonly dial?: Dial
  /** Default `exponential()`; false never reconnects. */
  readonly reconnect?: ReconnectStrategy | false
  /** Default `hawser.1`. */
  readonly profile?: Profile
  readonly limits?: Partial<ClientLimits>
  /** Connect as soon as the current task is done. Default true. */
  readonly autoConnect?: boolean
  /** Throws of listeners, events that do not fit the contract, replies that name nobody. Default: `reportError`, else the console. */
  readonly onError?: (error: unknown) => void
  readonly clock?: Clock
  readonly random?: () => number
}

/** Where an event came from. */
export interface EventMeta {
  /** The topic that published it, if one did. */
  readonly topic: string | undefined
  /** Its number in that topic. */
  readonly offset: number | undefined
}

export type EventListener<T> = (payload: T, meta: EventMeta) => unknown

export interface ConnectOptions {
  /** Replaces the client's token source. */
  readonly token?: TokenSource
  /** Aborting closes the client. */
  readonly signal?: AbortSignal
}

export interface ClientStats {
  /** Requests without a reply, waiting ones included. */
  readonly pending: number
  /** Requests that wait for the connection. */
  readonly queued: number
  /** Deadlines that wait; 0 on a closed client. */
  readonly timers: number
  /** Reliable messages of this session. */
  readonly sent: number
  readonly received: number
  readonly handled: number
  readonly roundTripMs: number | undefined
}

export interface Client<C extends Contract> {
  /** The status now. */
  readonly current: ClientStatus
  /** The status now, then every change. */
  status(): AsyncIterableIterator<ClientStatus>
  onStatus(listener: (status: ClientStatus) => void, options?: ListenOptions): Unsubscribe
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
  /** Resolves when a session is open; rejects when the client gives up or is closed. Works again after either. */
  connect(options?: ConnectOptions): Promise<void>
  /** Measures the round trip in milliseconds. */
  ping(): Promise<number>
  /** Ends the session and every attempt; pending requests reject with `client_closed`. Never dials again by itself. */
  close(): void
  stats(): ClientStats
}

interface Delivered {
  readonly payload: unknown
  readonly meta: EventMeta
}

/** Creates a client. Unless `autoConnect` is false it connects when the current task is done. */
export function createClient<C extends Contract>(contract: C, options: ClientOptions): Client<C>
export function createClient(contract: Contract, options: ClientOptions): Client<Contract> {
  const {
    clock = systemClock,
    random = Math.random,
    profile = "hawser.1",
    onError = reportUnhandled,
  } = options
  const limits: ClientLimits = { ...defaultClientLimits, ...options.limits }
  const calls = indexCalls(contract)
  const events = indexEvents(contract)
  const bus = new EventBus<Record<string, Delivered>>({ onError })
  const statusBus = new EventBus<{ status: ClientStatus }>({ onError })
  const deliver = inOrder(events, bus, onError)
  const strategy = options.reconnect === false ? noReconnect : (options.reconnect ?? exponential())
  const running = new RunningClient(
    {
      url: options.url,
      profile,
      dial: options.dial ?? webSocketDial(options.webSocket ?? globalWebSocket()),
      clock,
      random,
      wallClockMs: Date.now,
      limits,
      reconnect: { ...limits, strategy },
      onStatus: (status) => statusBus.emit("status", status),
      onFrame: deliver,
      onError,
    },
    options.token,
  )

  function call(
    kind: CallKind,
    name: string,
    request: { input: unknown; options: CallOptions | undefined },
  ): Promise<unknown> {
    const entry = calls.get(name)
    if (entry?.call !== kind) {
      return Promise.reject(new TypeError(`the contract "${contract.name}" has no ${kind} "${name}"`))
    }
    return running.requests.call({
      call: kind,
      name,
      spec: entry.spec,
      input: request.input,
      options: request.options ?? {},
    })
  }

  function assertEvent(event: string): void {
    if (!events.has(event)) throw new TypeError(`the contract "${contract.name}" has no event "${event}"`)
  }

  async function connect({ token, signal }: ConnectOptions = {}): Promise<void> {
    const onAbort = (): void => running.close()
    if (signal?.aborted === true) throw new HawserError("cancelled", { cause: signal.reason })
    signal?.addEventListener("abort", onAbort, { once: true })
    try {
      await running.connect(token)
    } finally {
      signal?.removeEventListener("abort", onAbort)
    }
  }

  if (options.autoConnect !== false) running.connectSoon()

  return {
    get current() {
      return running.status
    },
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
    connect,
    ping: () => running.heartbeat.ping(),
    close: () => running.close(),
    stats: () => ({
      pending: running.requests.pendingCount,
      queued: running.requests.queuedCount,
      timers: running.timers.size,
      ...running.counts,
      roundTripMs: running.heartbeat.roundTripMs,
    }),
  }
}

/** Validates and emits events one after another, also where a validator is asynchronous. */
function inOrder(
  events: ReadonlyMap<string, EventSpec>,
  bus: EventBus<Record<string, Delivered>>,
  onError: (error: unknown) => void,
): (frame: Frame) => void {
  let tail: Promise<void> | undefined

  function emit(type: string, validated: Validated<unknown>, meta: EventMeta): void {
    if (validated.ok) {
      bus.emit(type, { payload: validated.value, meta })
      return
    }
    onError(
      new HawserError("invalid_reply", { message: `event "${type}": ${describeIssues(validated.issues)}` }),
    )
  }

  function deliver(frame: Frame): void | Promise<void> {
    if (frame.kind !== "event" && frame.kind !== "topicEvent" && frame.kind !== "volatile") return undefined
    const spec = events.get(frame.type)
    if (spec === undefined) {
      // A welcome payload of `2.0` is for contracts that declare the event.
      if (frame.type !== "welcome")
        onError(new HawserError("invalid_reply", { message: `unknown event "${frame.type}"` }))
      return undefined
    }
    const meta: EventMeta =
      frame.kind === "topicEvent"
        ? { topic: frame.topic, offset: frame.offset }
        : { topic: undefined, offset: undefined }
    const validated = validate(spec.payload, frame.payload)
    if (validated instanceof Promise) return validated.then((late) => emit(frame.type, late, meta))
    emit(frame.type, validated, meta)
    return undefined
  }

  return (frame) => {
    const work = tail === undefined ? deliver(frame) : tail.then(() => deliver(frame))
    if (work === undefined) return
    const current = work.catch(onError).finally(() => {
      if (tail === current) tail = undefined
    })
    tail = current
  }
}

function globalWebSocket(): WebSocketConstructor {
  // The type says that it is always there; Node 20 says otherwise.
  const found: WebSocketConstructor | undefined = globalThis.WebSocket
  if (typeof found !== "function") {
    throw new TypeError(
      "this runtime has no global WebSocket: pass `webSocket`, for example the one of the package ws",
    )
  }
  return found
}

/** Where errors go when the application passes no `onError`: the page's error handling, or the console in Node. */
function reportUnhandled(error: unknown): void {
  if (typeof globalThis.reportError === "function") globalThis.reportError(error)
  // oxlint-disable-next-line no-console -- Node 20 has no reportError, and an error must not vanish
  else console.error(error)
}
