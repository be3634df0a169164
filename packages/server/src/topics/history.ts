// What topics keep of their publications for those who come later: bounded by count, age and bytes, and all of it together
// by one bound. What is kept of a topic is always the end of it, without a hole. Knows no sessions.
import type { TopicHistoryLimits, TopicPosition } from "@hawser/protocol"
import type { JoinedGap, OutboundMessage } from "@hawser/protocol/core"

/** One publication, as it goes to whoever missed it: the same bytes that went to everybody else. */
export interface Kept {
  readonly offset: number
  readonly message: OutboundMessage
  readonly atMs: number
  /** The client that it was not meant for, if there is one. */
  readonly except: string | undefined
}

interface Entry extends Kept {
  readonly owner: TopicHistory
}

/** Beside its bytes, an entry takes about so much. */
const entryBytes = 128

/** The histories of all topics against one bound. */
export class HistoryMemory {
  readonly #maxBytes: number
  /** Of all topics, oldest first. */
  readonly #entries = new Set<Entry>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  add(entry: Entry): void {
    this.#entries.add(entry)
    this.#bytes += sizeOf(entry)
    for (const oldest of this.#entries) {
      if (this.#bytes <= this.#maxBytes) return
      oldest.owner.forgetOldest()
    }
  }

  delete(entry: Entry): void {
    if (this.#entries.delete(entry)) this.#bytes -= sizeOf(entry)
  }
}

/** The history of one topic. */
export class TopicHistory {
  readonly limits: TopicHistoryLimits
  readonly #memory: HistoryMemory
  readonly #entries: Entry[] = []
  #bytes = 0

  constructor(limits: TopicHistoryLimits, memory: HistoryMemory) {
    this.limits = limits
    this.#memory = memory
  }

  get size(): number {
    return this.#entries.length
  }

  add(kept: Kept): void {
    const entry: Entry = { ...kept, owner: this }
    if (sizeOf(entry) > this.limits.maxBytes) {
      // Without it there would be a hole between what was before and what will be after it.
      this.clear()
      return
    }
    this.#entries.push(entry)
    this.#bytes += sizeOf(entry)
    this.#memory.add(entry)
    while (this.#entries.length > this.limits.maxCount || this.#bytes > this.limits.maxBytes)
      this.forgetOldest()
    this.#forgetOld(kept.atMs)
  }

  /** What is kept of the publications above `offset`, in order. */
  after(offset: number, nowMs: number): readonly Kept[] {
    this.#forgetOld(nowMs)
    const first = this.#entries[0]
    return first === undefined ? [] : this.#entries.slice(Math.max(0, offset + 1 - first.offset))
  }

  forgetOldest(): void {
    const entry = this.#entries.shift()
    if (entry === undefined) return
    this.#bytes -= sizeOf(entry)
    this.#memory.delete(entry)
  }

  clear(): void {
    while (this.#entries.length > 0) this.forgetOldest()
  }

  #forgetOld(nowMs: number): void {
    while ((this.#entries[0]?.atMs ?? nowMs) <= nowMs - this.limits.maxAgeMs) this.forgetOldest()
  }
}

function sizeOf({ message }: Kept): number {
  return message.bytes.length + entryBytes
}

/** What somebody asks for who joins. */
export interface Wanted {
  readonly since: TopicPosition | undefined
  readonly recent: number
}

/** What can be had of it: publications above `from`, after a gap if there is one. */
export interface Missed {
  readonly from: number
  readonly gap: JoinedGap | undefined
  readonly kept: readonly Kept[]
}

interface HistoryNow {
  readonly history: TopicHistory | undefined
  readonly nowMs: number
  /** Largest publication that a session can be sent. */
  readonly maxBytes: number
}

/** Of a topic that stands at `head`. A publication that is too large to be sent is part of a gap. */
export function missedSince(wanted: Wanted, head: TopicPosition, now: HistoryNow): Missed {
  const missed = keptSince(wanted, head, now)
  const { gap, kept } = missed
  let passed = 0
  while ((kept[passed]?.message.bytes.length ?? 0) > now.maxBytes) passed += 1
  if (passed === 0) return missed
  const from = missed.from + passed
  // Without an end it covers everything before what follows already.
  if (gap !== undefined && gap.to === undefined) return { from, gap, kept: kept.slice(passed) }
  const begin = gap?.from ?? missed.from + 1
  return { from, gap: { from: begin, to: from, reason: "trimmed" }, kept: kept.slice(passed) }
}

function keptSince(wanted: Wanted, head: TopicPosition, { history, nowMs }: HistoryNow): Missed {
  const { since, recent } = wanted
  const knows = since !== undefined && since.epoch === head.epoch && since.offset <= head.offset
  // In an epoch that it knows nothing of, everything is new to whoever was there in another one.
  const after = knows ? since.offset : since === undefined ? Math.max(0, head.offset - recent) : 0
  const kept = after === head.offset ? [] : (history?.after(after, nowMs) ?? [])
  const from = (kept[0]?.offset ?? head.offset + 1) - 1
  if (since === undefined) return { from, gap: undefined, kept }
  if (!knows) return { from, gap: { from: since.offset + 1, to: undefined, reason: "restarted" }, kept }
  if (from === after) return { from, gap: undefined, kept }
  const reason = history === undefined ? "unkept" : "trimmed"
  return { from, gap: { from: after + 1, to: from, reason }, kept }
}
