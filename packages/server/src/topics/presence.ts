// Presence of one topic: the members that joined first are listed with their state, later ones are only counted. Collects
// changes until `takeChange`. Must not know sessions and timers.
import type { Encoded } from "@hawser/protocol"
import type { PresenceList, PresentMember } from "@hawser/protocol/core"
import type { PresenceRecord } from "./topic-records.ts"

/** One member of a topic. */
export interface PresenceMember {
  readonly id: number
  readonly user: string
  /** Encoded state; undefined if the member has none. */
  state: Encoded<unknown> | undefined
  /** True while the member's session is detached. */
  away: boolean
}

/** Bounds of the member list. Each member counts with the size of the largest state. At a bound, members are only counted. */
export interface PresenceLimits {
  readonly listMaxCount: number
  readonly listMaxBytes: number
  readonly stateMaxBytes: number
}

/** Bytes of a listed member beside its state and its user id. */
const memberBytes = 24
/** Largest UTF-8 length of one UTF-16 unit. */
const unitMaxBytes = 3

/** Returns the member with this id; undefined if it has left. */
export type MemberOf<Member> = (id: number) => Member | undefined

/** Changes since the previous `takeChange`. */
export interface PresenceChange extends PresenceList {
  /** Ids of members that left. */
  readonly gone: readonly number[]
}

export class Presence<Member extends PresenceMember> {
  readonly #limits: PresenceLimits
  /** Listed members, and members that are only counted, both in order of their joins. */
  readonly #listed = new Set<Member>()
  readonly #counted = new Set<Member>()
  readonly #changed = new Set<Member>()
  readonly #gone = new Set<number>()
  #publishedCount = 0
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

  /** Largest size of the current list in a message, in bytes. */
  get listedBytes(): number {
    return this.#listedBytes
  }

  add(member: Member): void {
    if (this.#fits(member)) this.#list(member)
    else this.#counted.add(member)
  }

  /** Called when the state or `away` of a member has changed. */
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

  /** Returns the listed members and the count of all members. */
  list(): PresenceList {
    return { count: this.size, members: [...this.#listed].map(shownOf) }
  }

  /** Returns the list as it will be after `add` of this member. */
  listWith(member: Member): PresenceList {
    const { count, members } = this.list()
    return { count: count + 1, members: this.#fits(member) ? [...members, shownOf(member)] : members }
  }

  /** True if `takeChange` would return a change. */
  get hasChange(): boolean {
    return this.#changed.size > 0 || this.#gone.size > 0 || this.size !== this.#publishedCount
  }

  /** Returns the changes and clears them; undefined if there are none. A member that joined and left since is in `gone`. */
  takeChange(): PresenceChange | undefined {
    if (!this.hasChange) return undefined
    const count = this.size
    const change = { count, members: [...this.#changed].map(shownOf), gone: [...this.#gone] }
    this.#changed.clear()
    this.#gone.clear()
    this.#publishedCount = count
    return change
  }

  // --- as plain data --------------------------------------------------------------------------------------------

  /** Returns the presence as plain data. */
  freeze(): PresenceRecord {
    return {
      listed: idsOf(this.#listed),
      counted: idsOf(this.#counted),
      changed: idsOf(this.#changed),
      gone: [...this.#gone],
      publishedCount: this.#publishedCount,
    }
  }

  /**
   * Restores a record of `freeze` in a presence without members. A member for which `memberOf` returns undefined has left: the
   * next change contains its id in `gone`.
   */
  thaw({ listed, counted, changed, gone, publishedCount }: PresenceRecord, memberOf: MemberOf<Member>): void {
    this.#publishedCount = publishedCount
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

  /** Lists members that are only counted, until a bound of the list is reached. */
  #listNext(): void {
    for (const next of this.#counted) {
      if (!this.#fits(next)) return
      this.#counted.delete(next)
      this.#list(next)
    }
  }

  #fits(member: Member): boolean {
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

function idsOf(members: Iterable<PresenceMember>): number[] {
  return [...members].map(({ id }) => id)
}

function shownOf({ id, user, state, away }: PresenceMember): PresentMember {
  return { id, user, state: state ?? null, away }
}
