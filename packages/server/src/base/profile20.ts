// Where an application says how its messages look to clients of protocol `2.0`. Handlers know nothing of it.
import { plain } from "@hawser/protocol"
import { isMap } from "@hawser/protocol/core"
import type {
  CallOutput,
  CommandName,
  Contract,
  Encodable,
  EventName,
  EventPayload,
  QueryName,
  ReplicaName,
  ReplicaRecord,
} from "@hawser/protocol"
import type { WireError } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "./authenticate.ts"
import type { Session } from "./session.ts"

/** An event of `2.0`: `name` is camelCase and travels as `event_` plus its snake_case form. */
export interface Event20 {
  readonly name: string
  readonly payload: Encodable<object>
}

/** The payload of a request of `2.0`, always a map. */
export type Payload20 = Readonly<Record<string, unknown>>

type Outputs<C extends Contract> = {
  readonly [K in CommandName<C>]: CallOutput<C["commands"][K]>
} & {
  readonly [K in QueryName<C>]: CallOutput<C["queries"][K]>
}

/** The same with the contract's types. */
export interface ReplicaChange20Of<C extends Contract, K extends ReplicaName<C>> {
  readonly records: readonly (ReplicaRecord<C, K> & { readonly id: string })[]
  readonly gone: readonly string[]
}

/** What is left out passes unchanged: names as they are, payloads as they are. */
export interface Profile20<C extends Contract, User extends AuthenticatedUser> {
  /** The payload of `event_welcome`. Called once, before anything else is sent to the session. */
  readonly welcome?: (session: Session<User, C>) => object
  /**
   * By the camelCase name that the client sent: its payload to a contract's call and input.
   * Throws `HawserError` for what this server lacks.
   */
  readonly requests?: Readonly<Record<string, (payload: Payload20) => Request20>>
  /** By the contract's key: a handler's result to the payload of `resp_success` or `resp_data`. */
  readonly replies?: {
    readonly [K in keyof Outputs<C>]?: (output: Outputs<C>[K], session: Session<User, C>) => unknown
  }
  /** The error of a request, by the name that the client sent. */
  readonly error?: (error: WireError, name: string) => WireError
  /** By the contract's key: an event to none, one or several of `2.0`. Called once per publication, not per recipient. */
  readonly events?: {
    readonly [K in EventName<C>]?: (payload: EventPayload<C, K>) => readonly Event20[]
  }
  /**
   * By the contract's key: what changed of a replica to none, one or several events. Called once for each distinct
   * change, not per viewer. Without it clients of `2.0` see nothing of the replica.
   */
  readonly replicas?: {
    readonly [K in ReplicaName<C>]?: (change: ReplicaChange20Of<C, K>) => readonly Event20[]
  }
}

/** What a client of `2.0` must be told of a replica. */
export interface ReplicaChange20 {
  /** Records that are new to it or have changed: all of their fields, and their id. */
  readonly records: readonly (Readonly<Record<string, unknown>> & { readonly id: string })[]
  /** Ids of records that it sees no more. */
  readonly gone: readonly string[]
}

export interface Request20 {
  readonly name: string
  readonly input: unknown
}

/** The same, completed and looked up in maps, so that names such as `toString` find nothing. */
export interface Translator20<User extends AuthenticatedUser> {
  welcome(session: Session<User>): object
  request(name: string, payload: unknown): Request20
  reply(name: string, output: unknown, session: Session<User>): unknown
  error(error: WireError, name: string): WireError
  event(name: string, payload: unknown): readonly Event20[]
  replica(name: string, change: ReplicaChange20): readonly Event20[]
}

export function createTranslator20<User extends AuthenticatedUser>(
  profile: Profile20<Contract, User> = {},
): Translator20<User> {
  const requests = new Map(Object.entries(profile.requests ?? {}))
  const replies = new Map(Object.entries(profile.replies ?? {}))
  const events = new Map(Object.entries(profile.events ?? {}))
  const replicas = new Map(Object.entries(profile.replicas ?? {}))
  return {
    welcome: (session) => profile.welcome?.(session) ?? {},
    request: (name, payload) => requests.get(name)?.(asMap(payload)) ?? { name, input: payload },
    reply: (name, output, session) => replies.get(name)?.(plain(output), session) ?? output,
    error: (error, name) => profile.error?.(error, name) ?? error,
    event: (name, payload) =>
      events.get(name)?.(plain(payload)) ?? [{ name, payload: asMap(plain(payload)) }],
    replica: (name, change) => replicas.get(name)?.(change) ?? [],
  }
}

/** `2.0` knows maps only; anything else travels as `{ value }`. */
function asMap(value: unknown): Record<string, unknown> {
  return isMap(value) ? value : { value }
}
