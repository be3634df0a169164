// The contract: what both ends know of an application's messages. Types are inferred from it, names are looked up in it.
import type { Schema, SchemaInput, SchemaOutput } from "./schema.ts"
import type { RecordOf, ReplicaSpec } from "./replica-schema.ts"
import type { TopicSpec, TopicSpecs } from "./topic-kind.ts"
import type { RateLimit } from "./rate-limit.ts"

/** Requests and events that the topics layer keeps for itself; they come first in every table of type names. */
export const reservedTypes = ["$join", "$leave", "$publish", "$presence"] as const

export type CallKind = "command" | "query"

/** A command (changes something) or a query (does not). */
export interface CallSpec<I extends Schema = Schema, O extends Schema = Schema> {
  /** Validated by the server before the handler runs. */
  readonly input: I
  /** Validated by the client before the promise resolves. */
  readonly output: O
  /** Per user, over all of the user's connections. Default: only the limits on all messages of a user. */
  readonly limit?: RateLimit
}

/** A query whose reply is many items, sent as fast as their reader takes them. */
export interface StreamSpec<I extends Schema = Schema, O extends Schema = Schema> {
  /** Validated by the server before the handler runs. */
  readonly input: I
  /** One item of the reply. Validated by the client before its reader gets it. */
  readonly item: O
  /** Of openings, per user, over all of the user's connections. Default: only the limits on all messages of a user. */
  readonly limit?: RateLimit
}

export interface EventSpec<P extends Schema = Schema> {
  /** Validated by the client before listeners run. */
  readonly payload: P
  /**
   * `reliable` (default): in order, buffered up to the connection's bound. `volatile`: may be dropped when the
   * receiver is slow; never overtakes a reliable message sent before it.
   */
  readonly delivery?: "reliable" | "volatile"
  /** Volatile only: of the values that wait with the same key only the latest is kept. Method, so that specs stay assignable. */
  key?(payload: SchemaInput<P>): string
}

export type CallSpecs = Readonly<Record<string, CallSpec>>
export type StreamSpecs = Readonly<Record<string, StreamSpec>>
export type EventSpecs = Readonly<Record<string, EventSpec>>
export type ReplicaSpecs = Readonly<Record<string, ReplicaSpec>>

export interface Contract<
  C extends CallSpecs = CallSpecs,
  Q extends CallSpecs = CallSpecs,
  E extends EventSpecs = EventSpecs,
  S extends StreamSpecs = StreamSpecs,
  R extends ReplicaSpecs = ReplicaSpecs,
  T extends TopicSpecs = TopicSpecs,
> {
  readonly name: string
  readonly commands: C
  readonly queries: Q
  readonly events: E
  readonly streams: S
  readonly replicas: R
  readonly topics: T
}

type NoSpecs = Readonly<Record<never, never>>

/**
 * Declares a contract. Keys are camelCase letters and digits, unique over commands, queries, events, streams,
 * replicas and topics. Topics name events of the same contract.
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
  readonly name: string
  readonly commands?: C
  readonly queries?: Q
  readonly events?: { readonly [K in keyof P]: EventSpec<P[K]> }
  readonly streams?: S
  readonly replicas?: R
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
      throw new TypeError(`contract "${name}": "authenticate" belongs to the protocol`)
    if (seen.has(key)) throw new TypeError(`contract "${name}": "${key}" is declared twice`)
    seen.add(key)
  }
  for (const [key, event] of Object.entries(events)) {
    if (event.key !== undefined && event.delivery !== "volatile") {
      throw new TypeError(`contract "${name}": event "${key}" has a key, so it must be volatile`)
    }
  }
  for (const [key, topic] of Object.entries(topics)) {
    const unknown = topic.events.find((event) => !Object.hasOwn(events, event))
    if (unknown !== undefined)
      throw new TypeError(`contract "${name}": topic "${key}" names "${unknown}", which is no event`)
  }
  return { name, commands, queries, events, streams, replicas, topics }
}

/** All type names of a contract in the order of the wire table. */
export function contractTypes(contract: Contract): string[] {
  const names = [
    ...Object.keys(contract.commands),
    ...Object.keys(contract.queries),
    ...Object.keys(contract.events),
    ...Object.keys(contract.streams),
  ]
  return [...reservedTypes, ...names]
}

export type CallEntry =
  | { readonly call: CallKind; readonly spec: CallSpec }
  | { readonly call: "stream"; readonly spec: StreamSpec }

/** Looks calls up in a Map, so that names such as `toString` or `__proto__` find nothing. */
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

export function indexEvents(contract: Contract): ReadonlyMap<string, EventSpec> {
  return new Map(Object.entries(contract.events))
}

export type CommandName<T extends Contract> = keyof T["commands"] & string
export type QueryName<T extends Contract> = keyof T["queries"] & string
export type StreamName<T extends Contract> = keyof T["streams"] & string
export type ReplicaName<T extends Contract> = keyof T["replicas"] & string
/** A record of a replica, without its id. */
export type ReplicaRecord<T extends Contract, K extends ReplicaName<T>> = RecordOf<T["replicas"][K]>
export type EventName<T extends Contract> = keyof T["events"] & string
export type TopicKind<T extends Contract> = keyof T["topics"] & string
/** The kind alone, or the kind, a colon and the rest. */
export type TopicName<T extends Contract> = TopicKind<T> | `${TopicKind<T>}:${string}`
/** The kind that a name begins with. */
export type KindOfTopic<T extends Contract, N extends string> = Extract<
  N extends `${infer K}:${string}` ? K : N,
  TopicKind<T>
>
/** Events that belong to a kind of topics. */
export type TopicEventName<T extends Contract, K extends TopicKind<T>> = T["topics"][K]["events"][number] &
  EventName<T>
type PresenceSchema<T extends Contract, K extends TopicKind<T>> = T["topics"][K]["presence"]
/** What a member passes of itself, and what others see of it; undefined for a kind without presence. */
export type PresenceInput<T extends Contract, K extends TopicKind<T>> =
  PresenceSchema<T, K> extends Schema ? SchemaInput<PresenceSchema<T, K>> : NoState<PresenceSchema<T, K>>
export type PresenceState<T extends Contract, K extends TopicKind<T>> =
  PresenceSchema<T, K> extends Schema ? SchemaOutput<PresenceSchema<T, K>> : NoState<PresenceSchema<T, K>>
/** Of a contract that is not known, a state may be anything. */
type NoState<P> = [P] extends [undefined] ? undefined : unknown

/** What a caller passes, and what a handler receives after validation. */
export type CallInput<S extends CallSpec | StreamSpec> = SchemaInput<S["input"]>
export type ValidInput<S extends CallSpec | StreamSpec> = SchemaOutput<S["input"]>
/** What a handler returns, and what the caller receives after validation. */
export type CallOutput<S extends CallSpec> = SchemaInput<S["output"]>
export type ValidOutput<S extends CallSpec> = SchemaOutput<S["output"]>
/** What the handler of a stream yields, and what its reader receives after validation. */
export type StreamItem<S extends StreamSpec> = SchemaInput<S["item"]>
export type ValidItem<S extends StreamSpec> = SchemaOutput<S["item"]>
/** What is published, and what a listener receives after validation. */
export type EventPayload<T extends Contract, K extends EventName<T>> = SchemaInput<T["events"][K]["payload"]>
export type ValidPayload<T extends Contract, K extends EventName<T>> = SchemaOutput<T["events"][K]["payload"]>
