// Samples of every kind of replica field: values and changes as bits. A new kind does not compile until it has a sample.
import { flag, integer, oneOf, optional, real, text } from "@hawser/protocol"
import type { Field } from "@hawser/protocol"
import { BitWriter } from "@hawser/protocol/core"
import type { FieldShape, fieldKinds } from "@hawser/protocol/core"
import { jsonOf } from "./described.ts"
import type { Json } from "./described.ts"

/** A change from one value to another, and the step of the record's last change; 0 by default. */
type ChangeOf<T> = readonly [from: T, to: T, step?: number]

interface FieldVector {
  readonly kind: FieldShape[0]
  readonly what: string
  readonly shape: Json
  readonly values: readonly { readonly value: Json; readonly bits: string }[]
  readonly changes: readonly {
    readonly from: Json
    readonly to: Json
    readonly step: number
    readonly bits: string
  }[]
}

/** Returns the written bits as digits. A last 1 marks their end. */
function bitsOf(write: (writer: BitWriter) => void): string {
  const writer = new BitWriter()
  write(writer)
  writer.flag(true)
  const digits = [...writer.take()].map((byte) => byte.toString(2).padStart(8, "0")).join("")
  return digits.slice(0, digits.lastIndexOf("1"))
}

function vector<T>(
  what: string,
  field: Field<T>,
  samples: { readonly values: readonly T[]; readonly changes: readonly ChangeOf<T>[] },
): FieldVector {
  return {
    kind: field.shape[0],
    what,
    shape: jsonOf(field.shape),
    values: samples.values.map((value) => ({
      value: jsonOf(value),
      bits: bitsOf((writer) => field.write(writer, field.pack(value))),
    })),
    changes: samples.changes.map(([from, to, step = 0]) => ({
      ...{ from: jsonOf(from), to: jsonOf(to), step },
      bits: bitsOf((writer) => field.writeChange(writer, field.pack(to), field.pack(from), step)),
    })),
  }
}

const samples: { readonly [K in (typeof fieldKinds)[number]]: readonly [FieldVector, ...FieldVector[]] } = {
  integer: [
    vector("Without a range: a zigzag varint. A change is the zigzag varint of the difference.", integer(), {
      values: [0, -1, 1, 63, 64, -65, 300, 2 ** 40],
      changes: [
        [7, 8],
        [7, 6],
        [0, 300],
        [300, 0],
      ],
    }),
    vector(
      "From 0 to 100: the value minus 0 in 7 bits, because 100 has 7 binary digits.",
      integer({ min: 0, max: 100 }),
      {
        values: [0, 1, 100],
        changes: [
          [10, 13],
          [13, 10],
          [10, 13, 3],
          [10, 12, 3],
          [10, 9, 3],
          [0, 100],
        ],
      },
    ),
    vector(
      "From −8 to 7: the value plus 8 in 4 bits. A step counts in the same units.",
      integer({ min: -8, max: 7 }),
      {
        values: [-8, 0, 7],
        changes: [
          [-8, 7],
          [0, -2, -2],
          [0, -2, 2],
        ],
      },
    ),
  ],
  real: [
    vector(
      "From 0 to 10 in steps of 0.25: 40 steps, so 6 bits. 2.5 is the step 10.",
      real({ min: 0, max: 10, step: 0.25 }),
      {
        values: [0, 2.5, 10],
        changes: [
          [2.5, 3],
          [3, 3.5, 2],
          [3, 2.75, 2],
        ],
      },
    ),
    vector(
      "From −1 to 1 in steps of 0.1: 20 steps. A value is min + steps × step in 64-bit floats.",
      real({ min: -1, max: 1, step: 0.1 }),
      {
        values: [-1, 0.5, 1].map((value) =>
          real({ min: -1, max: 1, step: 0.1 }).unpack(real({ min: -1, max: 1, step: 0.1 }).pack(value)),
        ),
        changes: [[-1, 1]],
      },
    ),
  ],
  flag: [
    vector("One bit. A change is the value again.", flag(), {
      values: [false, true],
      changes: [
        [false, true],
        [true, false],
      ],
    }),
  ],
  oneOf: [
    vector(
      "The place in the list, from 0, in 2 bits, because the last place is 3. A change is the value.",
      oneOf(["up", "down", "left", "right"]),
      {
        values: ["up", "down", "left", "right"],
        changes: [["up", "right"]],
      },
    ),
    vector("Five choices need 3 bits: the last place is 4.", oneOf(["a", "b", "c", "d", "e"]), {
      values: ["a", "e"],
      changes: [["a", "e"]],
    }),
    vector("One choice needs no bit.", oneOf(["only"]), { values: ["only"], changes: [] }),
  ],
  text: [
    vector(
      "The number of UTF-8 bytes as a varint, and the bytes, which need not begin at a byte. A change is the value.",
      text(),
      {
        values: ["", "ann", "é", "x".repeat(130)],
        changes: [["ann", "bob"]],
      },
    ),
  ],
  optional: [
    vector("The bit 1 and the value of the inner field, or the bit 0.", optional(text()), {
      values: [undefined, "", "a"],
      changes: [
        [undefined, "a"],
        ["a", undefined],
        ["a", "b"],
      ],
    }),
    vector(
      "A number with a range inside of `optional` has no step: a change between two values is the bit 1 and the difference.",
      optional(integer({ min: 0, max: 15 })),
      {
        values: [undefined, 0, 15],
        changes: [
          [undefined, 5],
          [5, undefined],
          [5, 7],
          [7, 5],
        ],
      },
    ),
    vector("An integer without a range inside of `optional`.", optional(integer()), {
      values: [undefined, -1],
      changes: [
        [undefined, 300],
        [300, 301],
      ],
    }),
    vector("`optional` inside of `optional`: one bit for each.", optional(optional(flag())), {
      values: [undefined, true],
      changes: [[true, false]],
    }),
  ],
}

/** Samples of every kind of field. */
export const fieldSamples: readonly FieldVector[] = Object.values(samples).flat()
