// The kinds of topics that a contract declares, and what the application allows clients in them. Without a rule clients
// may do nothing. Knows no members.
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

/** Who wants to be in a topic: asked at each join, when its client comes back, and after a fresh token. */
export interface TopicJoin<User extends AuthenticatedUser, C extends Contract = Contract> {
  readonly topic: string
  readonly session: Session<User, C>
}

type PublishOf<
  User extends AuthenticatedUser,
  C extends Contract,
  E extends TopicEventName<C, TopicKind<C>>,
> = {
  readonly [N in E]: TopicJoin<User, C> & {
    readonly event: N
    /** As validated. What is published is the input as it came: every listener validates it. */
    readonly payload: ValidPayload<C, N>
    /** Whether the session is in the topic. */
    readonly isMember: boolean
  }
}[E]

/** Who wants to publish what to a topic. */
export type TopicPublish<
  User extends AuthenticatedUser,
  C extends Contract = Contract,
  K extends TopicKind<C> = TopicKind<C>,
> = PublishOf<User, C, TopicEventName<C, K>>

/** What a hook answers: only `true` allows; false is `forbidden`; it may throw a HawserError with a code of its own. */
export type Permission = boolean | Promise<boolean>

/** What clients may do in the topics of one kind, and what these topics keep. */
export interface TopicRules<
  User extends AuthenticatedUser,
  C extends Contract = Contract,
  K extends TopicKind<C> = TopicKind<C>,
> {
  /**
   * Default: nobody. Asked again when a client comes back to its session or shows a fresh token: who may no longer be in
   * is put out and told.
   */
  canJoin?(join: TopicJoin<User, C>): Permission
  /** Default: nobody. Being in the topic is not required unless this hook requires it. */
  canPublish?(publish: TopicPublish<User, C, K>): Permission
  /** Default: nothing is kept. With it, 100 publications, 10 minutes and 64 KiB of each topic, unless it says otherwise. */
  readonly history?: Partial<TopicHistoryLimits>
}

export class TopicKinds<User extends AuthenticatedUser> {
  readonly #contractName: string
  readonly #specs: ReadonlyMap<string, TopicSpec>
  readonly #rules = new Map<string, TopicRules<User>>()
  readonly #histories = new Map<string, TopicHistoryLimits>()
  readonly #onWarning: (warning: ServerWarning) => void
  /** Kinds without rules whose warning was given. */
  readonly #warned = new Set<string>()

  constructor(
    { name, topics }: Pick<Contract, "name" | "topics">,
    onWarning: (warning: ServerWarning) => void,
  ) {
    this.#onWarning = onWarning
    this.#contractName = name
    this.#specs = new Map(Object.entries(topics))
  }

  /** @throws TypeError for a kind that the contract lacks, or second rules; RangeError for a bound that is none. */
  set(kind: string, rules: TopicRules<User>): void {
    if (!this.#specs.has(kind))
      throw new TypeError(`the contract "${this.#contractName}" has no topic "${kind}"`)
    if (this.#rules.has(kind)) throw new TypeError(`the topic "${kind}" has its rules already`)
    if (rules.history !== undefined) this.#histories.set(kind, checked(kind, rules.history))
    this.#rules.set(kind, rules)
  }

  /** Warns once of a kind that has no rules: a client has tried to join a topic of it. */
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

  /** @throws HawserError `invalid_input` for a name that no topic may have, `not_available` for a kind that is not there. */
  of(topic: string): { readonly spec: TopicSpec; readonly rules: TopicRules<User> } {
    if (!isTopicName(topic))
      throw new HawserError("invalid_input", { message: `${quoted(topic)} cannot be the name of a topic` })
    const kind = topicKindOf(topic) ?? ""
    const spec = this.#specs.get(kind)
    if (spec === undefined)
      throw new HawserError("not_available", { message: `there are no topics "${kind}"` })
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

/** @throws HawserError `forbidden`, or what the hook throws. */
export function permit(what: string, permission: Permission | undefined): void | Promise<void> {
  if (permission instanceof Promise) return permission.then((late) => permit(what, late))
  if (permission !== true) throw new HawserError("forbidden", { message: `you may not ${what}` })
  return undefined
}
