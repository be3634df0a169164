// Who is in which topic, the numbering of what a topic publishes, and how long a topic lives. Knows no sockets and no
// permissions.
//
// Invariants:
//  1. A topic has an epoch and an offset as long as anybody is in it. What it published in an epoch is numbered without
//     a hole.
//  2. A topic without a history is forgotten with its last member; one with a history when its history has grown old.
import { assertTopicName } from "@hawser/protocol/core"
import type { TopicHistoryLimits, TopicPosition } from "@hawser/protocol"
import type { OutboundMessage, TimerQueue } from "@hawser/protocol/core"
import { HistoryMemory, TopicHistory } from "./history.ts"

interface TopicState<Member> {
  readonly epoch: string
  /** The list of topics of those who are in no other one. */
  readonly alone: readonly string[]
  readonly members: Set<Member>
  readonly history: TopicHistory | undefined
  offset: number
  cancelEnd: () => void
}

export interface HubOptions {
  /** What a topic of this name keeps of its publications, if anything. */
  readonly historyOf: (topic: string) => TopicHistoryLimits | undefined
  readonly timers: Pick<TimerQueue, "after">
  readonly nowMs: () => number
  /** Of this server, and of no other one. */
  readonly epoch: string
  readonly historyMaxBytes: number
  readonly idleTopicsMax: number
}

export class Hub<Member> {
  readonly #options: HubOptions
  readonly #topics = new Map<string, TopicState<Member>>()
  /** Few for each, and the same list for many: a list is smaller than a set. */
  readonly #joined = new Map<Member, readonly string[]>()
  /** Topics that nobody is in and that have a history, the longest left first. */
  readonly #idle = new Set<string>()
  readonly #memory: HistoryMemory
  #epochs = 0

  constructor(options: HubOptions) {
    this.#options = options
    this.#memory = new HistoryMemory(options.historyMaxBytes)
  }

  /** Topics that anybody is in. */
  get size(): number {
    return this.#topics.size - this.#idle.size
  }

  /** Of all histories. */
  get historyBytes(): number {
    return this.#memory.bytes
  }

  /** @throws RangeError for a name that no topic may have. */
  join(topic: string, member: Member): void {
    const state = this.#topics.get(topic) ?? this.#begin(topic)
    if (state.members.has(member)) return
    state.members.add(member)
    this.#idle.delete(topic)
    state.cancelEnd()
    const joined = this.#joined.get(member)
    this.#joined.set(member, joined === undefined ? state.alone : [...joined, topic])
  }

  leave(topic: string, member: Member): void {
    const state = this.#topics.get(topic)
    if (state === undefined || !state.members.delete(member)) return
    if (state.members.size === 0) this.#rest(topic, state)
    const others = (this.#joined.get(member) ?? []).filter((other) => other !== topic)
    if (others.length === 0) this.#joined.delete(member)
    else this.#joined.set(member, others)
  }

  leaveAll(member: Member): void {
    for (const topic of this.#joined.get(member) ?? []) this.leave(topic, member)
  }

  members(topic: string): ReadonlySet<Member> {
    return this.#topics.get(topic)?.members ?? new Set()
  }

  /** Where a topic stands; undefined for one that does not exist. One with a history begins when it is asked for. */
  position(topic: string): (TopicPosition & { readonly history: TopicHistory | undefined }) | undefined {
    const state = this.#found(topic)
    return state && { epoch: state.epoch, offset: state.offset, history: state.history }
  }

  /**
   * The number that the next publication would have; undefined when nobody would hear it, now or later.
   * It is taken by `published`.
   */
  nextOffset(topic: string): number | undefined {
    const state = this.#topics.get(topic)
    if (state !== undefined) return state.offset + 1
    if (!this.keeps(topic)) return undefined
    assertTopicName(topic)
    return 1
  }

  /** True for a topic with a history. */
  keeps(topic: string): boolean {
    return this.#options.historyOf(topic) !== undefined
  }

  /** It went out under `nextOffset`; `message` is what is kept of it, where anything is. */
  published(topic: string, message: () => OutboundMessage, except: string | undefined): void {
    const state = this.#found(topic)
    if (state === undefined) return
    const { history } = state
    const kept = history === undefined ? undefined : message()
    state.offset += 1
    if (history === undefined || kept === undefined) return
    history.add({ offset: state.offset, message: kept, atMs: this.#options.nowMs(), except })
    if (state.members.size === 0) this.#rest(topic, state)
  }

  /** Forgets what waits for its end. */
  stop(): void {
    for (const topic of [...this.#idle]) this.#forget(topic)
  }

  /** What outlives its members may also begin without any. */
  #found(topic: string): TopicState<Member> | undefined {
    const known = this.#topics.get(topic)
    if (known !== undefined || this.#options.historyOf(topic) === undefined) return known
    const state = this.#begin(topic)
    this.#rest(topic, state)
    return state
  }

  #begin(topic: string): TopicState<Member> {
    assertTopicName(topic)
    const { epoch, historyOf } = this.#options
    const limits = historyOf(topic)
    this.#epochs += 1
    const state: TopicState<Member> = {
      epoch: `${epoch}-${this.#epochs.toString(36)}`,
      alone: [topic],
      members: new Set(),
      history: limits === undefined ? undefined : new TopicHistory(limits, this.#memory),
      offset: 0,
      cancelEnd: () => {},
    }
    this.#topics.set(topic, state)
    return state
  }

  /** Nobody is in it. */
  #rest(topic: string, state: TopicState<Member>): void {
    const { timers, idleTopicsMax } = this.#options
    state.cancelEnd()
    this.#idle.delete(topic)
    this.#idle.add(topic)
    if (state.history === undefined) {
      this.#forget(topic)
      return
    }
    state.cancelEnd = timers.after(state.history.limits.maxAgeMs, () => this.#forget(topic))
    for (const longest of this.#idle) {
      if (this.#idle.size <= idleTopicsMax) return
      this.#forget(longest)
    }
  }

  #forget(topic: string): void {
    const state = this.#topics.get(topic)
    if (state === undefined || !this.#idle.delete(topic)) return
    state.cancelEnd()
    state.history?.clear()
    this.#topics.delete(topic)
  }
}
