// The queue of one iteration over a topic. At 1,024 waiting items it drops the oldest and reports a gap. Must not know frames.
import type { TopicGap } from "@hawser/protocol"
import { AsyncQueue, asItIs } from "../base/async-queue.ts"
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
  readonly #queue: AsyncQueue<ReaderItem>

  constructor(onEnd: (reader: TopicReader) => void) {
    this.#queue = new AsyncQueue({ maxCount: queueMaxCount, read: asItIs, onReturn: () => onEnd(this) })
  }

  /** Adds an item. @param place topic and epoch of the item, for a gap. */
  push(item: ReaderItem, place: { readonly topic: string; readonly epoch: string }): void {
    this.#queue.push(item, (items) => {
      const lost = items.splice(0, 2).flatMap(rangeOf)
      // Volatile events have no offset and may be lost without a gap.
      if (lost.length === 0) return
      const from = Math.min(...lost.map((range) => range.from))
      const to = Math.max(...lost.map((range) => range.to ?? range.from))
      items.unshift({ kind: "gap", gap: { ...place, from, to, reason: "overrun" } })
    })
  }

  /** Ends the iteration after the waiting items. */
  end(): void {
    this.#queue.end()
  }

  next(): Promise<IteratorResult<ReaderItem, undefined>> {
    return this.#queue.next()
  }

  return(): Promise<IteratorResult<ReaderItem, undefined>> {
    return this.#queue.return()
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
