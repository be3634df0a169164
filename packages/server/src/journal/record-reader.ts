// Reads the fields of journal records that `RecordWriter` wrote. Any field that does not fit throws a `JournalFormatError`: a
// record passed its checksum, so that a wrong field is a fault of a program, or of another version. Must not know operations.

/** A record of a journal that this version cannot read. */
export class JournalFormatError extends Error {
  override readonly name = "JournalFormatError"
}

const sevenBits = 128

export class RecordReader {
  readonly #bytes: Buffer
  #at: number

  constructor(bytes: Buffer, start = 0) {
    this.#bytes = bytes
    this.#at = start
  }

  /** Offset of the next field. */
  get at(): number {
    return this.#at
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  byte(): number {
    const value = this.#bytes[this.#at]
    if (value === undefined) throw this.#short(1)
    this.#at += 1
    return value
  }

  count(): number {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = this.byte()
      value += (byte % sevenBits) * scale
      if (byte < sevenBits) break
      scale *= sevenBits
    }
    if (!Number.isSafeInteger(value))
      throw new JournalFormatError(`a count of more than 53 bits before byte ${this.#at}`)
    return value
  }

  integer(): number {
    const value = this.count()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  /** Reads 32 bits, unsigned. */
  word(): number {
    this.#need(4)
    const value = this.#bytes.readUInt32LE(this.#at)
    this.#at += 4
    return value
  }

  flag(): boolean {
    const value = this.byte()
    if (value > 1) throw new JournalFormatError(`a flag with the value ${value} before byte ${this.#at}`)
    return value === 1
  }

  text(): string {
    return this.blob().toString("utf8")
  }

  /** Reads bytes. A view: it keeps the memory of the whole journal segment until it is copied. */
  blob(): Buffer {
    const length = this.count()
    this.#need(length)
    const start = this.#at
    this.#at += length
    return this.#bytes.subarray(start, this.#at)
  }

  /** Reads a list of numbers, which were written as differences. */
  numbers(): number[] {
    const count = this.count()
    const read: number[] = []
    let before = 0
    for (let index = 0; index < count; index += 1) {
      before += this.integer()
      read.push(before)
    }
    return read
  }

  /** Reads a list of times. */
  times(): number[] {
    const count = this.count()
    const read: number[] = []
    for (let index = 0; index < count; index += 1) read.push(this.count())
    return read
  }

  #need(bytes: number): void {
    if (bytes > this.#bytes.length - this.#at) throw this.#short(bytes)
  }

  #short(bytes: number): JournalFormatError {
    const left = this.#bytes.length - this.#at
    return new JournalFormatError(`a field of ${bytes} bytes at byte ${this.#at}, of which ${left} are left`)
  }
}
