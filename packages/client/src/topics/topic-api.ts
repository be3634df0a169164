// What an application sees of a topic at the client.
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
  ValidPayload,
} from "@hawser/protocol"
import type { CallOptions } from "../calls/requests.ts"
import type { ListenOptions, Unsubscribe } from "../base/event-bus.ts"
import type { EventMeta } from "../base/event-delivery.ts"

/**
 * `out`: not in it. `joining`: asked for. `in`: what is published arrives. `rejoining`: its session has ended, and it is
 * joined again in the next one, from where it stood.
 */
export type TopicState = "out" | "joining" | "in" | "rejoining"

export interface JoinOptions {
  /** Aborting gives the join up; it rejects with `cancelled`. */
  readonly signal?: AbortSignal
  /** Brings what was published after this position, such as the one that a page kept when it was left. */
  readonly since?: TopicPosition
  /** Brings the last so many publications, as far as the server keeps them; at most what was published. Default 0. No such number: RangeError. */
  readonly recent?: number
}

/** With a state where members show one. */
export type JoinArguments<C extends Contract, K extends TopicKind<C>> =
  PresenceInput<C, K> extends undefined
    ? [options?: JoinOptions]
    : [options: JoinOptions & { readonly state: PresenceInput<C, K> }]

export interface PublishOptions extends CallOptions {
  /** Whether this client gets it, too, if it is in the topic. Default true. */
  readonly echo?: boolean
}

export interface Published {
  /** Its number in the topic; undefined for a volatile event, and where nobody hears it. */
  readonly offset: number | undefined
}

/** What an iteration yields: a publication, or publications that are missing before the next one. */
export type TopicItem<C extends Contract, K extends TopicKind<C>> =
  | {
      readonly [E in TopicEventName<C, K>]: {
        readonly kind: "message"
        readonly event: E
        readonly payload: ValidPayload<C, E>
        readonly meta: EventMeta
      }
    }[TopicEventName<C, K>]
  | { readonly kind: "gap"; readonly gap: TopicGap }

/** A member of a topic. */
export interface Member<State = unknown> {
  /** Of this stay: one user may have several, and has another one after a new join. */
  readonly id: number
  /** The id of its user at the server. */
  readonly user: string
  readonly state: State
  /** True while its connection is away and may still come back. */
  readonly away: boolean
}

/** What was told together, each member once. */
export interface PresenceUpdate<State = unknown> {
  readonly joined: readonly Member<State>[]
  /** As they are now. */
  readonly changed: readonly Member<State>[]
  readonly left: readonly Member<State>[]
}

/** Who is in the topic. Readable at any time, also while the connection is away; then `stale` says so. */
export interface PresenceView<State = unknown> {
  /** All members, also those that are not listed: a server lists the first 256 by default. */
  readonly count: number
  /** Members that are listed. */
  readonly size: number
  /** True unless this client is in the topic and connected. */
  readonly stale: boolean
  /** This client's own entry, if it is listed. */
  readonly self: Member<State> | undefined
  get(id: number): Member<State> | undefined
  [Symbol.iterator](): IterableIterator<Member<State>>
  /** Calls `listener` once for everything that was told together. */
  subscribe(listener: (update: PresenceUpdate<State>) => unknown, options?: ListenOptions): Unsubscribe
}

/**
 * One topic, at this client. The same name gives the same object, as long as anybody holds it, is in the topic or listens
 * to it.
 */
export interface TopicRoom<C extends Contract, K extends TopicKind<C>> {
  readonly name: string
  readonly state: TopicState
  /** So far everything has arrived, but for gaps that were told. Undefined before the first join. */
  readonly position: TopicPosition | undefined
  /**
   * Asks to be in. Resolves when it is, after what was missed has arrived; it then stays so over lost connections and
   * lost sessions, until `leave`, `onLeft` or `close`. Rejects with `forbidden`, `rate_limited`, `invalid_input` (the
   * state), `not_available`, `cancelled`, or what the server's application throws.
   */
  join(...options: JoinArguments<C, K>): Promise<void>
  /** Ends iterations. Resolves when the server knows; what is on its way until then still goes to listeners. */
  leave(): Promise<void>
  /**
   * Publishes by the server, which validates it and decides who may. Resolves when it has been published. Rejects with
   * `forbidden`, `invalid_input`, `rate_limited`, `not_available`, or what the server's application throws.
   */
  publish<E extends TopicEventName<C, K>>(
    event: E,
    payload: EventPayload<C, E>,
    options?: PublishOptions,
  ): Promise<Published>
  /** Calls `listener` for what is published here, in order; also for what the server's application lets it hear. */
  on<E extends TopicEventName<C, K>>(
    event: E,
    listener: (payload: ValidPayload<C, E>, meta: EventMeta) => unknown,
    options?: ListenOptions,
  ): Unsubscribe
  /** Called before the first publication after a gap: what is missing did not arrive and will not. */
  onGap(listener: (gap: TopicGap) => unknown, options?: ListenOptions): Unsubscribe
  /** Called when the server, or a later refusal, put this client out: with the reason. Not after `leave`. */
  onLeft(listener: (reason: HawserError) => unknown, options?: ListenOptions): Unsubscribe
  readonly presence: PresenceView<PresenceState<C, K>>
  /** Changes what this client shows of itself. Rejects as `join`, and with `forbidden` when it is not in. */
  setState(state: PresenceInput<C, K>, options?: CallOptions): Promise<void>
  /**
   * Reads what is published from now on, until `leave`, the end of the membership, or the status `closed`. On a closed
   * client it ends at once; begin it again after another `connect()`. A reader 1,024 items behind gets a gap instead.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<TopicItem<C, K>, undefined>
}
