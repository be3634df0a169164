// Public types of the hooks.
import type {
  CallArguments,
  CallOptions,
  ClientStatus,
  ClientTopic,
  CommandName,
  Contract,
  EventListener,
  EventName,
  KindOfTopic,
  Member,
  PresenceInput,
  PresenceSnapshot,
  PresenceState,
  ReplicaName,
  ReplicaRecord,
  ReplicaSnapshot,
  StreamName,
  StreamOptions,
  TopicGap,
  TopicItem,
  TopicKind,
  TopicName,
  ValidItem,
  ValidOutput,
  ValidPayload,
} from "@hawser/client"
import type { ClientWith, FeatureName } from "@hawser/client/core"
import type { ReactNode } from "react"

/** Properties of `Provider`. */
export interface ProviderProps<Client> {
  /**
   * Client of the hooks below. The provider owns its connection: it connects the client when the first provider of it mounts, and
   * closes it when the last one has unmounted. Create it outside of components, with `autoConnect: false`.
   */
  readonly client: Client
  /** Components that use the hooks. */
  readonly children?: ReactNode
}

/** Options of `useTopic`. Those of the component that mounts first apply to the join; a later change of them has no effect. */
export interface TopicHookOptions {
  /** Number of latest publications to replay at the join; default 0. The server's history bounds it. */
  readonly recent?: number
  /** Most items in `log`, 1 to 1,024; default 100. The oldest are dropped. */
  readonly log?: number
}

/**
 * Arguments of `useTopic` after the name: with `state` if the topic kind declares presence. For a wrong name they are optional, so that
 * the compiler reports the name.
 */
export type TopicArguments<C extends Contract, N extends TopicName<C>> =
  TopicName<C> extends N
    ? [options?: TopicHookOptions & Partial<TopicHookState<C, KindOfTopic<C, N>>>]
    : PresenceInput<C, KindOfTopic<C, N>> extends undefined
      ? [options?: TopicHookOptions]
      : [options: TopicHookOptions & TopicHookState<C, KindOfTopic<C, N>>]

/** Option of `useTopic` for a topic kind with presence. */
export interface TopicHookState<C extends Contract, K extends TopicKind<C>> {
  /** Presence state at the join. `setState` of `usePresence` replaces it later. */
  readonly state: PresenceInput<C, K>
}

/**
 * A topic while a component is mounted. The component renders again for a change of the members that it reads while it
 * renders, so one that reads `log` and `send` does not render for each change of `members`.
 */
export interface TopicHook<C extends Contract, K extends TopicKind<C>> {
  /** Last publications and gaps, the oldest first. It begins with the replayed publications. */
  readonly log: readonly TopicItem<C, K>[]
  /** Last gap in `log`: publications that never arrive. Undefined without one. */
  readonly gap: TopicGap | undefined
  /** Listed members of the topic, this client included. */
  readonly members: readonly Member<PresenceState<C, K>>[]
  /**
   * Reason why the join was refused, or why the server removed this client; undefined while the client joins or is a member.
   * The next component of the topic that mounts joins again. If no mounted component reads `error`, a
   * refusal is an unhandled rejection, and a removal goes to `onError` of the client.
   */
  readonly error: unknown
  /** Publishes an event, like `publish` of the topic. Always the same function. Rejects with TypeError for the name `null`. */
  readonly send: ClientTopic<C, K>["publish"]
}

/** The member list of a topic, and a function that changes this client's own state in it. */
export interface PresenceHook<C extends Contract, K extends TopicKind<C>> extends PresenceSnapshot<
  PresenceState<C, K>
> {
  /** Replaces this client's state, like `setState` of the topic. Always the same function. Rejects with TypeError for the name `null`. */
  readonly setState: ClientTopic<C, K>["setState"]
}

/** A command, and the outcome of its last run. */
export interface CommandHook<C extends Contract, K extends CommandName<C>> {
  /**
   * Sends the command, like `client.command`. Always the same function. It rejects with the same error; a rejection without a
   * handler is reported by the runtime only if the component does not read `error`.
   */
  readonly run: (
    ...args: CallArguments<C["commands"][K], CallOptions>
  ) => Promise<ValidOutput<C["commands"][K]>>
  /** True while a run has no outcome. */
  readonly pending: boolean
  /** Error of the latest run; undefined before its outcome, and after a success. */
  readonly error: unknown
}

/** Options of `useStream`. The stream restarts for another `window` or `whenOffline`. */
export interface StreamHookOptions extends Omit<StreamOptions, "signal"> {
  /** Most items in `items`, a whole number above 0; default 100. The oldest are dropped. */
  readonly size?: number
}

/** A stream while a component is mounted. */
export interface StreamHook<Item> {
  /** Last items, the oldest first. Empty when the stream restarts. */
  readonly items: readonly Item[]
  /** True after the last item: the stream ended without an error. */
  readonly done: boolean
  /** Error that ended the stream; undefined without one. If the component does not read it, it is an unhandled rejection. */
  readonly error: unknown
  /** Opens the stream again. Always the same function. */
  readonly restart: () => void
}

/** Hooks of every client. */
export interface CoreHooks<C extends Contract, Client> {
  /** Gives the hooks below it their client, and connects it while it is mounted. On a server it renders its children only. */
  readonly Provider: (props: ProviderProps<Client>) => ReactNode
  /** Returns the client of the provider. @throws Error without a provider, like every other hook. */
  readonly useClient: () => Client
  /** Returns the status of the client. On a server: `idle`. */
  readonly useStatus: () => ClientStatus
  /**
   * Calls `listener` for each event of this name while the component is mounted; always the listener of the last render.
   * @throws TypeError for an event that the contract lacks.
   */
  readonly useEvent: <K extends EventName<C>>(event: K, listener: EventListener<ValidPayload<C, K>>) => void
  /**
   * Returns a function that sends a command, and its outcome.
   */
  readonly useCommand: <K extends CommandName<C>>(name: K) => CommandHook<C, K>
}

/** Hooks of the feature `topics`. */
export interface TopicHooks<C extends Contract> {
  /**
   * Joins a topic while the component is mounted; `null` joins none. All components of the same client and topic share one
   * membership: the last one that unmounts leaves. After another log-in the client joins again.
   * @throws TypeError for an invalid name. RangeError for a `log` that is no whole number from 1 to 1,024.
   */
  readonly useTopic: <N extends TopicName<C>>(
    name: N | null,
    ...options: TopicArguments<C, NoInfer<N>>
  ) => TopicHook<C, KindOfTopic<C, N>>
  /** Returns the member list of a topic; it does not join: `useTopic` does. `null`: the empty list. */
  readonly usePresence: <N extends TopicName<C>>(name: N | null) => PresenceHook<C, KindOfTopic<C, N>>
}

/** Hooks of the feature `replicas`. */
export interface ReplicaHooks<C extends Contract> {
  /** Returns the records of a replica. The component renders again for each update that changes a record or `stale`. */
  readonly useReplica: <K extends ReplicaName<C>>(name: K) => ReplicaSnapshot<ReplicaRecord<C, K>>
  /** Hook of one record. The component renders again only for changes of this record, or of the selection. */
  readonly useRecord: {
    /** Returns the record: undefined while the copy lacks it, and for the id `null`. */
    <K extends ReplicaName<C>>(name: K, id: string | null): ReplicaRecord<C, K> | undefined
    /**
     * Returns `select` of the record, or undefined likewise. A plain object or an array keeps its identity while its members are
     * equal. `select` must be pure.
     */
    <K extends ReplicaName<C>, S>(
      name: K,
      id: string | null,
      select: (record: ReplicaRecord<C, K>) => S,
    ): S | undefined
  }
}

/** Hook of the feature `streams`. */
export interface StreamHooks<C extends Contract> {
  /**
   * Opens a stream while the component is mounted and the client is not closed; `null` opens none. It restarts for an input with
   * other values, and after another log-in.
   * @throws RangeError for a `size` that is no whole number above 0.
   */
  readonly useStream: <K extends StreamName<C>>(
    name: K | null,
    ...args: CallArguments<C["streams"][NoInfer<K>], StreamHookOptions>
  ) => StreamHook<ValidItem<C["streams"][K]>>
}

/** The hooks of a contract, for a client with the features `F`. */
export type Hooks<C extends Contract, F extends FeatureName = FeatureName> = CoreHooks<C, ClientWith<C, F>> &
  ("topics" extends F ? TopicHooks<C> : unknown) &
  ("replicas" extends F ? ReplicaHooks<C> : unknown) &
  ("streams" extends F ? StreamHooks<C> : unknown)
