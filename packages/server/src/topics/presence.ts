// Who is in one topic, as its members are told: each with a small state, the first to come listed by name, all counted.
// Changes are collected, and told together. Knows no sessions and no timers.
import type { Encoded } from "@hawser/protocol"
import type { PresenceList, PresentMember } from "@hawser/protocol/core"
import type { PresenceRecord } from "./topic-records.ts"

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

/** Returns the member with this id; undefined if there is none any more. */
export type MemberOf<Member> = (id: number) => Member | undefined

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
    this.#listNext()
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

  /** True if `takeChange` would return a change. */
  get hasChange(): boolean {
    return this.#changed.size > 0 || this.#gone.size > 0 || this.size !== this.#toldCount
  }

  /** Undefined when nothing has. Who came and went in between is named among those who have gone. */
  takeChange(): PresenceChange | undefined {
    if (!this.hasChange) return undefined
    const count = this.size
    const change = { count, members: [...this.#changed].map(shownOf), gone: [...this.#gone] }
    this.#changed.clear()
    this.#gone.clear()
    this.#toldCount = count
    return change
  }

  // --- as plain data --------------------------------------------------------------------------------------------

  freeze(): PresenceRecord {
    return {
      listed: idsOf(this.#listed),
      counted: idsOf(this.#counted),
      changed: idsOf(this.#changed),
      gone: [...this.#gone],
      toldCount: this.#toldCount,
    }
  }

  /**
   * Restores what `freeze` wrote, in a presence without members. A member that `memberOf` does not know has left meanwhile:
   * its leave is published with the next change.
   */
  thaw({ listed, counted, changed, gone, toldCount }: PresenceRecord, memberOf: MemberOf<Member>): void {
    this.#toldCount = toldCount
    for (const id of gone) this.#gone.add(id)
    for (const id of listed) {
      const member = memberOf(id)
      if (member !== undefined) this.#list(member)
      else this.#gone.add(id)
    }
    this.#changed.clear()
    for (const member of changed.map(memberOf)) if (member !== undefined) this.#changed.add(member)
    for (const member of counted.map(memberOf)) if (member !== undefined) this.#counted.add(member)
    this.#listNext()
  }

  /** Lists the members that are only counted, as far as there is room. */
  #listNext(): void {
    for (const next of this.#counted) {
      if (!this.#hasRoom(next)) return
      this.#counted.delete(next)
      this.#list(next)
    }
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

function idsOf(members: Iterable<Present>): number[] {
  return [...members].map(({ id }) => id)
}

function shownOf({ id, user, state, away }: Present): PresentMember {
  return { id, user, state: state ?? null, away }
}
