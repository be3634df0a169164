// Who is in one topic, as its members are told: each with a small state, the first to come listed by name, all counted.
// Changes are collected, and told together. Knows no sessions and no timers.
import type { Encoded } from "@hawser/protocol"
import type { PresenceList, PresentMember } from "@hawser/protocol/core"

/** One stay in a topic. */
export interface Present {
  readonly id: number
  readonly user: string
  /** Encoded; undefined where there is none. */
  state: Encoded<unknown> | undefined
  away: boolean
}

/** What the list of members may take of one message. A member takes the room of the largest state. */
export interface PresenceLimits {
  readonly listMaxCount: number
  readonly listMaxBytes: number
  readonly stateMaxBytes: number
}

/** Bytes of a listed member beside its state and its user. */
const memberBytes = 24
/** UTF-8 of one UTF-16 unit. */
const unitMaxBytes = 3

/** What has changed since it was last told. */
export interface PresenceChange extends PresenceList {
  readonly gone: readonly number[]
}

export class Presence<Member extends Present> {
  readonly #limits: PresenceLimits
  /** Those who are listed, and those who are only counted, by the order of their coming. */
  readonly #listed = new Set<Member>()
  readonly #counted = new Set<Member>()
  readonly #changed = new Set<Member>()
  readonly #gone = new Set<number>()
  #toldCount = 0
  #listedBytes = 0

  constructor(limits: PresenceLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#listed.size + this.#counted.size
  }

  *members(): IterableIterator<Member> {
    yield* this.#listed
    yield* this.#counted
  }

  /** At most so many bytes of a message are listed now. */
  get listedBytes(): number {
    return this.#listedBytes
  }

  add(member: Member): void {
    if (this.#hasRoom(member)) this.#list(member)
    else this.#counted.add(member)
  }

  /** Its state, or whether it is away. */
  changed(member: Member): void {
    if (this.#listed.has(member)) this.#changed.add(member)
  }

  delete(member: Member): void {
    this.#counted.delete(member)
    if (!this.#listed.delete(member)) return
    this.#listedBytes -= this.#bytesOf(member)
    this.#changed.delete(member)
    this.#gone.add(member.id)
    for (const next of this.#counted) {
      if (!this.#hasRoom(next)) return
      this.#counted.delete(next)
      this.#list(next)
    }
  }

  /** Everybody who is listed. */
  list(): PresenceList {
    return { count: this.size, members: [...this.#listed].map(shownOf) }
  }

  /** As it will be when this member has been added. */
  listWith(member: Member): PresenceList {
    const { count, members } = this.list()
    return { count: count + 1, members: this.#hasRoom(member) ? [...members, shownOf(member)] : members }
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

  #hasRoom(member: Member): boolean {
    const { listMaxCount, listMaxBytes } = this.#limits
    return this.#listed.size < listMaxCount && this.#listedBytes + this.#bytesOf(member) <= listMaxBytes
  }

  #bytesOf({ user }: Member): number {
    return memberBytes + unitMaxBytes * user.length + this.#limits.stateMaxBytes
  }

  #list(member: Member): void {
    this.#listed.add(member)
    this.#listedBytes += this.#bytesOf(member)
    this.#changed.add(member)
  }
}

function shownOf({ id, user, state, away }: Present): PresentMember {
  return { id, user, state: state ?? null, away }
}
