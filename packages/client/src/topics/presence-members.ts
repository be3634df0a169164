// The client's copy of a topic's member list: the list from the last `$presence` event, and the members that joined, changed or
// left with it. Events carry states, not steps, so a repeated event changes nothing. Must not know requests or frames.
import type { Schema } from "@hawser/protocol"
import type { PresenceList, PresentMember } from "@hawser/protocol/core"
import { checkNow } from "../base/checked.ts"
import { EventBus } from "../base/event-bus.ts"
import type { ListenOptions, Unsubscribe } from "../base/event-bus.ts"
import type { Member, PresenceCopy, PresenceSnapshot, PresenceUpdate } from "./topic-api.ts"

export interface PresenceMembersOptions {
  readonly topic: string
  /** Schema of a state; undefined: states are shown as they came. */
  readonly schema: Schema | undefined
  /** Returns true while the client is in the topic and connected. */
  readonly isLive: () => boolean
  /** Called before a listener is added. */
  readonly onUse: () => void
  readonly onError: (error: unknown) => void
}

export class PresenceMembers implements PresenceCopy {
  readonly #options: PresenceMembersOptions
  readonly #bus: EventBus<{ update: PresenceUpdate }>
  readonly #members = new Map<number, Member>()
  #snapshot: PresenceSnapshot | undefined
  /** Value of `stale` in the last event. */
  #wasStale = true
  #count = 0
  #self = 0

  constructor(options: PresenceMembersOptions) {
    this.#options = options
    this.#bus = new EventBus({ onError: options.onError })
  }

  get hasListeners(): boolean {
    return !this.#bus.isEmpty
  }

  get count(): number {
    return this.#count
  }

  get size(): number {
    return this.#members.size
  }

  get stale(): boolean {
    return !this.#options.isLive()
  }

  get self(): Member | undefined {
    return this.#members.get(this.#self)
  }

  get(id: number): Member | undefined {
    return this.#members.get(id)
  }

  *[Symbol.iterator](): IterableIterator<Member> {
    yield* this.#members.values()
  }

  readonly subscribe = (
    listener: (update: PresenceUpdate) => unknown,
    options?: ListenOptions,
  ): Unsubscribe => {
    this.#options.onUse()
    return this.#bus.on("update", listener, options)
  }

  readonly snapshot = (): PresenceSnapshot =>
    (this.#snapshot ??= Object.freeze({
      members: Object.freeze([...this.#members.values()]),
      count: this.#count,
      self: this.self,
      stale: this.#wasStale,
    }))

  /** Reports a change of `stale`: the connection or the membership may have changed. */
  checkStale(): void {
    if (this.stale !== this.#wasStale) this.#emit({ joined: [], changed: [], left: [] })
  }

  /** Replaces the whole list. `self` is the client's own member id; 0: none. */
  replace(list: PresenceList, self = this.#self): void {
    if (self !== this.#self) this.#snapshot = undefined
    this.#self = self
    const listed = new Set(list.members.map(({ id }) => id))
    this.update(
      list,
      [...this.#members.keys()].filter((id) => !listed.has(id)),
    )
  }

  /** Applies a change of the list: new or changed members, and the ids of those that left. */
  update({ count, members }: PresenceList, gone: readonly number[]): void {
    const joined: Member[] = []
    const changed: Member[] = []
    const left: Member[] = []
    const countBefore = this.#count
    this.#count = count
    for (const id of gone) {
      const member = this.#members.get(id)
      if (member !== undefined) left.push(member)
      this.#members.delete(id)
    }
    for (const received of members) {
      const before = this.#members.get(received.id)
      const member = this.#checked(received)
      if (member === undefined || (before !== undefined && isSame(before, member))) continue
      this.#members.set(member.id, member)
      if (before === undefined) joined.push(member)
      else changed.push(member)
    }
    if (joined.length + changed.length + left.length > 0 || count !== countBefore)
      this.#emit({ joined, changed, left })
    else this.checkStale()
  }

  #emit(update: PresenceUpdate): void {
    this.#snapshot = undefined
    this.#wasStale = this.stale
    this.#bus.emit("update", update)
  }

  /** Validates a member's state. Reports an invalid state, and returns undefined: the member is not listed. */
  #checked(received: PresentMember): Member | undefined {
    const { schema, topic, onError } = this.#options
    if (schema === undefined) return received
    const checked = checkNow(schema, received.state, `a state in "${topic}"`)
    if (checked.ok) return { ...received, state: checked.value }
    onError(checked.error)
    return undefined
  }
}

function isSame(one: Member, other: Member): boolean {
  return one.away === other.away && JSON.stringify(one.state) === JSON.stringify(other.state)
}
