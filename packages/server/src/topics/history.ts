// Histories of topics in memory. Each history is bounded by count, age and bytes, and all histories together by bytes; at a
// bound the oldest publications are evicted. A history is the end of its topic, without a gap. Must not know sessions.
import type { TopicHistoryLimits, TopicPosition } from "@hawser/protocol"
import type { LogEntry, LogQuery, LogRead } from "./topic-log.ts"

interface OwnedEntry extends LogEntry {
  readonly owner: TopicHistory
}

/** Estimated memory of an entry beside its message, in bytes. */
const entryBytes = 128

/** Entries of all histories in order of their age, and the bound of their bytes. Evicts the oldest entry at the bound. */
export class HistoryMemory {
  readonly #maxBytes: number
  /** Entries of all topics, oldest first. */
  readonly #entries = new Set<OwnedEntry>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Iterates the entries of all topics, oldest first. */
  entries(): IterableIterator<OwnedEntry> {
    return this.#entries.values()
  }

  add(entry: OwnedEntry): void {
    this.#entries.add(entry)
    this.#bytes += sizeOf(entry)
    for (const oldest of this.#entries) {
      if (this.#bytes <= this.#maxBytes) return
      oldest.owner.evictOldest()
    }
  }

  delete(entry: OwnedEntry): void {
    if (this.#entries.delete(entry)) this.#bytes -= sizeOf(entry)
  }
}

/** History of one topic. */
export class TopicHistory {
  readonly topic: string
  readonly limits: TopicHistoryLimits
  readonly #memory: HistoryMemory
  readonly #entries: OwnedEntry[] = []
  #bytes = 0

  constructor(topic: string, limits: TopicHistoryLimits, memory: HistoryMemory) {
    this.topic = topic
    this.limits = limits
    this.#memory = memory
  }

  add(added: LogEntry): void {
    const entry: OwnedEntry = { ...added, owner: this }
    if (sizeOf(entry) > this.limits.maxBytes) {
      // A history without this entry would have a gap.
      this.clear()
      return
    }
    this.#entries.push(entry)
    this.#bytes += sizeOf(entry)
    this.#memory.add(entry)
    while (this.#entries.length > this.limits.maxCount || this.#bytes > this.limits.maxBytes)
      this.evictOldest()
    this.#expire(added.atMs)
  }

  /** Returns the retained publications above `offset`, by ascending offset. */
  after(offset: number, nowMs: number): readonly LogEntry[] {
    this.#expire(nowMs)
    const first = this.#entries[0]
    return first === undefined ? [] : this.#entries.slice(Math.max(0, offset + 1 - first.offset))
  }

  evictOldest(): void {
    const entry = this.#entries.shift()
    if (entry === undefined) return
    this.#bytes -= sizeOf(entry)
    this.#memory.delete(entry)
  }

  clear(): void {
    while (this.#entries.length > 0) this.evictOldest()
  }

  #expire(nowMs: number): void {
    while ((this.#entries[0]?.atMs ?? nowMs) <= nowMs - this.limits.maxAgeMs) this.evictOldest()
  }
}

function sizeOf({ message, except = "" }: LogEntry): number {
  return message.bytes.length + 2 * except.length + entryBytes
}

interface CurrentHistory {
  readonly history: TopicHistory | undefined
  readonly nowMs: number
}

/** Returns the result of a query to a topic whose end is `head`. Leading publications above `maxBytes` become part of a gap. */
export function missedSince(query: LogQuery, head: TopicPosition, now: CurrentHistory): LogRead {
  const missed = keptSince(query, head, now)
  const { gap, entries } = missed
  let passed = 0
  while ((entries[passed]?.message.bytes.length ?? 0) > query.maxBytes) passed += 1
  if (passed === 0) return missed
  const from = missed.from + passed
  // A gap without an end includes these publications already.
  if (gap !== undefined && gap.to === undefined) return { head, from, gap, entries: entries.slice(passed) }
  const begin = gap?.from ?? missed.from + 1
  return { head, from, gap: { from: begin, to: from, reason: "trimmed" }, entries: entries.slice(passed) }
}

function keptSince(query: LogQuery, head: TopicPosition, { history, nowMs }: CurrentHistory): LogRead {
  const { since, recent } = query
  const knows = since !== undefined && since.epoch === head.epoch && since.offset <= head.offset
  // A reader with a position of another epoch gets all publications of the current epoch.
  const after = knows ? since.offset : since === undefined ? Math.max(0, head.offset - recent) : 0
  const entries = after === head.offset ? [] : (history?.after(after, nowMs) ?? [])
  const from = (entries[0]?.offset ?? head.offset + 1) - 1
  if (since === undefined) return { head, from, gap: undefined, entries }
  if (!knows)
    return { head, from, gap: { from: since.offset + 1, to: undefined, reason: "restarted" }, entries }
  if (from === after) return { head, from, gap: undefined, entries }
  const reason = history === undefined ? "unkept" : "trimmed"
  return { head, from, gap: { from: after + 1, to: from, reason }, entries }
}
