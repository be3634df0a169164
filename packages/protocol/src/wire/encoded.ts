// Holds a payload that is encoded once and sent many times. The encoder is an argument. Must not know MessagePack.
import { validateNow } from "../contract/schema.ts"
import type { Schema, SchemaInput, SchemaOutput } from "../contract/schema.ts"
import { unfitting, unsendable } from "./unsendable.ts"

/** MessagePack of a value, with the measures that a receiver's limits bound. */
export interface Encoding {
  /** The encoding. */
  readonly bytes: Uint8Array
  /** Nesting of containers. */
  readonly depth: number
  /** Array items, and map entries twice. */
  readonly elements: number
  /** UTF-8 bytes of the longest map key. */
  readonly longestKeyBytes: number
}

/**
 * A payload whose bytes are computed once and shared by every message that carries it: large, immutable content such as a
 * map chunk. Do not change `value` afterwards. Created by `encodeOnce`, `encodedArray` and `encodedMap`.
 */
export class Encoded<T> {
  /** The payload. */
  readonly value: T
  /** Schema that has validated the payload; undefined for a composition of `encodedArray` or `encodedMap`. */
  readonly schema: Schema | undefined
  readonly #source: unknown
  #encoding: Encoding | undefined

  /**
   * Creates a payload without an encoding; the first call of `encoding` computes it.
   * @param source encoded value: `value`, or a composition whose members may be `Encoded`.
   * @param schema schema that has validated `value`. Default: none.
   */
  constructor(value: T, source: unknown = value, schema?: Schema) {
    this.value = value
    this.schema = schema
    this.#source = source
  }

  /** Creates one with an existing encoding. Later changes of the value have no effect. */
  static of<T>(value: T, encoding: Encoding): Encoded<T> {
    const encoded = new Encoded(value)
    encoded.#encoding = encoding
    return encoded
  }

  /** Returns the encoding without the value, which can then be garbage-collected. */
  withoutValue(): Encoded<undefined> {
    const encoded = new Encoded(undefined)
    encoded.#encoding = this.#encoding
    return encoded
  }

  /** Length of the encoding in bytes; undefined until it is computed. */
  get size(): number | undefined {
    return this.#encoding?.bytes.length
  }

  /** Returns the encoding. The first call computes it. */
  encoding(encode: (source: unknown) => Encoding): Encoding {
    this.#encoding ??= encode(this.#source)
    return this.#encoding
  }
}

/** A value or its shared encoding. Every sending method accepts both. */
export type Encodable<T> = T | Encoded<T>

/**
 * Validates a payload, and encodes it once for all messages that carry it. The server does not validate it again where the call
 * or event has the same schema.
 * @throws UnsendableError `invalid_input` with the issues of a value that does not fit. TypeError for an asynchronous schema.
 */
export function encodeOnce<S extends Schema>(schema: S, value: SchemaInput<S>): Encoded<SchemaOutput<S>> {
  const result = validateNow(schema, value, "encodeOnce")
  if (!result.ok) throw unsendable("the value of encodeOnce", unfitting(result.issues))
  return new Encoded(result.value, result.value, schema)
}

/**
 * Composes an array. Its items keep their shared encodings. The composition is not validated, so it is accepted only where
 * `trustOutput` is true.
 */
export function encodedArray<T>(items: readonly Encodable<T>[]): Encoded<T[]> {
  return new Encoded(items.map(plain), [...items])
}

/**
 * Composes a map. Its members keep their shared encodings and their order; undefined members are omitted. The composition is not
 * validated, so it is accepted only where `trustOutput` is true.
 */
export function encodedMap<T extends object>(members: { [K in keyof T]: Encodable<T[K]> }): Encoded<T>
export function encodedMap(members: Record<string, unknown>): Encoded<Record<string, unknown>> {
  const entries = Object.entries(members).filter(([, member]) => member !== undefined)
  const value = Object.fromEntries(entries.map(([key, member]) => [key, plain(member)]))
  return new Encoded(value, Object.fromEntries(entries))
}

/** Returns the value of a payload with or without a shared encoding. */
export function plain<T>(value: Encodable<T>): T {
  return value instanceof Encoded ? value.value : value
}
