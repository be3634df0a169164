// Defines the kinds of replica fields: their values and their packing. A replica stores packed values: an integer, a text,
// or undefined for an absent optional one. Must not know records or cells.
import type { BitReader, BitWriter } from "../base/bits.ts"
import { assertGiven, assertOptionNames } from "../base/check-options.ts"
import { quoted } from "../base/quoted.ts"
import { isWellFormed } from "../base/sentence.ts"
import { decodeText, encodeText } from "../base/utf8.ts"

/** A value in the form that is stored and compared. */
export type Packed = number | string | undefined

/** Kinds of fields. docs/vectors.json contains vectors of each. */
export const fieldKinds = ["integer", "real", "flag", "oneOf", "text", "optional"] as const

/** Wire form of a field's kind and options. A client reads fields by the server's shape, not by its own contract. */
export type FieldShape = readonly [kind: (typeof fieldKinds)[number], ...rest: readonly unknown[]]

/** One field of a replica's records. Created by `integer`, `real`, `flag`, `oneOf`, `text` and `optional`. */
export interface Field<T = unknown> {
  /** Wire form of the kind and its options. */
  readonly shape: FieldShape
  /**
   * Packs a value.
   * @throws RangeError or TypeError that names the value and the rule it breaks.
   */
  pack(value: T): Packed
  /** Returns the value of a packed one. */
  unpack(packed: Packed): T
  /** Writes a packed value without reference to a previous one. */
  write(writer: BitWriter, packed: Packed): void
  /** Reads a value that `write` wrote. */
  read(reader: BitReader): Packed
  /**
   * Writes a packed value relative to the previous one and to its last step: the difference by the record's last change.
   * Most moving records repeat their last step, so a change often takes one bit.
   */
  writeChange(writer: BitWriter, packed: Packed, before: Packed, step: number): void
  /** Reads a value that `writeChange` wrote. */
  readChange(reader: BitReader, before: Packed, step: number): Packed
  /** True if the field uses the last step. Default false. */
  readonly hasSteps?: boolean
}

/** Range of an integer field. Pass both bounds or none. */
export interface IntegerOptions {
  /** Least value, an integer. With a range a value takes as many bits as the range needs; without, one byte or more. */
  readonly min?: number
  /** Greatest value, an integer above `min`, by at most 2²⁸ units. */
  readonly max?: number
}

/** Range and resolution of a real field. */
export interface RealOptions {
  /** Least value, in the unit of the field; a lesser one is raised to it. */
  readonly min: number
  /** Greatest value, in the unit of the field; a greater one is lowered to it. */
  readonly max: number
  /**
   * Resolution, in the unit of the field, above 0: values are rounded to a multiple of it above `min`. From `min` to `max`
   * at most 2²⁸ steps.
   */
  readonly step: number
}

/** Maximum number of steps of a range: differences must fit into the packed numbers of bits.ts. */
const stepsMax = 2 ** 28
/** Order of the code for changes: differences below 4 steps take 4 bits, those below 12 take 6. */
export const changeOrder = 3

/**
 * Declares an integer field. `pack` throws RangeError for a value outside the range or with a fraction. @throws TypeError for
 * an unknown option.
 */
export function integer(options: IntegerOptions = {}): Field<number> {
  assertOptionNames("integer", options, { min: 0, max: 0 })
  const { min, max } = options
  if (min === undefined && max === undefined) return wideInteger()
  if (min === undefined || max === undefined || !Number.isSafeInteger(min) || !Number.isSafeInteger(max))
    throw new RangeError(
      `the range of an integer field needs two integers, not min ${String(min)} and max ${String(max)}`,
    )
  const range = stepRange(min, max, max - min)
  return {
    ...range,
    shape: ["integer", min, max],
    pack(value) {
      if (Number.isInteger(value) && value >= min && value <= max) return value - min
      throw new RangeError(`${quoted(value)} is not a whole number from ${min} to ${max}`)
    },
    unpack: (packed) => numberOf(packed) + min,
  }
}

/**
 * Declares a number field, rounded to a step and clamped to its range. `pack` throws RangeError for another value. @throws
 * TypeError for an unknown option.
 */
export function real(options: RealOptions): Field<number> {
  assertGiven("real", options, "real({ min: 0, max: 100, step: 0.1 })")
  assertOptionNames("real", options, { min: 0, max: 0, step: 0 })
  const { min, max, step } = options
  if (!(step > 0) || !Number.isFinite(min) || !Number.isFinite(max))
    throw new RangeError(
      `a real field needs a finite min and max and a step above 0, not ${min}, ${max} and ${step}`,
    )
  const steps = Math.round((max - min) / step)
  return {
    ...stepRange(min, max, steps),
    shape: ["real", min, max, step],
    pack(value) {
      if (typeof value !== "number" || Number.isNaN(value))
        throw new RangeError(`${quoted(value)} is not a number`)
      return Math.min(Math.max(Math.round((value - min) / step), 0), steps)
    },
    unpack: (packed) => min + numberOf(packed) * step,
  }
}

/** Declares a boolean field: one bit. `pack` throws TypeError for another value. */
export function flag(): Field<boolean> {
  return {
    shape: ["flag"],
    pack(value) {
      if (typeof value !== "boolean") throw new TypeError(`${quoted(value)} is not a boolean`)
      return value ? 1 : 0
    },
    unpack: (packed) => packed === 1,
    ...bitsOnly(1, 2),
  }
}

/** Declares a choice among texts; the index is packed. `pack` throws RangeError for another value. */
export function oneOf<const T extends string>(values: readonly [T, ...T[]]): Field<T> {
  const places = new Map<string, number>(values.map((value, place) => [value, place]))
  if (places.size !== values.length)
    throw new RangeError(`oneOf has a duplicate among its ${values.length} values; remove it`)
  return {
    shape: ["oneOf", values],
    pack(value) {
      const place = places.get(value)
      if (place === undefined) throw new RangeError(`${quoted(value)} is not one of ${values.join(", ")}`)
      return place
    },
    unpack: (packed) => values[numberOf(packed)] ?? values[0],
    ...bitsOnly(bitsFor(values.length), values.length),
  }
}

/** Declares a text field: length and UTF-8, sent completely with each change. `pack` throws for another value. */
export function text(): Field<string> {
  return {
    shape: ["text"],
    pack(value) {
      if (typeof value !== "string") throw new TypeError(`${quoted(value)} is not a text`)
      if (!isWellFormed(value)) throw new RangeError(`${quoted(value)} has half a surrogate pair`)
      return value
    },
    unpack: (packed) => (typeof packed === "string" ? packed : ""),
    write: writeText,
    read: readText,
    writeChange: writeText,
    readChange: readText,
  }
}

/** Declares a field that may be undefined: one bit more than the inner field. */
export function optional<T>(field: Field<T>): Field<T | undefined> {
  return {
    shape: ["optional", field.shape],
    pack: (value) => (value === undefined ? undefined : field.pack(value)),
    unpack: (packed) => (packed === undefined ? undefined : field.unpack(packed)),
    write(writer, packed) {
      writer.flag(packed !== undefined)
      if (packed !== undefined) field.write(writer, packed)
    },
    read: (reader) => (reader.flag() ? field.read(reader) : undefined),
    writeChange(writer, packed, before) {
      writer.flag(packed !== undefined)
      if (packed === undefined) return
      if (before === undefined) field.write(writer, packed)
      else field.writeChange(writer, packed, before, 0)
    },
    readChange(reader, before) {
      if (!reader.flag()) return undefined
      return before === undefined ? field.read(reader) : field.readChange(reader, before, 0)
    },
  }
}

/** Returns the field of a peer's shape; undefined for a kind that this version does not know. */
export function fieldOf(shape: unknown): Field | undefined {
  if (!Array.isArray(shape)) return undefined
  const described: readonly unknown[] = shape
  const [kind, first, second, third] = described
  switch (kind) {
    case "integer":
      if (first === undefined) return integer()
      return isNumber(first) && isNumber(second) ? integer({ min: first, max: second }) : undefined
    case "real":
      return isNumber(first) && isNumber(second) && isNumber(third)
        ? real({ min: first, max: second, step: third })
        : undefined
    case "flag":
      return flag()
    case "oneOf":
      return choiceOf(first)
    case "text":
      return text()
    case "optional": {
      const inner = fieldOf(first)
      return inner === undefined ? undefined : optional(inner)
    }
    default:
      return undefined
  }
}

function choiceOf(values: unknown): Field | undefined {
  if (!Array.isArray(values)) return undefined
  const [first, ...others] = values.filter((value): value is string => typeof value === "string")
  return first === undefined || others.length + 1 !== values.length ? undefined : oneOf([first, ...others])
}

function isNumber(value: unknown): value is number {
  return typeof value === "number"
}

function wideInteger(): Field<number> {
  const write = (writer: BitWriter, packed: Packed): void => writeSigned(writer, numberOf(packed))
  return {
    shape: ["integer"],
    pack(value) {
      if (Number.isSafeInteger(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER / 4) return value
      throw new RangeError(`${quoted(value)} is not a whole number within ±2⁵¹`)
    },
    unpack: numberOf,
    write,
    read: readSigned,
    writeChange: (writer, packed, before) => writeSigned(writer, numberOf(packed) - numberOf(before)),
    readChange: (reader, before) => numberOf(before) + readSigned(reader),
  }
}

type Coding = Pick<Field, "write" | "read" | "writeChange" | "readChange" | "hasSteps">

/** Coding of integers from 0 to `steps`. A change that repeats the last step takes one bit; another is a difference. */
function stepRange(min: number, max: number, steps: number): Coding {
  if (!(steps >= 1 && steps <= stepsMax))
    throw new RangeError(`the range ${min} to ${max} has ${steps} steps; it must have 1 to ${stepsMax}`)
  const { write, read } = bitsOnly(bitsFor(steps + 1), steps + 1)
  return {
    write,
    read,
    hasSteps: true,
    // oxlint-disable-next-line eslint/max-params -- as declared
    writeChange(writer, packed, before, step) {
      const change = numberOf(packed) - numberOf(before)
      // A change is never 0, so with a step of 0 no flag is needed.
      if (step !== 0) writer.flag(change === step)
      if (step === 0 || change !== step) writer.smallSigned(change, changeOrder)
    },
    readChange(reader, before, step) {
      const change = step !== 0 && reader.flag() ? step : reader.smallSigned(changeOrder)
      const packed = numberOf(before) + change
      if (packed < 0 || packed > steps)
        throw new RangeError(`packed value ${packed} is outside its range, 0 to ${steps}`)
      return packed
    },
  }
}

function bitsOnly(bits: number, count: number): Coding {
  const write = (writer: BitWriter, packed: Packed): void => writer.bits(numberOf(packed), bits)
  const read = (reader: BitReader): Packed => {
    const packed = reader.bits(bits)
    if (packed >= count)
      throw new RangeError(`packed value ${packed} is outside its range, 0 to ${count - 1}`)
    return packed
  }
  return { write, read, writeChange: write, readChange: read }
}

/** Returns the number of bits that distinguish `count` values. */
function bitsFor(count: number): number {
  return count <= 1 ? 0 : 32 - Math.clz32(count - 1)
}

function numberOf(packed: Packed): number {
  return typeof packed === "number" ? packed : 0
}

/** Returns the difference of a field by its record's last change; 0 for a field that is not a number. */
export function stepOf(packed: Packed, before: Packed): number {
  return numberOf(packed) - numberOf(before)
}

function writeSigned(writer: BitWriter, value: number): void {
  writer.varint(value < 0 ? -2 * value - 1 : 2 * value)
}

function readSigned(reader: BitReader): number {
  const value = reader.varint()
  return value % 2 === 1 ? -(value + 1) / 2 : value / 2
}

function writeText(writer: BitWriter, packed: Packed): void {
  const bytes = encodeText(typeof packed === "string" ? packed : "")
  writer.varint(bytes.length)
  writer.bytes(bytes)
}

function readText(reader: BitReader): Packed {
  return decodeText(reader.bytes(reader.varint()))
}
