// Public types of a topic at the client.
import type {
  Contract,
  EventPayload,
  HawserError,
  PresenceInput,
  PresenceState,
  TopicEventName,
  TopicGap,
  TopicKind,
  TopicPosition,
  TopicReplicaName,
  TopicReplicaRecord,
  ValidPayload,
} from "@hawser/protocol"
import type { CallOptions } from "../calls/requests.ts"
import type { ListenOptions, Unsubscribe } from "../base/event-bus.ts"
import type { Store } from "../base/store.ts"
import type { EventMeta } from "../base/event-delivery.ts"
import type { ReplicaCopy } from "../replicas/replica-api.ts"

/**
 * State of the membership. `out`: not a member. `joining`: a first join is under way. `in`: publications arrive.
 * `rejoining`: the session has ended, and the next one joins again from the last position.
 */
export type TopicState = "out" | "joining" | "in" | "rejoining"

/** Options of `join`. */
export interface JoinOptions {
  /** Aborts the join, which then rejects with `cancelled`. Default: none. */
  readonly signal?: AbortSignal
  /** Position after which publications are replayed, such as a stored one of an earlier page. Default: none. */
  readonly since?: TopicPosition
  /**
   * Number of latest publications to replay; default 0. The server's history bounds it (`history` of the topic kind).
   * Rejects with RangeError for a number that is not whole or is below 0.
   */
  readonly recent?: number
}

/** Arguments of `join`: with `state` if the topic kind declares presence. */
export type JoinArguments<C extends Contract, K extends TopicKind<C>> =
  PresenceInput<C, K> extends undefined
    ? [options?: JoinOptions]
    : [
        options: JoinOptions & {
          /**
           * Presence state of the member. `join` rejects with `invalid_input` if the contract refuses it, or if its encoding is
           * longer than `presenceStateMaxBytes` of the server, 512 bytes by default.
           */
          readonly state: PresenceInput<C, K>
        },
      ]

/** Options of `publish`. */
export interface PublishOptions extends CallOptions {
  /** False excludes this client from the recipients. Default true. */
  readonly echo?: boolean
}

/** Outcome of `publish`. */
export interface Published {
  /** Offset of the publication in its topic; undefined for a volatile event, and for a topic without subscribers. */
  readonly offset: number | undefined
}

/** Item of an iteration: a publication, or a gap before the next publication. */
export type TopicItem<C extends Contract, K extends TopicKind<C>> =
  | {
      readonly [E in TopicEventName<C, K>]: {
        /** Kind of the item: a publication. */
        readonly kind: "message"
        /** Name of the event. */
        readonly event: E
        /** Payload of the event, validated by the contract. */
        readonly payload: ValidPayload<C, E>
        /** Topic and offset of the publication. */
        readonly meta: EventMeta
      }
    }[TopicEventName<C, K>]
  | {
      /** Kind of the item: a gap. */
      readonly kind: "gap"
      /** Missing publications, and the reason. */
      readonly gap: TopicGap
    }

/** Options of `log`. */
export interface LogOptions {
  /** Most items of the log, 1 to 1,024; default 100. The oldest are dropped. */
  readonly size?: number
}

/** A member of a topic. */
export interface Member<State = unknown> {
  /** Number that identifies the membership. Each join gets a new one, so one user may have several. */
  readonly id: number
  /** Id of the user at the server. */
  readonly user: string
  /** Presence state, validated by the contract; undefined if the topic kind declares none. */
  readonly state: State
  /** True while the member's session is detached and may be resumed. */
  readonly away: boolean
}

/** Changes of one `$presence` event. Each member occurs once. All lists are empty if only the count or `stale` changed. */
export interface PresenceUpdate<State = unknown> {
  /** New members. */
  readonly joined: readonly Member<State>[]
  /** Members whose state or `away` has changed, with the current values. */
  readonly changed: readonly Member<State>[]
  /** Members that left, with their last values. */
  readonly left: readonly Member<State>[]
}

/** The member list of a topic at one moment. */
export interface PresenceSnapshot<State = unknown> {
  /** Listed members. A member that has not changed keeps its object. */
  readonly members: readonly Member<State>[]
  /** Number of all members. */
  readonly count: number
  /** This client's own member; undefined if it is not listed. */
  readonly self: Member<State> | undefined
  /** True unless this client is in the topic and connected. */
  readonly stale: boolean
}

/** The client's copy of a topic's member list. Readable at any time; `stale` is true while it may be outdated. It is a store. */
export interface PresenceCopy<State = unknown> extends Store<PresenceSnapshot<State>> {
  /** Number of all members. The list holds those that joined first, 256 by default (`presenceListMaxCount` of the server). */
  readonly count: number
  /** Number of listed members. */
  readonly size: number
  /** True unless this client is in the topic and connected. */
  readonly stale: boolean
  /** This client's own member; undefined if it is not listed. */
  readonly self: Member<State> | undefined
  /** Returns the listed member with this id; undefined if there is none. */
  get(id: number): Member<State> | undefined
  /** Iterates the listed members. */
  [Symbol.iterator](): IterableIterator<Member<State>>
  /**
   * Calls `listener` once for each `$presence` event that changes the list or the count, and when `stale` changes. Returns
   * the unsubscribe function. The method works without its object.
   */
  readonly subscribe: (
    listener: (update: PresenceUpdate<State>) => unknown,
    options?: ListenOptions,
  ) => Unsubscribe
}

/**
 * One topic at this client. `client.topic` returns the same object for the same name, as long as the application references
 * it, the client is a member, or a listener or iteration exists.
 */
export interface ClientTopic<C extends Contract, K extends TopicKind<C>> {
  /** Name of the topic, such as `chat:docks`. */
  readonly name: string
  /** State of the membership; `out` before the first join. */
  readonly state: TopicState
  /** Position of the last received publication. All earlier ones arrived or were reported as gaps. Undefined before the first join. */
  readonly position: TopicPosition | undefined
  /**
   * Joins the topic. Resolves when the replayed publications have arrived. The membership survives lost connections and
   * sessions, until `leave`, `onLeft` or `close`. Rejects with `forbidden`, `rate_limited`, `invalid_input` (the state),
   * `not_available`, `cancelled`, or an error of the server's application.
   */
  join(...options: JoinArguments<C, K>): Promise<void>
  /**
   * Leaves the topic and ends its iterations. Resolves when the server has confirmed it; publications that arrive before
   * still reach listeners. Rejects with `timeout` after `limits.requestTimeoutMs`; the leave stays under way.
   */
  leave(): Promise<void>
  /**
   * Publishes an event, which the server authorises and validates. Resolves when it has been published. Rejects with
   * `forbidden`, `invalid_input`, `rate_limited`, `not_available`, or an error of the server's application.
   */
  publish<E extends TopicEventName<C, K>>(
    event: E,
    payload: EventPayload<C, E>,
    options?: PublishOptions,
  ): Promise<Published>
  /**
   * Calls `listener` for each publication of this event, in order; also for those of a subscription by the server.
   * Returns the unsubscribe function. @throws TypeError for an event that the topic's kind lacks.
   */
  on<E extends TopicEventName<C, K>>(
    event: E,
    listener: (payload: ValidPayload<C, E>, meta: EventMeta) => unknown,
    options?: ListenOptions,
  ): Unsubscribe
  /** Calls `listener` before the first publication after a gap. The missing publications never arrive. */
  onGap(listener: (gap: TopicGap) => unknown, options?: ListenOptions): Unsubscribe
  /** Calls `listener` with the reason when the server removes this client or refuses a rejoin. Not after `leave`. */
  onLeft(listener: (reason: HawserError) => unknown, options?: ListenOptions): Unsubscribe
  /** Copy of the member list. */
  readonly presence: PresenceCopy<PresenceState<C, K>>
  /**
   * Returns a store of the last publications and gaps, from the first call on. The same size gives the same store. A `join`
   * without `since` empties it: the log then begins with the replayed publications.
   * @throws RangeError for a size that is no whole number from 1 to 1,024.
   */
  log(options?: LogOptions): Store<readonly TopicItem<C, K>[]>
  /** Replaces this client's presence state. Rejects like `join`, and with `forbidden` if the client is not a member. */
  setState(state: PresenceInput<C, K>, options?: CallOptions): Promise<void>
  /**
   * Iterates publications and gaps until `leave`, the end of the membership, or the status `closed`. An iteration that begins in
   * the turn of the event loop in which `join` resolves, or earlier, yields everything since the call of `join`: the replayed
   * publications first. One that begins later yields later items only. On a closed client it ends at once. At 1,024 waiting items the
   * oldest ones become a gap.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<TopicItem<C, K>, undefined>
}

/** The part of a topic that needs the feature `replicas`, too. */
export interface TopicReplicas<C extends Contract, K extends TopicKind<C>> {
  /**
   * Returns this topic's copy of a replica of its kind. The same name gives the same copy. It is empty until `join` has resolved,
   * and the next update has arrived. It stays readable without a connection, and in a new session until the topic is joined again.
   * At the end of the membership it is emptied: by `leave`, with `onLeft`, and by `close`.
   * @throws TypeError for a replica that the kind lacks, and without the feature `replicas`.
   */
  replica<R extends TopicReplicaName<C, K>>(name: R): ReplicaCopy<TopicReplicaRecord<C, K, R>>
}
