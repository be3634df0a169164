// The queue of one iteration over a topic. At 1,024 waiting items it drops the oldest and reports a gap. Must not know frames.
import type { TopicGap } from "@hawser/protocol"
import type { EventMeta } from "../base/event-delivery.ts"

export type ReaderItem =
  | {
      readonly kind: "message"
      readonly event: string
      readonly payload: unknown
      readonly meta: EventMeta
    }
  | { readonly kind: "gap"; readonly gap: TopicGap }

/** Most items that wait for their reader. At the bound the two oldest items become one gap. */
const queueMaxCount = 1_024

export class TopicReader implements AsyncIterableIterator<ReaderItem, undefined> {
  readonly #queue: ReaderItem[] = []
  readonly #waiting: ((result: IteratorResult<ReaderItem, undefined>) => void)[] = []
  readonly #onEnd: (reader: TopicReader) => void
  #ended = false

  constructor(onEnd: (reader: TopicReader) => void) {
    this.#onEnd = onEnd
  }

  /** Adds an item. @param place topic and epoch of the item, for a gap. */
  push(item: ReaderItem, place: { readonly topic: string; readonly epoch: string }): void {
    if (this.#ended) return
    const reader = this.#waiting.shift()
    if (reader !== undefined) {
      reader({ value: item, done: false })
      return
    }
    if (this.#queue.push(item) <= queueMaxCount) return
    const lost = this.#queue.splice(0, 2).flatMap(rangeOf)
    // Volatile events have no offset and may be lost without a gap.
    if (lost.length === 0) return
    const from = Math.min(...lost.map((range) => range.from))
    const to = Math.max(...lost.map((range) => range.to ?? range.from))
    this.#queue.unshift({ kind: "gap", gap: { ...place, from, to, reason: "overrun" } })
  }

  /** Ends the iteration after the waiting items. */
  end(): void {
    this.#ended = true
    for (const reader of this.#waiting.splice(0)) reader({ value: undefined, done: true })
  }

  next(): Promise<IteratorResult<ReaderItem, undefined>> {
    const value = this.#queue.shift()
    if (value !== undefined) return Promise.resolve({ value, done: false })
    if (this.#ended) return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  return(): Promise<IteratorResult<ReaderItem, undefined>> {
    this.#queue.length = 0
    this.end()
    this.#onEnd(this)
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

function rangeOf(item: ReaderItem): { from: number; to: number | undefined }[] {
  if (item.kind === "gap") return [item.gap]
  const { offset } = item.meta
  return offset === undefined ? [] : [{ from: offset, to: offset }]
}
