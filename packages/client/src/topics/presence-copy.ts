// The client's copy of who is in a topic: what the server told last, and what became of whom by it. The server tells how
// things are, so that hearing something twice changes nothing.
import type { Schema } from "@hawser/protocol"
import type { PresenceList, PresentMember } from "@hawser/protocol/core"
import { check } from "../base/checked.ts"
import { EventBus } from "../base/event-bus.ts"
import type { ListenOptions, Unsubscribe } from "../base/event-bus.ts"
import type { Member, PresenceUpdate, PresenceView } from "./topic-api.ts"

export interface PresenceCopyOptions {
  readonly topic: string
  readonly schema: Schema | undefined
  readonly isLive: () => boolean
  /** Before somebody listens. */
  readonly onUse: () => void
  readonly onError: (error: unknown) => void
}

export class PresenceCopy implements PresenceView {
  readonly #options: PresenceCopyOptions
  readonly #bus: EventBus<{ update: PresenceUpdate }>
  readonly #members = new Map<number, Member>()
  #count = 0
  #self = 0

  constructor(options: PresenceCopyOptions) {
    this.#options = options
    this.#bus = new EventBus({ onError: options.onError })
  }

  get isUnheard(): boolean {
    return this.#bus.isEmpty
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

  subscribe(listener: (update: PresenceUpdate) => unknown, options?: ListenOptions): Unsubscribe {
    this.#options.onUse()
    return this.#bus.on("update", listener, options)
  }

  /** Everybody who is listed; the client itself is `self`. */
  replace(list: PresenceList, self = this.#self): void {
    this.#self = self
    const listed = new Set(list.members.map(({ id }) => id))
    this.update(
      list,
      [...this.#members.keys()].filter((id) => !listed.has(id)),
    )
  }

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
    for (const told of members) {
      const before = this.#members.get(told.id)
      const member = this.#checked(told)
      if (member === undefined || (before !== undefined && isSame(before, member))) continue
      this.#members.set(member.id, member)
      if (before === undefined) joined.push(member)
      else changed.push(member)
    }
    if (joined.length + changed.length + left.length > 0 || count !== countBefore)
      this.#bus.emit("update", { joined, changed, left })
  }

  /** A state that does not fit the contract is reported, and its member is not listed. */
  #checked(told: PresentMember): Member | undefined {
    const { schema, topic, onError } = this.#options
    if (schema === undefined) return told
    const checked = check(schema, told.state, `a state in "${topic}"`)
    if (checked instanceof Promise) {
      onError(new TypeError(`the presence of "${topic}" must be validated at once, not by a promise`))
      return undefined
    }
    if (checked.ok) return { ...told, state: checked.value }
    onError(checked.error)
    return undefined
  }
}

function isSame(one: Member, other: Member): boolean {
  return one.away === other.away && JSON.stringify(one.state) === JSON.stringify(other.state)
}
