// A payload that is encoded once and sent many times. Knows no bytes' meaning: who encodes it is handed in.

/** A value's MessagePack, and what a receiver's limits are compared with. */
export interface Encoding {
  readonly bytes: Uint8Array
  /** Containers inside each other. */
  readonly depth: number
  /** Array items, and map entries twice. */
  readonly elements: number
  readonly longestKeyBytes: number
}

/**
 * A payload whose bytes are computed once and shared by every message that carries it: large, immutable
 * content such as a map chunk. Never change `value` afterwards. Made by `encodeOnce` and its relatives.
 */
export class Encoded<T> {
  readonly value: T
  readonly #source: unknown
  #encoding: Encoding | undefined

  /** @param source what is encoded: `value`, or a composed one whose members may be `Encoded` themselves. */
  constructor(value: T, source: unknown = value) {
    this.value = value
    this.#source = source
  }

  /** A value that is encoded already: later changes of it have no effect. */
  static of<T>(value: T, encoding: Encoding): Encoded<T> {
    const encoded = new Encoded(value)
    encoded.#encoding = encoding
    return encoded
  }

  /** The same encoding; the value itself may be collected. For readers of the encoding alone. */
  withoutValue(): Encoded<undefined> {
    const encoded = new Encoded(undefined)
    encoded.#encoding = this.#encoding
    return encoded
  }

  /** Bytes of the encoding; undefined until it is computed. */
  get size(): number | undefined {
    return this.#encoding?.bytes.length
  }

  /** Computed at the first call. */
  encoding(encode: (source: unknown) => Encoding): Encoding {
    this.#encoding ??= encode(this.#source)
    return this.#encoding
  }
}

/** A value or its shared encoding: what every sending method accepts. */
export type Encodable<T> = T | Encoded<T>

/** Marks a payload to be encoded once, however many messages carry it. */
export function encodeOnce<T>(value: T): Encoded<T> {
  return new Encoded(value)
}

/** An array whose items keep their shared encodings. */
export function encodedArray<T>(items: readonly Encodable<T>[]): Encoded<T[]> {
  return new Encoded(items.map(plain), [...items])
}

/** A map whose members keep their shared encodings; member order is kept, undefined members are left out. */
export function encodedMap<T extends object>(members: { [K in keyof T]: Encodable<T[K]> }): Encoded<T>
export function encodedMap(members: Record<string, unknown>): Encoded<Record<string, unknown>> {
  const entries = Object.entries(members).filter(([, member]) => member !== undefined)
  const value = Object.fromEntries(entries.map(([key, member]) => [key, plain(member)]))
  return new Encoded(value, Object.fromEntries(entries))
}

/** The value itself, whether or not its encoding is shared. */
export function plain<T>(value: Encodable<T>): T {
  return value instanceof Encoded ? value.value : value
}
