// Writes the fields of journal records into one buffer that grows and is used again for each record. Must not know operations.
// Numbers are varints with the low seven bits first, at most 53 bits; texts are UTF-8 with their length in bytes before them.

const firstCapacity = 16 * 1024
/** Largest buffer that `reset` retains, in bytes. */
const keptCapacity = 1024 * 1024
const sevenBits = 128
/** Largest number that bit operations of JavaScript can shift without a change of its sign. */
const shortMax = 0x7fff_ffff

export class RecordWriter {
  #bytes = Buffer.allocUnsafe(firstCapacity)
  #length = 0

  /** Number of bytes since `reset`. */
  get length(): number {
    return this.#length
  }

  /** Bytes since `reset`: a view, valid until the next call. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Removes all bytes. */
  reset(): void {
    this.#length = 0
    if (this.#bytes.length > keptCapacity) this.#bytes = Buffer.allocUnsafe(firstCapacity)
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
