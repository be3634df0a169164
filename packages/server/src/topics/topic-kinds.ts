// Topic kinds of a contract and the rules of the application for them. Without rules, joins and publications of clients are
// rejected with `forbidden`. Must not know memberships.
import { HawserError } from "@hawser/protocol"
import { defaultTopicHistory, isTopicName, quoted, topicKindOf } from "@hawser/protocol/core"
import type {
  Contract,
  TopicEventName,
  TopicHistoryLimits,
  TopicKind,
  TopicSpec,
  ValidPayload,
} from "@hawser/protocol"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { Session } from "../base/session.ts"
import type { ServerWarning } from "../base/server-warning.ts"

/** Argument of `canJoin`. The hook runs at each join, after a resume and after a token renewal. */
export interface TopicJoin<User extends AuthenticatedUser, C extends Contract = Contract> {
  /** Name of the topic. */
  readonly topic: string
  /** Session that asks for the membership. */
  readonly session: Session<User, C>
}

type PublishOf<
  User extends AuthenticatedUser,
  C extends Contract,
  E extends TopicEventName<C, TopicKind<C>>,
> = {
  readonly [N in E]: TopicJoin<User, C> & {
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
> = PublishOf<User, C, TopicEventName<C, K>>

/** Result of a hook. Only `true` permits; false rejects with `forbidden`. A HawserError from the hook rejects with its code. */
export type Permission = boolean | Promise<boolean>

/** Permissions of clients in the topics of one kind, and the history of these topics. */
export interface TopicRules<
  User extends AuthenticatedUser,
  C extends Contract = Contract,
  K extends TopicKind<C> = TopicKind<C>,
> {
  /**
   * Permits a join. Default: no client may join. Called again after a resume and after a token renewal: a member that is not
   * permitted then is removed and receives a notice with the code.
   */
  canJoin?(join: TopicJoin<User, C>): Permission
  /** Permits a publication. Default: no client may publish. The hook decides whether the client must be in the topic. */
  canPublish?(publish: TopicPublish<User, C, K>): Permission
  /** Bounds of each topic's history. Default: no history. Defaults of its fields: 100 publications, 10 minutes, 64 KiB. */
  readonly history?: Partial<TopicHistoryLimits>
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
   * Sets the rules of a kind. @throws TypeError for a kind that the contract does not declare or that has rules already;
   * RangeError for a history bound that is not a number above 0.
   */
  set(kind: string, rules: TopicRules<User>): void {
    if (!this.#specs.has(kind))
      throw new TypeError(`the contract "${this.#contractName}" has no topic "${kind}"`)
    if (this.#rules.has(kind)) throw new TypeError(`the rules of the topic "${kind}" are set already`)
    if (rules.history !== undefined) this.#histories.set(kind, checked(kind, rules.history))
    this.#rules.set(kind, rules)
  }

  /** Called when a client tries to join a topic. Warns once per kind if the kind has no rules. */
  joining(topic: string): void {
    const kind = topicKindOf(topic) ?? ""
    if (this.#rules.has(kind) || this.#warned.has(kind)) return
    this.#warned.add(kind)
    const advice = `call server.topicKind("${kind}", …)`
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
    if (!isTopicName(topic))
      throw new HawserError("invalid_input", { message: `${quoted(topic)} is not a valid topic name` })
    const kind = topicKindOf(topic) ?? ""
    const spec = this.#specs.get(kind)
    if (spec === undefined)
      throw new HawserError("not_available", { message: `the contract declares no topic "${kind}"` })
    return { spec, rules: this.#rules.get(kind) ?? {} }
  }
}

function checked(kind: string, chosen: Partial<TopicHistoryLimits>): TopicHistoryLimits {
  const limits = { ...defaultTopicHistory, ...chosen }
  for (const [name, value] of Object.entries<number>(limits)) {
    if (!(Number.isFinite(value) && value > 0))
      throw new RangeError(`history.${name} of "${kind}" must be a number above 0, not ${value}`)
  }
  return limits
}

/** Throws unless the hook permits `action`. @throws HawserError `forbidden`, and the error of the hook. */
export function permit(action: string, permission: Permission | undefined): void | Promise<void> {
  if (permission instanceof Promise) return permission.then((late) => permit(action, late))
  if (permission !== true) throw new HawserError("forbidden", { message: `the client may not ${action}` })
  return undefined
}
