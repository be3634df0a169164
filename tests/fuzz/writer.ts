// Writes MessagePack without a library, in every form that the format allows, minimal or not: an encoder would only
// ever produce one of them. Must not know frames. Records where each value begins, so that a mutation can damage it
// there.

export type Random = () => number

/** A whole number from 0 up to and without `count`. */
export function below(random: Random, count: number): number {
  return Math.floor(random() * count)
}

export function pick<T>(random: Random, items: readonly [T, ...T[]]): T {
  return items[below(random, items.length)] ?? items[0]
}

const utf8 = new TextEncoder()
const maxBytes = 1 << 18

/** One writer for a whole run: its buffer is overwritten by every message. */
export class Writer {
  readonly #bytes = new Uint8Array(maxBytes)
  readonly #view = new DataView(this.#bytes.buffer)
  readonly heads: number[] = []
  #length = 0

  get length(): number {
    return this.#length
  }

  clear(): void {
    this.#length = 0
    this.heads.length = 0
  }

  /** Copy of the written bytes. */
  take(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  byte(value: number): void {
    this.#bytes[this.#length] = value
    this.#length += 1
  }

  /** The first byte of a value. */
  head(value: number): void {
    this.heads.push(this.#length)
    this.byte(value)
  }

  raw(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  #unsigned(value: number, size: number): void {
    if (size === 2) this.#view.setUint16(this.#length, value)
    else if (size === 4) this.#view.setUint32(this.#length, value)
    else this.#bytes[this.#length] = value
    this.#length += size
  }

  /**
   * `narrow` is the first byte for 8-bit lengths, or for 16-bit ones where 8-bit lengths do not exist (arrays and
   * maps).
   */
  #sized(
    length: number,
    form: { readonly narrow: number; readonly sizes: readonly number[]; readonly wider: number },
  ): void {
    const fitting = form.sizes.findIndex((size) => length < 2 ** (8 * size))
    const chosen = Math.min(form.sizes.length - 1, fitting + form.wider)
    this.head(form.narrow + chosen)
    this.#unsigned(length, form.sizes[chosen] ?? 4)
  }

  /** `wider` chooses a longer form of the header than necessary, as far as one exists. */
  text(value: string, wider = 0): void {
    const length = Buffer.byteLength(value)
    if (length < 32 && wider === 0) this.head(0xa0 | length)
    else this.#sized(length, { narrow: 0xd9, sizes: [1, 2, 4], wider: Math.max(0, wider - 1) })
    utf8.encodeInto(value, this.#bytes.subarray(this.#length))
    this.#length += length
  }

  binary(bytes: Uint8Array, wider = 0): void {
    this.#sized(bytes.length, { narrow: 0xc4, sizes: [1, 2, 4], wider })
    this.raw(bytes)
  }

  array(count: number, wider = 0): void {
    if (count < 16 && wider === 0) this.head(0x90 | count)
    else this.#sized(count, { narrow: 0xdc, sizes: [2, 4], wider: Math.max(0, wider - 1) })
  }

  map(count: number, wider = 0): void {
    if (count < 16 && wider === 0) this.head(0x80 | count)
    else this.#sized(count, { narrow: 0xde, sizes: [2, 4], wider: Math.max(0, wider - 1) })
  }

  /** Writes an integer in any of the forms that hold it; `form` chooses. */
  integer(value: number, form: number): void {
    const forms: (() => void)[] = []
    const add = (head: number, bits: number, isSigned: boolean): void => {
      const least = isSigned ? -(2 ** (bits - 1)) : 0
      const beyond = isSigned ? 2 ** (bits - 1) : 2 ** bits
      if (value >= least && value < beyond) forms.push(() => this.#integerAs(head, value, bits))
    }
    if (value >= -32 && value < 128) forms.push(() => this.head(value & 0xff))
    for (const [index, bits] of [8, 16, 32, 64].entries()) {
      add(0xcc + index, bits, false)
      add(0xd0 + index, bits, true)
    }
    forms[form % forms.length]?.()
  }

  #integerAs(head: number, value: number, bits: number): void {
    this.head(head)
    if (bits === 64) {
      this.#view.setBigInt64(this.#length, BigInt.asIntN(64, BigInt(value)))
      this.#length += 8
    } else {
      this.#unsigned(value < 0 ? value + 2 ** bits : value, bits / 8)
    }
  }

  float(value: number, isDouble: boolean): void {
    this.head(isDouble ? 0xcb : 0xca)
    if (isDouble) this.#view.setFloat64(this.#length, value)
    else this.#view.setFloat32(this.#length, value)
    this.#length += isDouble ? 8 : 4
  }

  /** A timestamp of 4, 8 or 12 bytes; `form` chooses, 3 writes the last with the header of any length. */
  timestamp(seconds: number, nanoseconds: number, form: number): void {
    if (form === 0) {
      this.head(0xd6)
      this.byte(0xff)
      this.#unsigned(seconds >>> 0, 4)
    } else if (form === 1) {
      this.head(0xd7)
      this.byte(0xff)
      this.#view.setBigUint64(this.#length, (BigInt(nanoseconds) << 34n) | BigInt(seconds))
      this.#length += 8
    } else {
      this.head(form === 2 ? 0xc7 : 0xc8)
      this.#unsigned(12, form === 2 ? 1 : 2)
      this.byte(0xff)
      this.#unsigned(nanoseconds, 4)
      this.#view.setBigInt64(this.#length, BigInt(seconds))
      this.#length += 8
    }
  }
}
