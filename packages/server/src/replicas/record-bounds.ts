// Bounds of a durable replica, whose records a start must read: their number and size. Must not know cells.
import type { PackedRecord } from "@hawser/protocol/core"

/** Limits of one durable replica. */
export interface RecordLimits {
  readonly durableReplicaMaxCount: number
  readonly durableReplicaMaxBytes: number
}

/** Counted bytes of a field, beside the characters of its text. */
const fieldBytes = 8

export class RecordBounds {
  readonly #name: string
  readonly #limits: RecordLimits
  #bytes = 0

  constructor({ name, limits }: { readonly name: string; readonly limits: RecordLimits }) {
    this.#name = name
    this.#limits = limits
  }

  /** Counts a record that exists already. */
  add(id: string, packed: PackedRecord): void {
    this.#bytes += bytesOf(id, packed)
  }

  /** Counts a new record. @throws RangeError at a bound. @param count number of records before it. */
  admit(id: string, packed: PackedRecord, count: number): void {
    const { durableReplicaMaxCount: maxCount } = this.#limits
    if (count >= maxCount) throw this.#full(`${count} records`, `${maxCount} (limits.durableReplicaMaxCount)`)
    this.#grow(bytesOf(id, packed))
  }

  /** Counts the new values of a record. @throws RangeError at the bound of bytes, if they are longer. */
  replace(id: string, before: PackedRecord, packed: PackedRecord): void {
    this.#grow(bytesOf(id, packed) - bytesOf(id, before))
  }

  remove(id: string, packed: PackedRecord): void {
    this.#bytes -= bytesOf(id, packed)
  }

  #grow(bytes: number): void {
    const { durableReplicaMaxBytes: maxBytes } = this.#limits
    if (bytes > 0 && this.#bytes + bytes > maxBytes)
      throw this.#full(`${this.#bytes + bytes} bytes`, `${maxBytes} (limits.durableReplicaMaxBytes)`)
    this.#bytes += bytes
  }

  #full(size: string, most: string): RangeError {
    const advice = "remove records, or raise the limit"
    return new RangeError(`the durable replica "${this.#name}" has ${size}, the most is ${most}: ${advice}`)
  }
}

function bytesOf(id: string, packed: PackedRecord): number {
  let bytes = id.length + fieldBytes * packed.length
  for (const value of packed) if (typeof value === "string") bytes += value.length
  return bytes
}
