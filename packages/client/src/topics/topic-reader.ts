// The queue of one iteration over a topic. At 1,024 waiting items it drops the oldest and reports a gap. Must not know frames.
import type { TopicGap } from "@hawser/protocol"
import { AsyncQueue, asItIs } from "../base/async-queue.ts"
import type { OverflowPolicy } from "../base/async-queue.ts"
import type { EventMeta } from "../base/event-delivery.ts"

export type ReaderItem =
  | {
      readonly kind: "message"
      readonly event: string
      readonly payload: unknown
      readonly meta: EventMeta
    }
  | { readonly kind: "gap"; readonly gap: TopicGap }

/** Most items that wait for their reader. */
const queueMaxCount = 1_024

export type TopicReader = AsyncQueue<ReaderItem>

/** @param onEnd called when the reader leaves the iteration. */
export function createTopicReader(onEnd: (reader: TopicReader) => void): TopicReader {
  const reader: TopicReader = new AsyncQueue({
    maxCount: queueMaxCount,
    read: asItIs,
    onReturn: () => onEnd(reader),
  })
  return reader
}

/** Returns the policy at the bound: the two oldest items become one gap. @param place topic and epoch of the gap. */
export function overrunAt(place: {
  readonly topic: string
  readonly epoch: string
}): OverflowPolicy<ReaderItem> {
  return (items) => {
    const lost = items.splice(0, 2).flatMap(rangeOf)
    // Volatile events have no offset and may be lost without a gap.
    if (lost.length === 0) return
    const from = Math.min(...lost.map((range) => range.from))
    const to = Math.max(...lost.map((range) => range.to ?? range.from))
    items.unshift({ kind: "gap", gap: { ...place, from, to, reason: "overrun" } })
  }
}

function rangeOf(item: ReaderItem): { from: number; to: number | undefined }[] {
  if (item.kind === "gap") return [item.gap]
  const { offset } = item.meta
  return offset === undefined ? [] : [{ from: offset, to: offset }]
}
