// Sessions in topics, and the fan-out of publications to them. The log numbers a publication; then the hub delivers it.
// A topic's first session subscribes the hub to the log, and its last one unsubscribes it. `Member` includes sessions that the
// application subscribed. Must not know sockets and permissions.
import type { LogPublication, LogSubscriber, TopicLog } from "./topic-log.ts"

/** A publication that the hub fans out. */
export interface HubPublication<Member> extends LogPublication {
  /** Sends the publication to the members of its topic. Must not throw. */
  deliver(members: ReadonlySet<Member>): void
}

interface TopicMembers<Member> {
  /** Topic list of a member that is in this topic only, shared by all of them. */
  readonly alone: readonly string[]
  readonly members: Set<Member>
}

const none: ReadonlySet<never> = new Set<never>()

export class Hub<Member> {
  readonly #log: TopicLog<HubPublication<Member>>
  readonly #onEmpty: (topic: string) => void
  readonly #topics = new Map<string, TopicMembers<Member>>()
  /** Topics of each member. Members that are in one topic only share its list. */
  readonly #joined = new Map<Member, readonly string[]>()
  readonly #subscriber: LogSubscriber<HubPublication<Member>> = (topic, publication) =>
    publication.deliver(this.members(topic))

  /** @param onEmpty called when a topic has lost its last member. */
  constructor(log: TopicLog<HubPublication<Member>>, onEmpty: (topic: string) => void = () => {}) {
    this.#log = log
    this.#onEmpty = onEmpty
  }

  /** Number of topics that have members. */
  get size(): number {
    return this.#topics.size
  }

  /** Adds a member to a topic. Idempotent. @throws RangeError for an invalid name. */
  join(topic: string, member: Member): void {
    const state = this.#topics.get(topic) ?? this.#begin(topic)
    if (state.members.has(member)) return
    state.members.add(member)
    const joined = this.#joined.get(member)
    this.#joined.set(member, joined === undefined ? state.alone : [...joined, topic])
  }

  /** Removes a member from a topic. Idempotent. */
  leave(topic: string, member: Member): void {
    const state = this.#topics.get(topic)
    if (state === undefined || !state.members.delete(member)) return
    if (state.members.size === 0) {
      this.#topics.delete(topic)
      this.#log.unsubscribe(topic, this.#subscriber)
      this.#onEmpty(topic)
    }
    const others = (this.#joined.get(member) ?? []).filter((other) => other !== topic)
    if (others.length === 0) this.#joined.delete(member)
    else this.#joined.set(member, others)
  }

  topicsOf(member: Member): readonly string[] {
    return this.#joined.get(member) ?? []
  }

  leaveAll(member: Member): void {
    for (const topic of this.topicsOf(member)) this.leave(topic, member)
  }

  members(topic: string): ReadonlySet<Member> {
    return this.#topics.get(topic)?.members ?? none
  }

  #begin(topic: string): TopicMembers<Member> {
    this.#log.subscribe(topic, this.#subscriber)
    const state = { alone: [topic], members: new Set<Member>() }
    this.#topics.set(topic, state)
    return state
  }
}
