// Orders timers by due time in a binary heap. Each entry stores its index, so that a cancelled entry is removed at once.
// It has no bound; its owner bounds the number of entries. Must not know clocks.

export interface TimerEntry {
  readonly atMs: number
  /** Serial number, from 0. Entries with equal times keep this order. */
  readonly order: number
  readonly callback: () => void
  /** Index in the heap; -1 outside it. */
  index: number
}

/** Entries ordered by `atMs`, then by `order`. Adding and removing cost O(log n). */
export class TimerHeap {
  /** The entry at `i` is not later than the entries at `2i + 1` and `2i + 2`. */
  readonly #entries: TimerEntry[] = []
  #added = 0

  get size(): number {
    return this.#entries.length
  }

  /** Number of entries ever added: the `order` of the next entry. */
  get added(): number {
    return this.#added
  }

  /** The earliest entry; undefined if the heap is empty. */
  get first(): TimerEntry | undefined {
    return this.#entries[0]
  }

  add(atMs: number, callback: () => void): TimerEntry {
    const entry: TimerEntry = { atMs, order: this.#added, callback, index: this.#entries.length }
    this.#added += 1
    this.#entries.push(entry)
    this.#moveUp(entry)
    return entry
  }

  /** Removes an entry of this heap. Returns false if it was removed before. */
  remove(entry: TimerEntry): boolean {
    if (entry.index === -1) return false
    const last = this.#entries.pop()
    if (last !== undefined && last !== entry) {
      this.#place(last, entry.index)
      this.#moveUp(last)
      this.#moveDown(last)
    }
    entry.index = -1
    return true
  }

  clear(): void {
    for (const entry of this.#entries) entry.index = -1
    this.#entries.length = 0
  }

  #moveUp(entry: TimerEntry): void {
    while (entry.index > 0) {
      const parent = this.#entries[(entry.index - 1) >>> 1]
      if (parent === undefined || isBefore(parent, entry)) return
      this.#swap(parent, entry)
    }
  }

  #moveDown(entry: TimerEntry): void {
    for (;;) {
      const left = this.#entries[2 * entry.index + 1]
      const right = this.#entries[2 * entry.index + 2]
      const child = left !== undefined && right !== undefined && isBefore(right, left) ? right : left
      if (child === undefined || isBefore(entry, child)) return
      this.#swap(entry, child)
    }
  }

  #swap(upper: TimerEntry, lower: TimerEntry): void {
    const upperIndex = upper.index
    this.#place(upper, lower.index)
    this.#place(lower, upperIndex)
  }

  #place(entry: TimerEntry, index: number): void {
    this.#entries[index] = entry
    entry.index = index
  }
}

function isBefore(one: TimerEntry, other: TimerEntry): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order)
}
