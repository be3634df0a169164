// Who is in one topic, as its members are told: each with a small state, the first to come listed by name, all counted.
// Changes are collected, and told together. Knows no sessions and no timers.
import type { PresenceList, PresentMember } from "@hawser/protocol"

/** One stay in a topic. */
export interface Present {
  readonly id: number
  readonly user: string
  state: unknown
  away: boolean
}

/** What has changed since it was last told. */
export interface PresenceChange extends PresenceList {
  readonly gone: readonly number[]
}

export class Presence<Member extends Present> {
  readonly #listMaxCount: number
  /** Those who are listed, and those who are only counted, by the order of their coming. */
  readonly #listed = new Set<Member>()
  readonly #counted = new Set<Member>()
  readonly #changed = new Set<Member>()
  readonly #gone = new Set<number>()
  #toldCount = 0

  constructor(listMaxCount: number) {
    this.#listMaxCount = listMaxCount
  }

  get size(): number {
    return this.#listed.size + this.#counted.size
  }

  *members(): IterableIterator<Member> {
    yield* this.#listed
    yield* this.#counted
  }

  add(member: Member): void {
    if (this.#listed.size >= this.#listMaxCount) this.#counted.add(member)
    else this.#list(member)
  }

  /** Its state, or whether it is away. */
  changed(member: Member): void {
    if (this.#listed.has(member)) this.#changed.add(member)
  }

  delete(member: Member): void {
    this.#counted.delete(member)
    if (!this.#listed.delete(member)) return
    this.#changed.delete(member)
    this.#gone.add(member.id)
    const [next] = this.#counted
    if (next === undefined) return
    this.#counted.delete(next)
    this.#list(next)
  }

  /** Everybody who is listed. */
  list(): PresenceList {
    return { count: this.size, members: [...this.#listed].map(shownOf) }
  }

  /** Undefined when nothing has. Who came and went in between is named among those who have gone. */
  takeChange(): PresenceChange | undefined {
    const count = this.size
    if (this.#changed.size === 0 && this.#gone.size === 0 && count === this.#toldCount) return undefined
    const change = { count, members: [...this.#changed].map(shownOf), gone: [...this.#gone] }
    this.#changed.clear()
    this.#gone.clear()
    this.#toldCount = count
    return change
  }

  #list(member: Member): void {
    this.#listed.add(member)
    this.#changed.add(member)
  }
}

function shownOf({ id, user, state, away }: Present): PresentMember {
  return { id, user, state: state ?? null, away }
}
