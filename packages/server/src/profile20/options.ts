// Options of profile `2.0`: translation between the contract's messages and those of protocol `2.0`. Handlers get the contract's
// names and payloads only.
import type {
  CommandName,
  Contract,
  Encodable,
  EventName,
  QueryName,
  ReplicaName,
  ReplicaRecord,
  ValidOutput,
  ValidPayload,
} from "@hawser/protocol"
import type { WireError } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { Session } from "../base/session.ts"

/** Event of `2.0`. */
export interface Event20 {
  /** Name in camelCase. The wire carries `event_` and its snake_case form. */
  readonly name: string
  /** Payload, always a map. */
  readonly payload: Encodable<object>
}

/** Payload of a request of `2.0`, always a map. */
export type Payload20 = Readonly<Record<string, unknown>>

type Outputs<C extends Contract> = {
  readonly [K in CommandName<C>]: ValidOutput<C["commands"][K]>
} & {
  readonly [K in QueryName<C>]: ValidOutput<C["queries"][K]>
}

/** Change of a replica, with the contract's types. */
export interface ReplicaChange20Of<C extends Contract, K extends ReplicaName<C>> {
  /** Records that are new to the client or have changed: all of their fields, and their id. */
  readonly records: readonly (ReplicaRecord<C, K> & {
    /** Id of the record. */
    readonly id: string
  })[]
  /** Ids of records that left the client's view. */
  readonly gone: readonly string[]
}

/** Options of `profile20()`: translations by name. A name without a translation passes unchanged, with its payload. */
export interface Profile20<C extends Contract, User extends AuthenticatedUser> {
  /** Returns the payload of `event_welcome`; default an empty map. Called once per session, before its first message. */
  readonly welcome?: (session: Session<User, C>) => object
  /**
   * Translations of requests, by the camelCase name that the client sent: payload to call and input of the contract. A
   * HawserError that it throws is the reply. Other errors go to `onError`; the reply is `sys_internal_error`.
   */
  readonly requests?: Readonly<Record<string, (payload: Payload20) => Request20>>
  /**
   * Translations of replies, by the contract's key: validated result of the handler to the payload of `resp_success` or
   * `resp_data`.
   */
  readonly replies?: {
    readonly [K in keyof Outputs<C>]?: (output: Outputs<C>[K], session: Session<User, C>) => unknown
  }
  /** Translation of a request's error. `name`: of the request, as the client sent it. */
  readonly error?: (error: WireError, name: string) => WireError
  /**
   * Translations of events, by the contract's key: one event, after validation, to any number of `2.0` events. Called once per
   * publication.
   */
  readonly events?: {
    readonly [K in EventName<C>]?: (payload: ValidPayload<C, K>) => readonly Event20[]
  }
  /**
   * Translations of replicas, by the contract's key: change of the records to any number of `2.0` events. Called once for each
   * distinct change, not per viewer. Without a translation clients of `2.0` get no records of the replica.
   */
  readonly replicas?: {
    readonly [K in ReplicaName<C>]?: (change: ReplicaChange20Of<C, K>) => readonly Event20[]
  }
}

/** Translated request of `2.0`. */
export interface Request20 {
  /** Name of the call in the contract. */
  readonly name: string
  /** Input of the call; the server validates it. */
  readonly input: unknown
}
