// Topic kinds of a contract and the rules of the application for them. Without rules, joins and publications of clients are
// rejected with `forbidden`. Must not know memberships.
import { HawserError, plain } from "@hawser/protocol"
import {
  unknownName,
  assertOptionNames,
  assertOptions,
  assertType,
  defaultTopicHistory,
  quoted,
  topicKindOf,
  topicNameFault,
} from "@hawser/protocol/core"
import type {
  Contract,
  EventPayload,
  PresenceState,
  TopicEventName,
  TopicHistoryLimits,
  TopicKind,
  TopicSpec,
  ValidPayload,
} from "@hawser/protocol"
import type { OptionTable } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { Session } from "../base/session.ts"
import type { ServerWarning } from "../base/server-warning.ts"
import type { PresenceMember } from "./presence.ts"

/** Names of the topics of a kind. */
type NameOf<K extends string> = K | `${K}:${string}`

/** Argument of `canJoin`. The hook runs at each join, after a resume and after a token renewal. */
export interface TopicJoin<
  User extends AuthenticatedUser,
  C extends Contract = Contract,
  K extends TopicKind<C> = TopicKind<C>,
> {
  /** Name of the topic, which `server.topic` takes. */
  readonly topic: NameOf<K>
  /** Session that asks for the membership. */
  readonly session: Session<User, C>
}

type PublishOf<
  User extends AuthenticatedUser,
  C extends Contract,
  K extends TopicKind<C>,
  E extends TopicEventName<C, K>,
> = {
  readonly [N in E]: TopicJoin<User, C, K> & {
    /** Name of the event. */
    readonly event: N
    /** Validated payload, as the server publishes it. */
    readonly payload: ValidPayload<C, N>
    /** True if the session is a member or a subscriber of the topic. */
    readonly isMember: boolean
  }
}[E]

/** Argument of `canPublish`: one publication of a client. */
export type TopicPublish<
  User extends AuthenticatedUser,
  C extends Contract = Contract,
  K extends TopicKind<C> = TopicKind<C>,
> = PublishOf<User, C, K, TopicEventName<C, K>>

/** Member of a topic: a session whose client joined it. */
export interface TopicMember<State = unknown> {
  /** Number that identifies the membership. Each join of a session gets a new one. */
  readonly id: number
  /** Id of the user. */
  readonly user: string
  /** Presence state that the client sent; undefined for a kind without presence, and without a state. */
  readonly state: State
  /** True while the session is detached. */
  readonly away: boolean
}

/** Member of a topic of this kind. */
type MemberOf<C extends Contract, K extends TopicKind<C>> = TopicMember<PresenceState<C, K> | undefined>

/** Argument of `onJoin`. */
export interface TopicJoined<
  User extends AuthenticatedUser,
  C extends Contract = Contract,
  K extends TopicKind<C> = TopicKind<C>,
> extends TopicJoin<User, C, K> {
  /** The new member. */
  readonly member: MemberOf<C, K>
}

/**
 * Cause of a member's leave. `left`: its client left. `removed`: the application unsubscribed it, or `canJoin` no longer permits it.
 * `ended`: its session ended.
 */
export type LeaveCause = "left" | "removed" | "ended"

/** Argument of `onLeave`. */
export interface TopicLeft<C extends Contract = Contract, K extends TopicKind<C> = TopicKind<C>> {
  /** Name of the topic, which `server.topic` takes. */
  readonly topic: NameOf<K>
  /** The member, with its last state. */
  readonly member: MemberOf<C, K>
  /** Cause of the leave. */
  readonly cause: LeaveCause
}

/** Payload that `onPublish` returns in place of the received one; undefined: the received one is published. */
type Replacement<C extends Contract, K extends TopicKind<C>> =
  | EventPayload<C, TopicEventName<C, K>>
  | undefined
  | void

/** Result of a hook. Only `true` permits; false rejects with `forbidden`. A HawserError from the hook rejects with its code. */
export type Permission = boolean | Promise<boolean>

/** Permissions of clients in the topics of one kind, hooks that follow these topics, and their history. */
export interface TopicRules<
  User extends AuthenticatedUser,
  C extends Contract = Contract,
  K extends TopicKind<C> = TopicKind<C>,
> {
  /**
   * Permits a join. Default: no client may join. Called again after a resume and after a token renewal: a member that is not
   * permitted then is removed and receives a notice with the code.
   */
  canJoin?(join: TopicJoin<User, C, K>): Permission
  /** Permits a publication. Default: no client may publish. The hook decides whether the client must be in the topic. */
  canPublish?(publish: TopicPublish<User, C, K>): Permission
  /**
   * Called for each permitted publication of a client, before it is published; not for publications of the server. Returns a
   * payload that replaces the received one, or nothing. Throws to refuse: a HawserError reaches the publisher. Any other error,
   * and a replacement that the event's schema refuses, goes to `onError`, and the publisher gets `sys_internal_error`.
   * Publications of one session keep their order, also if the hook is asynchronous. After the hook the publication may still be
   * refused with `rate_limited` (`limits.userDeliveriesPerSecond`).
   */
  onPublish?(
    publish: TopicPublish<User, C, K> & {
      /** Member that publishes; undefined if the session has not joined the topic. */
      readonly member: MemberOf<C, K> | undefined
    },
  ): Replacement<C, K> | Promise<Replacement<C, K>>
  /**
   * Called once per membership, after the client was sent the missed publications. Not called after a resume, for a repeated join
   * of a member, and for sessions that the application subscribed. A throw or rejection goes to `onError`; the join stands.
   */
  onJoin?(joined: TopicJoined<User, C, K>): unknown
  /** Called once for each member of `onJoin`, after it has left. A throw or rejection goes to `onError`. */
  onLeave?(left: TopicLeft<C, K>): unknown
  /** Bounds of each topic's history. Default: no history. Defaults of its fields: 100 publications, 10 minutes, 64 KiB. */
  readonly history?: Partial<TopicHistoryLimits>
}

const topicRules: OptionTable<TopicRules<AuthenticatedUser>> = {
  canJoin: "function",
  canPublish: "function",
  onPublish: "function",
  onJoin: "function",
  onLeave: "function",
  history: "object",
}

export class TopicKinds<User extends AuthenticatedUser> {
  readonly #contractName: string
  readonly #specs: ReadonlyMap<string, TopicSpec>
  readonly #rules = new Map<string, TopicRules<User>>()
  readonly #histories = new Map<string, TopicHistoryLimits>()
  readonly #onWarning: (warning: ServerWarning) => void
  /** Kinds without rules that were warned of. */
  readonly #warned = new Set<string>()

  constructor(
    { name, topics }: Pick<Contract, "name" | "topics">,
    onWarning: (warning: ServerWarning) => void,
  ) {
    this.#onWarning = onWarning
    this.#contractName = name
    this.#specs = new Map(Object.entries(topics))
  }

  /**
   * Sets the rules of a kind. @throws TypeError for a kind that the contract does not declare or that has rules already, and for
   * an unknown rule or one of the wrong type; RangeError for a history bound that is not a number above 0.
   */
  set(kind: string, rules: TopicRules<User>): void {
    if (!this.#specs.has(kind)) throw this.#unknown(kind)
    if (this.#rules.has(kind)) throw new TypeError(`the rules of the topic "${kind}" are set already`)
    const where = `topicKind("${kind}")`
    assertType(`the second argument of ${where}`, "object", rules)
    assertOptions(where, rules, topicRules)
    if (rules.history !== undefined) this.#histories.set(kind, checked(kind, rules.history))
    this.#rules.set(kind, rules)
  }

  /** Warns of each kind without rules: no client may join or publish there, but the server may. Called at `listen`. */
  warnOfMissing(): void {
    for (const kind of this.#specs.keys()) this.#warn(kind)
  }

  /** Called when a client tries to join a topic. Warns once per kind if the kind has no rules. */
  joining(topic: string): void {
    this.#warn(topicKindOf(topic) ?? "")
  }

  #warn(kind: string): void {
    if (this.#rules.has(kind) || this.#warned.has(kind)) return
    this.#warned.add(kind)
    const advice = `call server.topicKind("${kind}", { canJoin, … }), or with {} if they must not`
    const message = `no rules for the topic kind "${kind}": clients may not join; ${advice}`
    this.#onWarning({ kind: "topic_without_rules", message })
  }

  historyOf(topic: string): TopicHistoryLimits | undefined {
    const kind = topicKindOf(topic)
    return kind === undefined ? undefined : this.#histories.get(kind)
  }

  /** @throws as `of`. */
  hasPresence(topic: string): boolean {
    return this.of(topic).spec.presence !== undefined
  }

  /** @throws HawserError `invalid_input` for an invalid name, `not_available` for a kind that the contract does not declare. */
  of(topic: string): { readonly spec: TopicSpec; readonly rules: TopicRules<User> } {
    const message = topicNameFault(topic)
    if (message !== undefined) throw new HawserError("invalid_input", { message })
    const kind = topicKindOf(topic) ?? ""
    const spec = this.#specs.get(kind)
    if (spec === undefined)
      throw new HawserError("not_available", {
        message: `the contract "${this.#contractName}" has no topic "${kind}"`,
      })
    return { spec, rules: this.#rules.get(kind) ?? {} }
  }

  /**
   * Returns the spec of a topic that the application names.
   * @throws TypeError for an invalid name, and for a kind that the contract does not declare.
   */
  spec(topic: string): TopicSpec {
    const fault = topicNameFault(topic)
    if (fault !== undefined) throw new TypeError(fault)
    const kind = topicKindOf(topic) ?? ""
    const spec = this.#specs.get(kind)
    if (spec === undefined) throw this.#unknown(kind)
    return spec
  }

  #unknown(kind: string): TypeError {
    return unknownName(`the contract "${this.#contractName}" has no topic`, kind, this.#specs.keys())
  }
}

function checked(kind: string, chosen: Partial<TopicHistoryLimits>): TopicHistoryLimits {
  assertOptionNames(`history of topicKind("${kind}")`, chosen, defaultTopicHistory)
  const limits = { ...defaultTopicHistory, ...chosen }
  for (const [name, value] of Object.entries<unknown>({ ...limits })) {
    if (!(typeof value === "number" && Number.isFinite(value) && value > 0))
      throw new RangeError(`history.${name} of "${kind}" must be a number above 0, not ${quoted(value)}`)
  }
  return limits
}

/** Throws unless the hook permits `action`. @throws HawserError `forbidden`, and the error of the hook. */
export function permit(action: string, permission: Permission | undefined): void | Promise<void> {
  if (permission instanceof Promise) return permission.then((late) => permit(action, late))
  if (permission !== true) throw new HawserError("forbidden", { message: `the client may not ${action}` })
  return undefined
}

/** Returns a member as the hooks of the application get it. */
export function memberOf({ id, user, state, away }: PresenceMember): TopicMember {
  return { id, user, state: plain(state), away }
}
