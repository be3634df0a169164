// The queue of one iteration over a topic. At 1,024 waiting items it drops the oldest and reports a gap. Must not know frames.
import type { TopicGap } from "@hawser/protocol"
import type { AsyncQueue, OverflowPolicy } from "../base/async-queue.ts"
import type { Delivered } from "../base/event-delivery.ts"

export type ReaderItem =
  | ({ readonly kind: "message"; readonly event: string } & Delivered)
  | { readonly kind: "gap"; readonly gap: TopicGap }

/** Most items that wait for their reader. */
export const readerMaxCount = 1_024

export type TopicReader = AsyncQueue<ReaderItem>

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
