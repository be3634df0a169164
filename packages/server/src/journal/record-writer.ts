// Writes the fields of journal records into two buffers that grow and are used by turns: one record may be on its way to the disk
// while the next one is written. Must not know operations.
// Numbers are varints with the low seven bits first, at most 53 bits; texts are UTF-8 with their length in bytes before them.

const firstCapacity = 16 * 1024
/** Largest buffer that is used again, in bytes. */
const keptCapacity = 1024 * 1024
const sevenBits = 128
/** Largest number that bit operations of JavaScript can shift without a change of its sign. */
const shortMax = 0x7fff_ffff

export class RecordWriter {
  #bytes = Buffer.allocUnsafe(firstCapacity)
  /** Buffer of the record that was taken last. */
  #taken = Buffer.allocUnsafe(firstCapacity)
  #length = 0

  /** Number of bytes since `take`. */
  get length(): number {
    return this.#length
  }

  /** Returns the bytes since the last call, and begins again: a view, valid until the next call. */
  take(): Buffer {
    const taken = this.#bytes
    const written = taken.subarray(0, this.#length)
    this.#bytes = this.#taken.length > keptCapacity ? Buffer.allocUnsafe(firstCapacity) : this.#taken
    this.#taken = taken
    this.#length = 0
    return written
  }

  /** Leaves bytes for the caller. Their content is not defined. */
  skip(bytes: number): void {
    this.#reserve(bytes)
    this.#length += bytes
  }

  byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length] = value
    this.#length += 1
  }

  /** Writes a whole number from 0 to 2^53 − 1. @throws RangeError for any other. */
  count(value: number): void {
    if (!(value >= 0 && Number.isSafeInteger(value)))
      throw new RangeError(`internal: a journal record cannot hold the count ${value}`)
    this.#reserve(8)
    let rest = value
    while (rest > shortMax) {
      this.#bytes[this.#length] = (rest % sevenBits) | sevenBits
      this.#length += 1
      rest = Math.floor(rest / sevenBits)
    }
    while (rest >= sevenBits) {
      this.#bytes[this.#length] = (rest & (sevenBits - 1)) | sevenBits
      this.#length += 1
      rest >>>= 7
    }
    this.#bytes[this.#length] = rest
    this.#length += 1
  }

  /** Writes a whole number with its sign, of at most 52 bits. */
  integer(value: number): void {
    this.count(value < 0 ? -2 * value - 1 : 2 * value)
  }

  /** Writes 32 bits, such as a digest. */
  word(value: number): void {
    this.#reserve(4)
    this.#length = this.#bytes.writeInt32LE(value | 0, this.#length)
  }

  flag(value: boolean): void {
    this.byte(value ? 1 : 0)
  }

  text(value: string): void {
    const bytes = Buffer.byteLength(value)
    this.count(bytes)
    this.#reserve(bytes)
    this.#bytes.write(value, this.#length)
    this.#length += bytes
  }

  blob(value: Uint8Array): void {
    this.count(value.length)
    this.#reserve(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
  }

  #reserve(more: number): void {
    const needed = this.#length + more
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}
