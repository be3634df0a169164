// Who is in which topic, and the numbering of what a topic publishes. Knows no sockets.
import { assertTopicName } from "@hawser/protocol"

interface TopicState<Member> {
  readonly members: Set<Member>
  offset: number
}

export class Hub<Member> {
  readonly #topics = new Map<string, TopicState<Member>>()
  readonly #joined = new Map<Member, Set<string>>()

  /** Topics that anybody is in. */
  get size(): number {
    return this.#topics.size
  }

  /** @throws RangeError for a name that no topic may have. */
  join(topic: string, member: Member): void {
    assertTopicName(topic)
    const state = this.#topics.get(topic) ?? { members: new Set<Member>(), offset: 0 }
    this.#topics.set(topic, state)
    state.members.add(member)
    const joined = this.#joined.get(member) ?? new Set<string>()
    this.#joined.set(member, joined.add(topic))
  }

  leave(topic: string, member: Member): void {
    const state = this.#topics.get(topic)
    if (state === undefined || !state.members.delete(member)) return
    // A topic that nobody is in has no subscriber whose offsets could tear.
    if (state.members.size === 0) this.#topics.delete(topic)
    const joined = this.#joined.get(member)
    joined?.delete(topic)
    if (joined?.size === 0) this.#joined.delete(member)
  }

  leaveAll(member: Member): void {
    for (const topic of [...(this.#joined.get(member) ?? [])]) this.leave(topic, member)
  }

  members(topic: string): ReadonlySet<Member> {
    return this.#topics.get(topic)?.members ?? new Set()
  }

  /** The number of the next publication of a topic; undefined when nobody would hear it. */
  nextOffset(topic: string): number | undefined {
    const state = this.#topics.get(topic)
    if (state === undefined) return undefined
    state.offset += 1
    return state.offset
  }
}
