// The topic log in the memory of this process: epochs, offsets and histories. Its content is lost with the process unless
// `freeze` writes it. Must not know sessions, members or permissions.
// Bounds: of each history (`TopicHistoryLimits`), of all histories together (`topicHistoryMaxBytes`, the oldest publication is
// evicted), and of topics without subscribers (`idleTopicsMax`, the topic that lost its last subscriber first is evicted).
import { assertTopicName, outbound } from "@hawser/protocol/core"
import type { Clock, ServerLimits, TopicHistoryLimits, TopicPosition } from "@hawser/protocol"
import type { TimerQueue } from "@hawser/protocol/core"
import { HistoryMemory, TopicHistory, missedSince } from "./history.ts"
import type { LogEntry, LogPublication, LogQuery, LogRead, LogSubscriber, TopicLog } from "./topic-log.ts"
import type { TopicLogRecord, TopicRecord } from "./topic-records.ts"

interface TopicState<P extends LogPublication> {
  readonly epoch: string
  readonly history: TopicHistory | undefined
  offset: number
  /** An array, because it almost always has one element and is smaller than a set. */
  subscribers: readonly LogSubscriber<P>[]
  /** End of a topic without subscribers, by the clock of the log. */
  endsAtMs: number
  cancelEnd: () => void
}

export interface MemoryTopicLogOptions {
  /** Returns the history limits of a topic; undefined for a topic without a history. */
  readonly historyOf: (topic: string) => TopicHistoryLimits | undefined
  readonly timers: Pick<TimerQueue, "after">
  readonly clock: Pick<Clock, "now">
  /** Prefix of all epochs, unique to this log. */
  readonly epoch: string
  readonly limits: Pick<ServerLimits, "topicHistoryMaxBytes" | "idleTopicsMax">
  /** Receives each change; undefined without a ledger. */
  readonly notes?: TopicLogNotes | undefined
}

/** End of a topic: its epoch, its offset, and its end without subscribers by the clock of the log. */
export interface TopicStanding {
  readonly epoch: string
  readonly offset: number
  /** Undefined while the topic has subscribers. */
  readonly endsAtMs: number | undefined
}

/** Notes of a topic log for a ledger. */
export interface TopicLogNotes {
  /** A topic has begun, has got its first subscriber, or has lost its last one. */
  standing(topic: string, standing: TopicStanding): void
  /** `retained`: undefined for a topic without a history. */
  published(topic: string, offset: number, retained: LogEntry | undefined): void
  ended(topic: string): void
}

/** Reads the standing of a topic and the publications that it retains; undefined once it has ended. */
export type ReadTopic = () => (TopicStanding & { readonly entries: readonly LogEntry[] }) | undefined

export class MemoryTopicLog<P extends LogPublication> implements TopicLog<P> {
  readonly #options: MemoryTopicLogOptions
  readonly #topics = new Map<string, TopicState<P>>()
  /** Topics with a history and without subscribers, in the order in which they lost the last one. */
  readonly #idle = new Set<string>()
  readonly #memory: HistoryMemory
  #epochs = 0

  constructor(options: MemoryTopicLogOptions) {
    this.#options = options
    this.#memory = new HistoryMemory(options.limits.topicHistoryMaxBytes)
  }

  /** Bytes of all histories. */
  get historyBytes(): number {
    return this.#memory.bytes
  }

  keeps(topic: string): boolean {
    return this.#options.historyOf(topic) !== undefined
  }

  head(topic: string): TopicPosition | undefined {
    const state = this.#found(topic)
    return state && { epoch: state.epoch, offset: state.offset }
  }

  append(topic: string, publication: P): TopicPosition | undefined {
    const offset = this.#nextOffset(topic)
    if (offset === undefined) return undefined
    publication.encode(offset)
    if (this.#nextOffset(topic) !== offset)
      throw new TypeError(
        `cannot publish to "${topic}": the encoding of its payload published to the same topic`,
      )
    // Called before the topic begins: a throw of `retained` must not begin it.
    const message = this.keeps(topic) ? publication.retained() : undefined
    const state = this.#found(topic)
    if (state === undefined) return undefined
    const { epoch, history } = state
    state.offset = offset
    const isKept = history !== undefined && message !== undefined
    const entry = isKept
      ? { offset, message, atMs: this.#options.clock.now(), except: publication.except }
      : undefined
    this.#options.notes?.published(topic, offset, entry)
    if (history !== undefined && entry !== undefined) {
      history.add(entry)
      if (state.subscribers.length === 0) this.#becomeIdle(topic, state)
    }
    for (const subscriber of state.subscribers) subscriber(topic, publication)
    return { epoch, offset }
  }

  read(topic: string, query: LogQuery): LogRead | undefined {
    const state = this.#found(topic)
    if (state === undefined) return undefined
    const { epoch, offset, history } = state
    return missedSince(query, { epoch, offset }, { history, nowMs: this.#options.clock.now() })
  }

  subscribe(topic: string, subscriber: LogSubscriber<P>): void {
    const state = this.#topics.get(topic) ?? this.#begin(topic)
    if (state.subscribers.includes(subscriber)) return
    state.subscribers = [...state.subscribers, subscriber]
    const wasIdle = this.#idle.delete(topic)
    state.cancelEnd()
    if (wasIdle) this.#note(topic, state)
  }

  #note(topic: string, state: TopicState<P>): void {
    this.#options.notes?.standing(topic, this.#standing(topic, state))
  }

  #standing(topic: string, { epoch, offset, endsAtMs }: TopicState<P>): TopicStanding {
    return { epoch, offset, endsAtMs: this.#idle.has(topic) ? endsAtMs : undefined }
  }

  /**
   * Yields the topics, each with a function that returns its standing and the publications that it retains, oldest first; undefined once
   * the topic has ended.
   */
  *all(): Generator<readonly [topic: string, read: ReadTopic], void> {
    const nowMs = this.#options.clock.now()
    for (const [topic, state] of this.#topics)
      yield [
        topic,
        () =>
          this.#topics.get(topic) === state
            ? { ...this.#standing(topic, state), entries: state.history?.after(0, nowMs) ?? [] }
            : undefined,
      ]
  }

  unsubscribe(topic: string, subscriber: LogSubscriber<P>): void {
    const state = this.#topics.get(topic)
    if (state?.subscribers.includes(subscriber) !== true) return
    state.subscribers = state.subscribers.filter((other) => other !== subscriber)
    if (state.subscribers.length === 0) this.#becomeIdle(topic, state)
  }

  /** Removes the topics without subscribers and cancels their timers. */
  stop(): void {
    for (const topic of [...this.#idle]) this.#end(topic)
  }

  // --- as plain data --------------------------------------------------------------------------------------------

  freeze(): TopicLogRecord {
    const nowMs = this.#options.clock.now()
    const active = [...this.#topics.keys()].filter((topic) => !this.#idle.has(topic))
    const topics = [...active, ...this.#idle].flatMap((topic): TopicRecord[] => {
      const state = this.#topics.get(topic)
      if (state === undefined) return []
      const { epoch, offset, endsAtMs } = state
      return [{ topic, epoch, offset, endsInMs: this.#idle.has(topic) ? endsAtMs - nowMs : null }]
    })
    const publications = [...this.#memory.entries()].map(({ owner, offset, message, atMs, except }) => ({
      topic: owner.topic,
      offset,
      bytes: message.bytes,
      ageMs: nowMs - atMs,
      except: except ?? null,
    }))
    return { epochs: this.#epochs, topics, publications }
  }

  /**
   * Restores what `freeze` wrote, in a log without topics. A topic that had subscribers waits for them until `endThaw`.
   * Bounds of this log apply. A topic without remaining time to live is skipped.
   * @param elapsedMs time since `freeze`, in milliseconds.
   */
  thaw({ epochs, topics, publications }: TopicLogRecord, elapsedMs = 0): void {
    const nowMs = this.#options.clock.now()
    this.#epochs = Math.max(this.#epochs, epochs)
    for (const { topic, epoch, offset, endsInMs } of topics) {
      const leftMs = (endsInMs ?? Number.POSITIVE_INFINITY) - elapsedMs
      if (endsInMs !== null && (leftMs <= 0 || !this.keeps(topic))) continue
      const state = this.#create(topic, epoch)
      state.offset = offset
      if (endsInMs !== null) this.#endIn(leftMs, topic, state)
    }
    for (const { topic, offset, bytes, ageMs, except } of publications) {
      const atMs = nowMs - elapsedMs - ageMs
      const message = outbound(bytes)
      this.#topics.get(topic)?.history?.add({ offset, message, atMs, except: except ?? undefined })
    }
    this.#evictIdle()
  }

  /** Ends the wait for subscribers of restored topics. The time to live of topics without subscribers begins. */
  endThaw(): void {
    for (const [topic, state] of this.#topics)
      if (state.subscribers.length === 0 && !this.#idle.has(topic)) this.#becomeIdle(topic, state)
  }

  // --- life of a topic ------------------------------------------------------------------------------------------

  /** Returns the offset of the next publication; undefined if the topic does not exist. */
  #nextOffset(topic: string): number | undefined {
    const state = this.#topics.get(topic)
    if (state !== undefined) return state.offset + 1
    if (!this.keeps(topic)) return undefined
    assertTopicName(topic)
    return 1
  }

  /** Returns the state of a topic; undefined if it does not exist. Begins a topic that has a history. */
  #found(topic: string): TopicState<P> | undefined {
    const known = this.#topics.get(topic)
    if (known !== undefined || !this.keeps(topic)) return known
    const state = this.#begin(topic)
    this.#becomeIdle(topic, state)
    return state
  }

  #begin(topic: string): TopicState<P> {
    assertTopicName(topic)
    this.#epochs += 1
    const state = this.#create(topic, `${this.#options.epoch}-${this.#epochs.toString(36)}`)
    this.#note(topic, state)
    return state
  }

  #create(topic: string, epoch: string): TopicState<P> {
    const limits = this.#options.historyOf(topic)
    const history = limits === undefined ? undefined : new TopicHistory(topic, limits, this.#memory)
    const state: TopicState<P> = {
      epoch,
      history,
      offset: 0,
      subscribers: [],
      endsAtMs: 0,
      cancelEnd: () => {},
    }
    this.#topics.set(topic, state)
    return state
  }

  /** Begins the time to live of a topic without subscribers. A topic without a history ends at once. */
  #becomeIdle(topic: string, state: TopicState<P>): void {
    state.cancelEnd()
    this.#idle.delete(topic)
    if (state.history === undefined) {
      this.#topics.delete(topic)
      this.#options.notes?.ended(topic)
      return
    }
    this.#endIn(state.history.limits.maxAgeMs, topic, state)
    this.#note(topic, state)
    this.#evictIdle()
  }

  #endIn(ms: number, topic: string, state: TopicState<P>): void {
    const { timers, clock } = this.#options
    this.#idle.add(topic)
    state.endsAtMs = clock.now() + ms
    state.cancelEnd = timers.after(ms, () => this.#end(topic))
  }

  #evictIdle(): void {
    for (const oldest of this.#idle) {
      if (this.#idle.size <= this.#options.limits.idleTopicsMax) return
      this.#end(oldest)
    }
  }

  #end(topic: string): void {
    const state = this.#topics.get(topic)
    if (state === undefined || !this.#idle.delete(topic)) return
    state.cancelEnd()
    state.history?.clear()
    this.#topics.delete(topic)
    this.#options.notes?.ended(topic)
  }
}
