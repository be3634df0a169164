// Defines the contract: the messages of an application, shared by client and server. Types are inferred from it.
// Must not know frames or sessions.
import type { Schema, SchemaInput, SchemaOutput } from "./schema.ts"
import type { RecordOf, ReplicaSpec } from "./replica-schema.ts"
import type { TopicSpec, TopicSpecs } from "./topic-kind.ts"
import type { RateLimit } from "./rate-limit.ts"

/** Requests and events of the topics layer. They are the first entries of every table of type names. */
export const reservedTypes = ["$join", "$leave", "$publish", "$presence"] as const

/** Kind of a call with one reply. */
export type CallKind = "command" | "query"

/** A command (changes state) or a query (does not). */
export interface CallSpec<I extends Schema = Schema, O extends Schema = Schema> {
  /** Schema of the input. The server validates it before the handler runs; an invalid one gets `invalid_input`. */
  readonly input: I
  /** Schema of the output. The client validates it before the promise resolves; an invalid one is `invalid_reply`. */
  readonly output: O
  /**
   * Rate limit per user, over all connections of the user. Default: only the limits on all messages of a user. A request
   * without a permit gets `rate_limited`.
   */
  readonly limit?: RateLimit
}

/** A query whose reply is a sequence of items with flow control. */
export interface StreamSpec<I extends Schema = Schema, O extends Schema = Schema> {
  /** Schema of the input. The server validates it before the handler runs; an invalid one gets `invalid_input`. */
  readonly input: I
  /** Schema of one item. The client validates it before the reader receives it. */
  readonly item: O
  /**
   * Rate limit of new streams per user, over all connections of the user. Default: only the limits on all messages of a
   * user. A request without a permit gets `rate_limited`.
   */
  readonly limit?: RateLimit
}

/** An event that the server sends, or that clients publish to topics. */
export interface EventSpec<P extends Schema = Schema> {
  /** Schema of the payload. The client validates it before listeners run. */
  readonly payload: P
  /**
   * Delivery class; default `reliable`. `reliable`: in order, retransmitted after a resume, buffered up to the session's
   * send buffer. `volatile`: may be dropped if the receiver is slow; never overtakes an earlier reliable message.
   */
  readonly delivery?: "reliable" | "volatile"
  /**
   * Conflation key of a volatile event: of the queued values with the same key only the latest is kept. Default: none, and a
   * value that cannot be sent at once is dropped. It is a method, so that specs stay assignable.
   */
  key?(payload: SchemaInput<P>): string
}

/** Commands or queries by name. */
export type CallSpecs = Readonly<Record<string, CallSpec>>
/** Streams by name. */
export type StreamSpecs = Readonly<Record<string, StreamSpec>>
/** Events by name. */
export type EventSpecs = Readonly<Record<string, EventSpec>>
/** Replicas by name. */
export type ReplicaSpecs = Readonly<Record<string, ReplicaSpec>>

/** Messages of one application. Created by `defineContract`. */
export interface Contract<
  C extends CallSpecs = CallSpecs,
  Q extends CallSpecs = CallSpecs,
  E extends EventSpecs = EventSpecs,
  S extends StreamSpecs = StreamSpecs,
  R extends ReplicaSpecs = ReplicaSpecs,
  T extends TopicSpecs = TopicSpecs,
> {
  /** Name of the contract. HELLO carries it; error messages contain it. */
  readonly name: string
  /** Requests that change state. */
  readonly commands: C
  /** Requests that change nothing. */
  readonly queries: Q
  /** Events that the server sends, or that clients publish to topics. */
  readonly events: E
  /** Requests with a sequence of items as reply. */
  readonly streams: S
  /** Replicated records. */
  readonly replicas: R
  /** Kinds of topics. */
  readonly topics: T
}

type NoSpecs = Readonly<Record<never, never>>

/**
 * Declares a contract. A key is camelCase, at most 64 letters and digits, and unique among commands, queries, events, streams,
 * replicas and topics. Topics refer to events of the same contract.
 * @throws TypeError that names the key which breaks a rule.
 */
export function defineContract<
  C extends CallSpecs = NoSpecs,
  Q extends CallSpecs = NoSpecs,
  P extends Readonly<Record<string, Schema>> = NoSpecs,
  S extends StreamSpecs = NoSpecs,
  R extends ReplicaSpecs = NoSpecs,
  T extends Readonly<Record<string, TopicSpec<keyof P & string>>> = NoSpecs,
>(spec: {
  /** Name of the contract. HELLO carries it; error messages contain it. */
  readonly name: string
  /** Requests that change state, by name. Default: none. */
  readonly commands?: C
  /** Requests that change nothing, by name. Default: none. */
  readonly queries?: Q
  /** Events by name. One with a `key` must be volatile. Default: none. */
  readonly events?: { readonly [K in keyof P]: EventSpec<P[K]> }
  /** Requests with a sequence of items as reply, by name. Default: none. */
  readonly streams?: S
  /** Replicated records by name. Default: none. */
  readonly replicas?: R
  /** Kinds of topics by name. Their events must be in `events`. Default: none. */
  readonly topics?: T
}): Contract<C, Q, { readonly [K in keyof P]: EventSpec<P[K]> }, S, R, T>
export function defineContract(spec: {
  readonly name: string
  readonly commands?: CallSpecs
  readonly queries?: CallSpecs
  readonly events?: EventSpecs
  readonly streams?: StreamSpecs
  readonly replicas?: ReplicaSpecs
  readonly topics?: TopicSpecs
}): Contract {
  const { name, commands = {}, queries = {}, events = {}, streams = {}, replicas = {}, topics = {} } = spec
  const seen = new Set<string>()
  const parts = [commands, queries, events, streams, replicas, topics]
  for (const key of parts.flatMap((specs) => Object.keys(specs))) {
    if (!/^[a-z][a-zA-Z0-9]{0,63}$/.test(key)) {
      throw new TypeError(`contract "${name}": "${key}" must be camelCase letters and digits, 64 at most`)
    }
    if (key === "authenticate")
      throw new TypeError(`contract "${name}": "authenticate" is reserved by the protocol; rename it`)
    if (seen.has(key)) throw new TypeError(`contract "${name}": "${key}" is declared twice`)
    seen.add(key)
  }
  for (const [key, event] of Object.entries(events)) {
    if (event.key !== undefined && event.delivery !== "volatile") {
      throw new TypeError(`contract "${name}": event "${key}" has a key, so its delivery must be volatile`)
    }
  }
  for (const [key, topic] of Object.entries(topics)) {
    const unknown = topic.events.find((event) => !Object.hasOwn(events, event))
    if (unknown !== undefined)
      throw new TypeError(`contract "${name}": topic "${key}" names "${unknown}", which is not an event`)
  }
  return { name, commands, queries, events, streams, replicas, topics }
}

/** Returns all type names of a contract in the order of the wire's type table. */
export function contractTypes(contract: Contract): string[] {
  const names = [
    ...Object.keys(contract.commands),
    ...Object.keys(contract.queries),
    ...Object.keys(contract.events),
    ...Object.keys(contract.streams),
  ]
  return [...reservedTypes, ...names]
}

/** A request of a contract: its kind and its schemas. */
export type CallEntry =
  | { readonly call: CallKind; readonly spec: CallSpec }
  | { readonly call: "stream"; readonly spec: StreamSpec }

/** Returns the requests of a contract by name. A Map, so that names such as `toString` or `__proto__` find nothing. */
export function indexCalls(contract: Contract): ReadonlyMap<string, CallEntry> {
  const commands = Object.entries(contract.commands).map(
    ([name, spec]) => [name, { call: "command", spec }] as const,
  )
  const queries = Object.entries(contract.queries).map(
    ([name, spec]) => [name, { call: "query", spec }] as const,
  )
  const streams = Object.entries(contract.streams).map(
    ([name, spec]) => [name, { call: "stream", spec }] as const,
  )
  return new Map<string, CallEntry>([...commands, ...queries, ...streams])
}

/** Returns the events of a contract by name. */
export function indexEvents(contract: Contract): ReadonlyMap<string, EventSpec> {
  return new Map(Object.entries(contract.events))
}

/** Name of a command of a contract. */
export type CommandName<T extends Contract> = keyof T["commands"] & string
/** Name of a query of a contract. */
export type QueryName<T extends Contract> = keyof T["queries"] & string
/** Name of a stream of a contract. */
export type StreamName<T extends Contract> = keyof T["streams"] & string
/** Name of a replica of a contract. */
export type ReplicaName<T extends Contract> = keyof T["replicas"] & string
/** Record of a replica, without its id. */
export type ReplicaRecord<T extends Contract, K extends ReplicaName<T>> = RecordOf<T["replicas"][K]>
/** Name of an event of a contract. */
export type EventName<T extends Contract> = keyof T["events"] & string
/** Name of a kind of topics of a contract. */
export type TopicKind<T extends Contract> = keyof T["topics"] & string
/** Name of a topic: its kind, optionally followed by a colon and a suffix. */
export type TopicName<T extends Contract> = TopicKind<T> | `${TopicKind<T>}:${string}`
/** Kind that a topic's name begins with. */
export type KindOfTopic<T extends Contract, N extends string> = Extract<
  N extends `${infer K}:${string}` ? K : N,
  TopicKind<T>
>
/** Name of an event of a kind of topics. */
export type TopicEventName<T extends Contract, K extends TopicKind<T>> = T["topics"][K]["events"][number] &
  EventName<T>
type PresenceSchema<T extends Contract, K extends TopicKind<T>> = T["topics"][K]["presence"]
/** State that a member passes, before validation; undefined for a kind without presence. */
export type PresenceInput<T extends Contract, K extends TopicKind<T>> =
  PresenceSchema<T, K> extends Schema ? SchemaInput<PresenceSchema<T, K>> : NoState<PresenceSchema<T, K>>
/** State that other members receive, after validation; undefined for a kind without presence. */
export type PresenceState<T extends Contract, K extends TopicKind<T>> =
  PresenceSchema<T, K> extends Schema ? SchemaOutput<PresenceSchema<T, K>> : NoState<PresenceSchema<T, K>>
/** State of a kind without a presence schema; `unknown` if the contract's type is not known. */
type NoState<P> = [P] extends [undefined] ? undefined : unknown

/** Input that a caller passes, before validation. */
export type CallInput<S extends CallSpec | StreamSpec> = SchemaInput<S["input"]>
/** Input that a handler receives, after validation. */
export type ValidInput<S extends CallSpec | StreamSpec> = SchemaOutput<S["input"]>
/** Output that a handler returns, before validation. */
export type CallOutput<S extends CallSpec> = SchemaInput<S["output"]>
/** Output that a caller receives, after validation. */
export type ValidOutput<S extends CallSpec> = SchemaOutput<S["output"]>
/** Item that the handler of a stream yields, before validation. */
export type StreamItem<S extends StreamSpec> = SchemaInput<S["item"]>
/** Item that the reader of a stream receives, after validation. */
export type ValidItem<S extends StreamSpec> = SchemaOutput<S["item"]>
/** Payload that is published, before validation. */
export type EventPayload<T extends Contract, K extends EventName<T>> = SchemaInput<T["events"][K]["payload"]>
/** Payload that a listener receives, after validation. */
export type ValidPayload<T extends Contract, K extends EventName<T>> = SchemaOutput<T["events"][K]["payload"]>
