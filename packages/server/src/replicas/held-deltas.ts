// The last deltas of one cell, for viewers that miss some of them. All deltas are in one buffer: an object and an array for
// each delta would take ten times the memory of a typical delta.
// Bounds: bytes (buffer and objects) and age. At the bytes bound the oldest deltas are dropped, but never the last one. At the
// age bound each delta is dropped. Must not know viewers and frames.
import type { BitWriter } from "@hawser/protocol/core"

export interface HeldDeltasLimits {
  /** Memory of the deltas of one cell, in bytes. At the bound the oldest deltas are dropped. */
  readonly replicaDeltaMaxBytes: number
  /** Largest age of a delta, in milliseconds. An older delta is dropped. */
  readonly replicaDeltaMaxMs: number
}

/** Estimated heap of a typed array, its buffer and the allocator's overhead, in bytes. */
const arrayOverheadBytes = 250
/** Bytes of the head before each delta: its length and its time, four bytes each. */
const headBytes = 8
const leastBytes = 128
/** Unit of times in heads. Four bytes hold 13 years. */
const timeUnitMs = 100
/** Share of the bound that is kept when the oldest deltas are dropped, so that the rest is moved rarely. */
const keptShare = 0.75

const none = new Uint8Array(0)

export class HeldDeltas {
  readonly #limits: HeldDeltasLimits
  #bytes = none
  /** The deltas are in the buffer from `#start` to `#end`. */
  #start = 0
  #end = 0
  /** Offset of the last delta, with its head. */
  #last = 0
  #count = 0
  /** The last delta, cached for all viewers of one tick. */
  #lastDelta: Uint8Array | undefined

  constructor(limits: HeldDeltasLimits) {
    this.#limits = limits
  }

  /** Number of held deltas. They end at the current version, one version each. */
  get count(): number {
    return this.#count
  }

  /** Memory of the held deltas, in bytes. */
  get heldBytes(): number {
    return this.#bytes === none ? 0 : this.#bytes.length + arrayOverheadBytes
  }

  /** Adds the content of the writer as the last delta, and empties the writer. */
  add(writer: BitWriter, nowMs: number): void {
    const length = writer.byteLength
    this.expire(nowMs)
    this.#reserve(headBytes + length)
    this.#last = this.#end
    this.#lastDelta = undefined
    this.#writeUint32(this.#end, length)
    this.#writeUint32(this.#end + 4, Math.floor(nowMs / timeUnitMs))
    writer.takeInto(this.#bytes, this.#end + headBytes)
    this.#end += headBytes + length
    this.#count += 1
  }

  /** Returns the bytes of the last `count` deltas, without their heads. */
  bytesOfLast(count: number): number {
    return this.#end - this.#startOfLast(count) - count * headBytes
  }

  /** Iterates the last `count` deltas, oldest first, in memory that the next `add` reuses. */
  *read(count: number): IterableIterator<Uint8Array> {
    for (let at = this.#startOfLast(count); at < this.#end; at = this.#after(at))
      yield this.#bytes.subarray(at + headBytes, this.#after(at))
  }

  /** The last delta, in memory that the next `add` reuses; undefined if none is held. */
  get lastDelta(): Uint8Array | undefined {
    if (this.#count === 0) return undefined
    this.#lastDelta ??= this.#bytes.subarray(this.#last + headBytes, this.#end)
    return this.#lastDelta
  }

  /** Drops deltas above the age bound, also the last one. */
  expire(nowMs: number): void {
    const oldest = Math.floor((nowMs - this.#limits.replicaDeltaMaxMs) / timeUnitMs)
    while (this.#count > 0 && this.#readUint32(this.#start + 4) < oldest) this.#dropOldest()
    if (this.#count === 0) this.clear()
  }

  clear(): void {
    this.#bytes = none
    this.#lastDelta = undefined
    this.#start = 0
    this.#end = 0
    this.#count = 0
  }

  #startOfLast(count: number): number {
    let at = this.#start
    for (let skipped = this.#count - count; skipped > 0; skipped -= 1) at = this.#after(at)
    return at
  }

  #after(at: number): number {
    return at + headBytes + this.#readUint32(at)
  }

  #dropOldest(): void {
    this.#start = this.#after(this.#start)
    this.#count -= 1
  }

  /** Reserves `needed` bytes after the last delta. Drops the oldest deltas at the bound. */
  #reserve(needed: number): void {
    const most = Math.max(leastBytes, this.#limits.replicaDeltaMaxBytes - arrayOverheadBytes)
    if (this.#end - this.#start + needed > most) {
      const kept = Math.max(0, most * keptShare - needed)
      while (this.#count > 0 && this.#end - this.#start > kept) this.#dropOldest()
    }
    const capacity = this.#bytes.length
    const used = this.#end - this.#start
    if (this.#end + needed <= capacity && capacity <= most) return
    // A buffer above the bound, from one oversized delta, is replaced when it is no longer needed.
    if (used + needed <= capacity && (capacity <= most || used + needed > most)) {
      this.#bytes.copyWithin(0, this.#start, this.#end)
    } else {
      const doubled = Math.min(most, Math.max(leastBytes, capacity * 2))
      const larger = new Uint8Array(Math.max(doubled, used + needed))
      larger.set(this.#bytes.subarray(this.#start, this.#end))
      this.#bytes = larger
    }
    this.#start = 0
    this.#end = used
  }

  #writeUint32(at: number, value: number): void {
    const bytes = this.#bytes
    bytes[at] = value & 0xff
    bytes[at + 1] = (value >>> 8) & 0xff
    bytes[at + 2] = (value >>> 16) & 0xff
    bytes[at + 3] = value >>> 24
  }

  #readUint32(at: number): number {
    const bytes = this.#bytes
    const low = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16)
    return low + (bytes[at + 3] ?? 0) * 0x1000000
  }
}
