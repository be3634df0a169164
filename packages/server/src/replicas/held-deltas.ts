// The last changes of one cell, packed one behind the other in one buffer: for viewers that missed some of them. An object
// and an array of its own for each change would cost ten times what most changes say.
// Bounds: bytes (the buffer and its objects) and age; beyond either the oldest changes are dropped, but never the last one.
// Must not know viewers and frames.
import type { BitWriter } from "@hawser/protocol/core"

export interface HeldDeltasLimits {
  /** Bytes of memory for the changes of one cell. Beyond: the oldest are dropped. */
  readonly replicaDeltaMaxBytes: number
  /** Age of a change. Beyond: it is dropped. */
  readonly replicaDeltaMaxMs: number
}

/** Heap of a typed array, its buffer and the allocator's own, about. */
const arrayOverheadBytes = 250
/** Each change is preceded by its length and its time, of four bytes each. */
const headBytes = 8
const leastBytes = 128
/** Unit of these times: four bytes are enough for 13 years. */
const timeUnitMs = 100
/** Share of the bound that is left when the oldest changes are dropped, so that the rest is moved seldom. */
const keptShare = 0.75

const none = new Uint8Array(0)

export class HeldDeltas {
  readonly #limits: HeldDeltasLimits
  #bytes = none
  /** The changes are between these two. */
  #start = 0
  #end = 0
  /** Where the last change begins, its head included. */
  #last = 0
  #count = 0
  /** The last change, for all viewers of one tick. */
  #lastDelta: Uint8Array | undefined

  constructor(limits: HeldDeltasLimits) {
    this.#limits = limits
  }

  /** Changes that are held. They lead to the current version, one version each. */
  get count(): number {
    return this.#count
  }

  /** Memory that they take. */
  get heldBytes(): number {
    return this.#bytes === none ? 0 : this.#bytes.length + arrayOverheadBytes
  }

  /** Keeps what was written, and empties the writer. */
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

  /** Bytes of the last `count` changes, without their heads. */
  bytesOfLast(count: number): number {
    return this.#end - this.#startOfLast(count) - count * headBytes
  }

  /** The last `count` changes, oldest first, in memory that is reused with the next change. */
  *read(count: number): IterableIterator<Uint8Array> {
    for (let at = this.#startOfLast(count); at < this.#end; at = this.#after(at))
      yield this.#bytes.subarray(at + headBytes, this.#after(at))
  }

  /** The last change, likewise; undefined if none is held. */
  get lastDelta(): Uint8Array | undefined {
    if (this.#count === 0) return undefined
    this.#lastDelta ??= this.#bytes.subarray(this.#last + headBytes, this.#end)
    return this.#lastDelta
  }

  /** Drops changes that are too old, also the last one. */
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

  /** Makes room for so many bytes more behind the last change. */
  #reserve(needed: number): void {
    const most = Math.max(leastBytes, this.#limits.replicaDeltaMaxBytes - arrayOverheadBytes)
    if (this.#end - this.#start + needed > most) {
      const kept = Math.max(0, most * keptShare - needed)
      while (this.#count > 0 && this.#end - this.#start > kept) this.#dropOldest()
    }
    const capacity = this.#bytes.length
    const used = this.#end - this.#start
    if (this.#end + needed <= capacity && capacity <= most) return
    // A change that was larger than the bound has left a large buffer behind.
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
