// Options of profile `2.0`: where an application says how its messages look to clients of protocol `2.0`. Handlers see the
// contract's names and payloads only.
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
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { Session } from "../base/session.ts"

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

export interface Request20 {
  readonly name: string
  readonly input: unknown
}
