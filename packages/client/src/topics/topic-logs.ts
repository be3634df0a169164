// The logs of one topic: stores of its last items, by size. Each log begins when it is first requested. Must not know frames.
import { quoted } from "@hawser/protocol/core"
import { CachedStore } from "../base/store.ts"
import type { Store } from "../base/store.ts"
import type { Unsubscribe } from "../base/event-bus.ts"
import { readerMaxCount } from "./topic-reader.ts"
import type { ReaderItem } from "./topic-reader.ts"

/** Size of a log by default, in items. */
const defaultSize = 100

export interface TopicLogsOptions {
  /** Called before a subscriber is added. */
  readonly onUse: () => void
  readonly onError: (error: unknown) => void
}

export class TopicLogs {
  readonly #options: TopicLogsOptions
  readonly #logs = new Map<number, TopicLog>()

  constructor(options: TopicLogsOptions) {
    this.#options = options
  }

  /** True while a log has a subscriber. */
  get areWatched(): boolean {
    return [...this.#logs.values()].some((log) => log.isWatched)
  }

  /** @throws RangeError for a size that is no whole number from 1 to 1,024. */
  get(size: number = defaultSize): Store<readonly ReaderItem[]> {
    if (!Number.isInteger(size) || size < 1 || size > readerMaxCount)
      throw new RangeError(`the size of a log is 1 to ${readerMaxCount} items, not ${quoted(size)}`)
    const log = this.#logs.get(size) ?? new TopicLog(size, this.#options)
    this.#logs.set(size, log)
    return log
  }

  push(item: ReaderItem): void {
    for (const log of this.#logs.values()) log.push(item)
  }

  clear(): void {
    for (const log of this.#logs.values()) log.clear()
  }
}

class TopicLog implements Store<readonly ReaderItem[]> {
  readonly #size: number
  readonly #onUse: () => void
  readonly #items: ReaderItem[] = []
  readonly #store: CachedStore<readonly ReaderItem[]>

  constructor(size: number, { onError, onUse }: TopicLogsOptions) {
    this.#size = size
    this.#onUse = onUse
    this.#store = new CachedStore<readonly ReaderItem[]>({ build: () => [...this.#items], onError })
  }

  get isWatched(): boolean {
    return this.#store.isWatched
  }

  readonly snapshot = (): readonly ReaderItem[] => this.#store.snapshot()

  readonly subscribe = (changed: () => void): Unsubscribe => {
    this.#onUse()
    return this.#store.subscribe(changed)
  }

  push(item: ReaderItem): void {
    this.#items.push(item)
    if (this.#items.length > this.#size) this.#items.shift()
    this.#store.changed()
  }

  clear(): void {
    if (this.#items.length === 0) return
    this.#items.length = 0
    this.#store.changed()
  }
}
