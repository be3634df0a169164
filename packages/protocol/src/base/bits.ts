// Writes and reads single bits, big-endian within a byte, so that a moved record takes two or three bytes.
// Small numbers take few bits (Exp-Golomb codes of order k, Teuhola 1978); large ones, groups of seven bits (LEB128).
// Must not know records.

const firstCapacityBytes = 256

/** Appends values to a buffer that grows without a bound; its owner bounds the input. */
export class BitWriter {
  #bytes = new Uint8Array(firstCapacityBytes)
  #bits = 0

  /** Length of the written bits in bytes. The last byte is padded with zeros. */
  get byteLength(): number {
    return (this.#bits + 7) >> 3
  }

  /** Appends the `count` low bits of an integer below 2³². `count` is 0 to 32. */
  bits(value: number, count: number): void {
    this.#reserve(count)
    let left = count
    while (left > 0) {
      const free = 8 - (this.#bits & 7)
      const taken = Math.min(free, left)
      const piece = (value >>> (left - taken)) & ((1 << taken) - 1)
      const at = this.#bits >> 3
      this.#bytes[at] = (this.#bytes[at] ?? 0) | (piece << (free - taken))
      this.#bits += taken
      left -= taken
    }
  }

  /** Appends one bit. */
  flag(value: boolean): void {
    this.bits(value ? 1 : 0, 1)
  }

  /** Appends an integer from 0 to 2³⁰ as an Exp-Golomb code of this order: smaller numbers take fewer bits. */
  small(value: number, order: number): void {
    const scaled = (value >>> order) + 1
    const length = 31 - Math.clz32(scaled)
    this.bits(0, length)
    this.bits(scaled, length + 1)
    this.bits(value, order)
  }

  /** Appends an integer from −2²⁹ to 2²⁹ as an Exp-Golomb code of this order. */
  smallSigned(value: number, order: number): void {
    this.small(value < 0 ? -2 * value - 1 : 2 * value, order)
  }

  /** Appends an integer from 0 to 2⁵³ − 1 in groups of seven bits. */
  varint(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.bits((rest % 0x80) | 0x80, 8)
      rest = Math.floor(rest / 0x80)
    }
    this.bits(rest, 8)
  }

  /** Appends whole bytes, aligned or not. */
  bytes(bytes: Uint8Array): void {
    for (const byte of bytes) this.bits(byte, 8)
  }

  /** Pads the last byte with zeros. */
  align(): void {
    this.#bits = (this.#bits + 7) & ~7
  }

  /** Discards the written bits. */
  clear(): void {
    this.#bytes.fill(0, 0, this.byteLength)
    this.#bits = 0
  }

  /** Returns a copy of the written bytes, and empties the writer. */
  take(): Uint8Array {
    const length = this.byteLength
    const taken = this.#bytes.slice(0, length)
    this.clear()
    return taken
  }

  /** Copies the written bytes to `target` at offset `at`, and empties the writer. */
  takeInto(target: Uint8Array, at: number): void {
    const length = this.byteLength
    target.set(this.#bytes.subarray(0, length), at)
    this.clear()
  }

  #reserve(count: number): void {
    const neededBytes = (this.#bits + count + 7) >> 3
    if (neededBytes <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, neededBytes))
    larger.set(this.#bytes)
    this.#bytes = larger
  }
}

/** Reads values from bytes of a peer. Every method throws RangeError if the bytes end before its value does. */
export class BitReader {
  readonly #bytes: Uint8Array
  #bits: number

  /** Creates a reader of `bytes`. @param fromByte index of the first byte to read. Default 0. */
  constructor(bytes: Uint8Array, fromByte = 0) {
    this.#bytes = bytes
    this.#bits = fromByte * 8
  }

  /** True if all bits have been read. */
  get isAtEnd(): boolean {
    return this.#bits >= this.#bytes.length * 8
  }

  /** Number of bytes of which no bit has been read. */
  get bytesLeft(): number {
    return this.#bytes.length - ((this.#bits + 7) >> 3)
  }

  /** Reads `count` bits, 0 to 32, as an unsigned number, the highest bit first. */
  bits(count: number): number {
    if (this.#bits + count > this.#bytes.length * 8) throw new RangeError("the packed bytes end too early")
    let value = 0
    let left = count
    while (left > 0) {
      const free = 8 - (this.#bits & 7)
      const taken = Math.min(free, left)
      const byte = this.#bytes[this.#bits >> 3] ?? 0
      value = (value << taken) | ((byte >>> (free - taken)) & ((1 << taken) - 1))
      this.#bits += taken
      left -= taken
    }
    return value >>> 0
  }

  /** Reads one bit. Returns true for 1. */
  flag(): boolean {
    return this.bits(1) === 1
  }

  /** Reads a number that `BitWriter.small` wrote with this order. Throws RangeError for a longer code. */
  small(order: number): number {
    let length = 0
    while (!this.flag()) {
      length += 1
      if (length > 30) throw new RangeError("a packed number is too large")
    }
    const scaled = 2 ** length + this.bits(length)
    return (scaled - 1) * 2 ** order + this.bits(order)
  }

  /** Reads a number that `BitWriter.smallSigned` wrote with this order. Throws RangeError for a longer code. */
  smallSigned(order: number): number {
    const value = this.small(order)
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2
  }

  /** Reads a number from 0 to 2⁵³ − 1 in groups of seven bits. Throws RangeError for a greater one. */
  varint(): number {
    let value = 0
    for (let scale = 1; scale <= 2 ** 49; scale *= 0x80) {
      const group = this.bits(8)
      value += (group & 0x7f) * scale
      if (group < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break
        return value
      }
    }
    throw new RangeError("a packed number is too large")
  }

  /** Reads `count` whole bytes, aligned or not. Aligned bytes are a view of the input, not a copy. */
  bytes(count: number): Uint8Array {
    if (count > this.bytesLeft) throw new RangeError("the packed bytes end too early")
    if ((this.#bits & 7) === 0) {
      const at = this.#bits >> 3
      this.#bits += count * 8
      return this.#bytes.subarray(at, at + count)
    }
    return Uint8Array.from({ length: count }, () => this.bits(8))
  }

  /** Skips the bits that remain in the current byte. */
  align(): void {
    this.#bits = (this.#bits + 7) & ~7
  }
}
