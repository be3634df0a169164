// The kinds of fields that a replica's records may have: which values they take, and how these are packed.
// Inside a replica a value is in its packed form: a whole number, a text, or undefined where an optional one is absent.
import type { BitReader, BitWriter } from "../base/bits.ts"
import { quoted } from "../base/quoted.ts"
import { isWellFormed } from "../base/sentence.ts"
import { decodeText, encodeText } from "../base/utf8.ts"

/** A value as it is kept and compared. */
export type Packed = number | string | undefined

/** What a server tells of a field, so that a client reads it as it was written, whatever its own contract says. */
export type FieldShape = readonly [kind: string, ...rest: readonly unknown[]]

export interface Field<T = unknown> {
  readonly shape: FieldShape
  /** @throws RangeError or TypeError that says what is wrong with the value. */
  pack(value: T): Packed
  unpack(packed: Packed): T
  write(writer: BitWriter, packed: Packed): void
  read(reader: BitReader): Packed
  /**
   * The same for one who knows the value before it, and its last step: the difference that its record's last change made
   * to it. Most of what moves goes on as it went.
   */
  writeChange(writer: BitWriter, packed: Packed, before: Packed, step: number): void
  readChange(reader: BitReader, before: Packed, step: number): Packed
  /** True where a step means anything. */
  readonly hasSteps?: boolean
}

export interface IntegerOptions {
  /** Both or none. With them a value takes as many bits as the range needs; without, a byte and more. */
  readonly min?: number
  readonly max?: number
}

export interface RealOptions {
  readonly min: number
  readonly max: number
  /** The resolution: values are rounded to a multiple of it above `min`. At most 2³⁰ steps from `min` to `max`. */
  readonly step: number
}

/** Steps of a range: differences of them must fit into the packed numbers of bits.ts. */
const stepsMax = 2 ** 28
/** Differences below 4 steps take 4 bits, those below 12 take 6. */
export const changeOrder = 3

/** A whole number. Beyond its range, or with a fraction: RangeError. */
export function integer(options: IntegerOptions = {}): Field<number> {
  const { min, max } = options
  if (min === undefined && max === undefined) return wideInteger()
  if (min === undefined || max === undefined || !Number.isSafeInteger(min) || !Number.isSafeInteger(max))
    throw new RangeError("the range of an integer is two whole numbers, min and max")
  const range = stepRange(min, max, max - min)
  return {
    ...range,
    shape: ["integer", min, max],
    pack(value) {
      if (Number.isInteger(value) && value >= min && value <= max) return value - min
      throw new RangeError(`${quoted(value)} is no whole number from ${min} to ${max}`)
    },
    unpack: (packed) => numberOf(packed) + min,
  }
}

/** A number that is rounded to a step, and held inside its range. What is no number: RangeError. */
export function real({ min, max, step }: RealOptions): Field<number> {
  if (!(step > 0) || !Number.isFinite(min) || !Number.isFinite(max))
    throw new RangeError("the range of a real is two finite numbers, min and max, and a step above 0")
  const steps = Math.round((max - min) / step)
  return {
    ...stepRange(min, max, steps),
    shape: ["real", min, max, step],
    pack(value) {
      if (typeof value !== "number" || Number.isNaN(value))
        throw new RangeError(`${quoted(value)} is no number`)
      return Math.min(Math.max(Math.round((value - min) / step), 0), steps)
    },
    unpack: (packed) => min + numberOf(packed) * step,
  }
}

/** True or false: one bit. */
export function flag(): Field<boolean> {
  return {
    shape: ["flag"],
    pack(value) {
      if (typeof value !== "boolean") throw new TypeError(`${quoted(value)} is neither true nor false`)
      return value ? 1 : 0
    },
    unpack: (packed) => packed === 1,
    ...bitsOnly(1, 2),
  }
}

/** One of a list of texts: as many bits as its place needs. */
export function oneOf<const T extends string>(values: readonly [T, ...T[]]): Field<T> {
  const places = new Map<string, number>(values.map((value, place) => [value, place]))
  if (places.size !== values.length) throw new RangeError("the values of a choice must differ")
  return {
    shape: ["oneOf", values],
    pack(value) {
      const place = places.get(value)
      if (place === undefined) throw new RangeError(`${quoted(value)} is none of ${values.join(", ")}`)
      return place
    },
    unpack: (packed) => values[numberOf(packed)] ?? values[0],
    ...bitsOnly(bitsFor(values.length), values.length),
  }
}

/** Any text: its UTF-8 and its length, sent whole whenever it changes. */
export function text(): Field<string> {
  return {
    shape: ["text"],
    pack(value) {
      if (typeof value !== "string") throw new TypeError(`${quoted(value)} is no text`)
      if (!isWellFormed(value)) throw new RangeError("half a surrogate pair is no text")
      return value
    },
    unpack: (packed) => (typeof packed === "string" ? packed : ""),
    write: writeText,
    read: readText,
    writeChange: writeText,
    readChange: readText,
  }
}

/** The same, or undefined: one bit more. */
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

/** The field that a peer described; undefined for a kind that this version does not know. */
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
      throw new RangeError(`${quoted(value)} is no whole number within ±2⁵¹`)
    },
    unpack: numberOf,
    write,
    read: readSigned,
    writeChange: (writer, packed, before) => writeSigned(writer, numberOf(packed) - numberOf(before)),
    readChange: (reader, before) => numberOf(before) + readSigned(reader),
  }
}

type Coding = Pick<Field, "write" | "read" | "writeChange" | "readChange" | "hasSteps">

/** Whole numbers from 0 to `steps`; a change is a bit if it is the one before again, else a difference, short if it is small. */
function stepRange(min: number, max: number, steps: number): Coding {
  if (!(steps >= 1 && steps <= stepsMax))
    throw new RangeError(`a range must have from 1 to ${stepsMax} steps, and ${min} to ${max} has ${steps}`)
  const { write, read } = bitsOnly(bitsFor(steps + 1), steps + 1)
  return {
    write,
    read,
    hasSteps: true,
    // oxlint-disable-next-line eslint/max-params -- as declared
    writeChange(writer, packed, before, step) {
      const change = numberOf(packed) - numberOf(before)
      // There is no change of 0 that would have to be told from going on.
      if (step !== 0) writer.flag(change === step)
      if (step === 0 || change !== step) writer.smallSigned(change, changeOrder)
    },
    readChange(reader, before, step) {
      const change = step !== 0 && reader.flag() ? step : reader.smallSigned(changeOrder)
      const packed = numberOf(before) + change
      if (packed < 0 || packed > steps) throw new RangeError("a packed value leaves its range")
      return packed
    },
  }
}

function bitsOnly(bits: number, count: number): Coding {
  const write = (writer: BitWriter, packed: Packed): void => writer.bits(numberOf(packed), bits)
  const read = (reader: BitReader): Packed => {
    const packed = reader.bits(bits)
    if (packed >= count) throw new RangeError("a packed value leaves its range")
    return packed
  }
  return { write, read, writeChange: write, readChange: read }
}

/** Bits that tell `count` values apart. */
function bitsFor(count: number): number {
  return count <= 1 ? 0 : 32 - Math.clz32(count - 1)
}

function numberOf(packed: Packed): number {
  return typeof packed === "number" ? packed : 0
}

/** What a record's last change did to a number of it. */
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
