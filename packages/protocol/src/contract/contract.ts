// Defines the contract: the messages of an application, shared by client and server. Types are inferred from it.
// Must not know frames or sessions.
import { contractErrors } from "./contract-errors.ts"
import type { ContractErrors, ErrorSpecs } from "./contract-errors.ts"
import { assertSynchronous } from "./schema.ts"
import type { Schema, SchemaInput, SchemaOutput } from "./schema.ts"
import type { RecordOf, ReplicaSpec } from "./replica-schema.ts"
import type { TopicSpec, TopicSpecs } from "./topic-kind.ts"
import { assertSpec } from "./check-spec.ts"
import { assertRateLimit } from "./rate-limit.ts"
import type { RateLimit } from "./rate-limit.ts"
import { quoted } from "../base/quoted.ts"

/** Requests and events of the topics layer. They are the first entries of every table of type names. */
export const reservedTypes = ["$join", "$leave", "$publish", "$presence"] as const

/** Kind of a call with one reply. */
export type CallKind = "command" | "query"

/** A command (changes state) or a query (does not). */
export interface CallSpec<I extends Schema = Schema, O extends Schema = Schema> {
  /**
   * Schema of the input. The server validates it before the handler runs; an invalid one gets `invalid_input`. Default: the call
   * has no input, and a request with one gets `invalid_input`.
   */
  readonly input?: I
  /**
   * Schema of the output. The server validates the handler's result and sends the validated value. An invalid result is a fault
   * of the handler: `onError` gets its issues, the caller `sys_internal_error`. Default: the call has no output; the caller's
   * promise resolves with undefined, and the server discards the handler's result.
   */
  readonly output?: O
  /**
   * True: the server sends the handler's result without validation. The handler's return type is then the schema's output, and
   * members that the schema would remove are sent. Default: the option `trustOutput` of `createServer`, false.
   */
  readonly trustOutput?: boolean
  /**
   * Rate limit per user, over all connections of the user. Default: only the limits on all messages of a user. A request
   * without a permit gets `rate_limited`.
   */
  readonly limit?: RateLimit
}

/** A query whose reply is a sequence of items with flow control. */
export interface StreamSpec<I extends Schema = Schema, O extends Schema = Schema> {
  /** Schema of the input; see `CallSpec.input`. Default: the stream has no input. */
  readonly input?: I
  /**
   * Schema of one item. The server validates each item of the handler and sends the validated value. An invalid item ends the
   * stream with `sys_internal_error`, and `onError` gets its issues.
   */
  readonly item: O
  /** True: the server sends the handler's items without validation; see `CallSpec.trustOutput`. */
  readonly trustOutput?: boolean
  /**
   * Rate limit of new streams per user, over all connections of the user. Default: only the limits on all messages of a
   * user. A request without a permit gets `rate_limited`.
   */
  readonly limit?: RateLimit
}

/** An event that the server sends, or that clients publish to topics. */
export interface EventSpec<P extends Schema = Schema> {
  /**
   * Schema of the payload; it must validate synchronously. The server validates a payload once per publication, before any
   * recipient gets it, and sends the validated value.
   */
  readonly payload: P
  /** True: the server sends its own payloads without validation; see `CallSpec.trustOutput`. Those of clients are validated. */
  readonly trustOutput?: boolean
  /**
   * Delivery class; default `reliable`. `reliable`: in order, retransmitted after a resume, buffered up to the session's
   * send buffer. `volatile`: may be dropped if the receiver is slow; never overtakes an earlier reliable message.
   */
  readonly delivery?: "reliable" | "volatile"
  /**
   * Conflation key of a volatile event, from the validated payload: of the queued values with the same key only the latest is
   * kept. Default: none, and a value that cannot be sent at once is dropped. It is a method, so that specs stay assignable.
   */
  key?(payload: SchemaOutput<P>): string
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
  X extends ErrorSpecs = ErrorSpecs,
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
  /** Errors of the application. */
  readonly errors: X
}

/** Result of `defineContract`: the messages of an application, and the methods for its errors. */
export type DefinedContract<
  C extends CallSpecs,
  Q extends CallSpecs,
  E extends EventSpecs,
  S extends StreamSpecs,
  R extends ReplicaSpecs,
  T extends TopicSpecs,
  X extends ErrorSpecs,
> = Contract<C, Q, E, S, R, T, X> & ContractErrors<X>

type NoSpecs = Readonly<Record<never, never>>

/** Events by name, with the literal type of `trustOutput`. */
type EventsOf<P extends Readonly<Record<string, Schema>>, F extends TrustFlags> = {
  readonly [K in keyof P]: K extends keyof F
    ? F[K] extends true
      ? EventSpec<P[K]> & {
          /** True: no validation. */
          readonly trustOutput: true
        }
      : EventSpec<P[K]>
    : EventSpec<P[K]>
}
/** Part of an event's spec from which `trustOutput` is inferred. */
interface TrustFlag<Flag> {
  /** Schema of the payload. */
  readonly payload: Schema
  /** The inferred flag. */
  readonly trustOutput?: Flag
}
/** `true` for each event with `trustOutput: true`. */
type TrustFlags = Readonly<Record<string, unknown>>

/** Type of a member that a spec lacks. No value has it; the compiler's error shows the members that exist. */
interface NoMember<Members extends string> {
  /** The members that exist. */
  readonly members: Members
}

/** Refuses misspelt members of specs. */
type OnlyMembers<S, Members extends string> = {
  readonly [K in keyof S]: { readonly [P in Exclude<keyof S[K], Members>]: NoMember<Members> }
}

/**
 * Declares a contract. A key is camelCase, at most 64 letters and digits, and unique among commands, queries, events, streams,
 * replicas and topics; a replica of a topic kind only within its kind. Topics refer to events of the same contract. Schemas of events and presence states are called once with
 * each of a few values, to find those that validate asynchronously.
 * @throws TypeError that names an unknown member of the contract or of a spec, the key which breaks a rule, the code of an
 * error that is not snake_case or camelCase or is one of Hawser, or the event or topic whose schema is asynchronous, or the
 * delivery of an event that is unknown. RangeError for a rate limit out of range.
 */
export function defineContract<
  C extends CallSpecs = NoSpecs,
  Q extends CallSpecs = NoSpecs,
  P extends Readonly<Record<string, Schema>> = NoSpecs,
  S extends StreamSpecs = NoSpecs,
  R extends ReplicaSpecs = NoSpecs,
  T extends Readonly<Record<string, TopicSpec<keyof P & string>>> = NoSpecs,
  X extends ErrorSpecs = NoSpecs,
  const F extends TrustFlags = NoSpecs,
>(spec: {
  /** Name of the contract. HELLO carries it; error messages contain it. */
  readonly name: string
  /** Requests that change state, by name. Default: none. */
  readonly commands?: C & OnlyMembers<C, "input" | "output" | "limit" | "trustOutput">
  /** Requests that change nothing, by name. Default: none. */
  readonly queries?: Q & OnlyMembers<Q, "input" | "output" | "limit" | "trustOutput">
  /** Events by name. One with a `key` must be volatile. Default: none. */
  readonly events?: { readonly [K in keyof P]: EventSpec<P[K]> } & {
    readonly [K in keyof F]: TrustFlag<F[K]>
  }
  /** Requests with a sequence of items as reply, by name. Default: none. */
  readonly streams?: S & OnlyMembers<S, "input" | "item" | "limit" | "trustOutput">
  /** Replicated records by name. Default: none. */
  readonly replicas?: R
  /** Kinds of topics by name. Their events must be in `events`. Default: none. */
  readonly topics?: T
  /** Errors of the application by code: the schema of their details, or null. Default: none. */
  readonly errors?: X
}): DefinedContract<C, Q, EventsOf<P, F>, S, R, T, X>
export function defineContract(spec: {
  readonly name: string
  readonly commands?: CallSpecs
  readonly queries?: CallSpecs
  readonly events?: EventSpecs
  readonly streams?: StreamSpecs
  readonly replicas?: ReplicaSpecs
  readonly topics?: TopicSpecs
  readonly errors?: ErrorSpecs
}): Contract & ContractErrors<ErrorSpecs> {
  assertSpec(spec)
  const { name, commands = {}, queries = {}, events = {}, streams = {}, replicas = {} } = spec
  const { topics = {}, errors = {} } = spec
  const seen = new Set<string>()
  const parts = [commands, queries, events, streams, replicas, topics]
  for (const key of parts.flatMap((specs) => Object.keys(specs))) {
    assertKey(name, key)
    if (key === "authenticate")
      throw new TypeError(`contract "${name}": "authenticate" is reserved by the protocol; rename it`)
    if (seen.has(key)) throw new TypeError(`contract "${name}": "${key}" is declared twice`)
    seen.add(key)
  }
  for (const [key, { limit }] of Object.entries<CallSpec | StreamSpec>({
    ...commands,
    ...queries,
    ...streams,
  }))
    if (limit !== undefined) assertRateLimit(`contract "${name}": "${key}"`, limit)
  for (const [key, event] of Object.entries(events)) {
    assertDelivery(`contract "${name}": event "${key}"`, event.delivery)
    if (event.key !== undefined && event.delivery !== "volatile") {
      throw new TypeError(`contract "${name}": event "${key}" has a key, so its delivery must be volatile`)
    }
    assertSynchronous(event.payload, `event "${key}" of contract "${name}"`)
  }
  for (const [key, topic] of Object.entries(topics)) {
    const unknown = topic.events.find((event) => !Object.hasOwn(events, event))
    if (unknown !== undefined)
      throw new TypeError(`contract "${name}": topic "${key}" names "${unknown}", which is not an event`)
    if (topic.presence !== undefined)
      assertSynchronous(topic.presence, `presence of topic "${key}" of contract "${name}"`)
    for (const replica of Object.keys(topic.replicas)) assertKey(name, replica)
  }
  const methods = contractErrors(name, errors)
  return { name, commands, queries, events, streams, replicas, topics, errors, ...methods }
}

/** @throws TypeError for a key that is not camelCase. */
function assertKey(contract: string, key: string): void {
  if (/^[a-z][a-zA-Z0-9]{0,63}$/.test(key)) return
  throw new TypeError(`contract "${contract}": "${key}" must be camelCase letters and digits, 64 at most`)
}

function assertDelivery(where: string, delivery: unknown): void {
  if (delivery === undefined || delivery === "reliable" || delivery === "volatile") return
  throw new TypeError(`${where}: delivery must be "reliable" or "volatile", not ${quoted(delivery)}`)
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
/** Name of a replica of a kind of topics. */
export type TopicReplicaName<T extends Contract, K extends TopicKind<T>> = keyof T["topics"][K]["replicas"] &
  string
/** Record of a topic's replica, without its id. */
export type TopicReplicaRecord<
  T extends Contract,
  K extends TopicKind<T>,
  R extends TopicReplicaName<T, K>,
> = RecordOf<T["topics"][K]["replicas"][R]>
type PresenceSchema<T extends Contract, K extends TopicKind<T>> = T["topics"][K]["presence"]
/** State that a member passes, before validation; undefined for a kind without presence. */
export type PresenceInput<T extends Contract, K extends TopicKind<T>> =
  PresenceSchema<T, K> extends Schema ? SchemaInput<PresenceSchema<T, K>> : NoState<PresenceSchema<T, K>>
/** State that other members receive, after validation; undefined for a kind without presence. */
export type PresenceState<T extends Contract, K extends TopicKind<T>> =
  PresenceSchema<T, K> extends Schema ? SchemaOutput<PresenceSchema<T, K>> : NoState<PresenceSchema<T, K>>
/** State of a kind without a presence schema; `unknown` if the contract's type is not known. */
type NoState<P> = [P] extends [undefined] ? undefined : unknown

/** Input that a caller passes, before validation; undefined for a call without input. */
export type CallInput<S extends CallSpec | StreamSpec> = S extends { readonly input: infer I extends Schema }
  ? SchemaInput<I>
  : Erased<S, "input">
/** Input that a handler receives, after validation; undefined for a call without input. */
export type ValidInput<S extends CallSpec | StreamSpec> = S extends { readonly input: infer I extends Schema }
  ? SchemaOutput<I>
  : Erased<S, "input">
/** Arguments of a request after its name. The input may be left out if the call has none, or if its type includes undefined. */
export type CallArguments<S extends CallSpec | StreamSpec, Options> =
  undefined extends CallInput<S>
    ? [input?: CallInput<S>, options?: Options]
    : [input: CallInput<S>, options?: Options]
/** Output that a handler returns: before validation, or with `trustOutput` after it. Undefined for a call without output. */
export type CallOutput<S extends CallSpec> = S extends { readonly output: infer O extends Schema }
  ? SentBy<S, O>
  : Erased<S, "output">
/** Output that a caller receives, after validation; undefined for a call without output. */
export type ValidOutput<S extends CallSpec> = S extends { readonly output: infer O extends Schema }
  ? SchemaOutput<O>
  : Erased<S, "output">
/** Item that the handler of a stream yields: before validation, or with `trustOutput` after it. */
export type StreamItem<S extends StreamSpec> = SentBy<S, S["item"]>
/** Item that the reader of a stream receives, after validation. */
export type ValidItem<S extends StreamSpec> = SchemaOutput<S["item"]>
/** Payload that a client publishes, before validation. */
export type EventPayload<T extends Contract, K extends EventName<T>> = SchemaInput<T["events"][K]["payload"]>
/** Payload that the server sends: before validation, or with `trustOutput` after it. */
export type SentPayload<T extends Contract, K extends EventName<T>> = SentBy<
  T["events"][K],
  T["events"][K]["payload"]
>
/** Payload that a listener receives, after validation. */
export type ValidPayload<T extends Contract, K extends EventName<T>> = SchemaOutput<T["events"][K]["payload"]>

/** Value that the server sends. */
type SentBy<S, O extends Schema> = S extends {
  /** True: no validation. */
  readonly trustOutput: true
}
  ? SchemaOutput<O>
  : SchemaInput<O>
/** Type of an absent member; `unknown` if the spec's type is not known. */
type Erased<S, Member extends string> = Member extends keyof S ? unknown : undefined

/** The contract of a server with the option `trustOutput`: handlers and publications give validated values. */
export type Trusted<T extends Contract> = Contract<
  TrustedSpecs<T["commands"]>,
  TrustedSpecs<T["queries"]>,
  TrustedSpecs<T["events"]>,
  TrustedSpecs<T["streams"]>,
  T["replicas"],
  T["topics"],
  T["errors"]
>
type TrustedSpecs<S> = {
  readonly [K in keyof S]: S[K] & {
    /** True: no validation. */
    readonly trustOutput: true
  }
}
