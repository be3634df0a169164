import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { BitReader, BitWriter } from "../base/bits.ts"
import { flag, integer, oneOf, optional, real, text } from "../contract/replica-field.ts"
import type { Field } from "../contract/replica-field.ts"
import { encodeDelta, encodeSnapshot, partKind, readReplicaFrame } from "./replica-parts.ts"
import type { CellChange, CellSnapshot, PartTarget } from "./replica-parts.ts"
import { writeRecord } from "./write-record.ts"
import { ReplicaSchema } from "../contract/replica-schema.ts"
import type { PackedRecord, RecordState } from "../contract/replica-schema.ts"
import { decodeText, encodeText } from "../base/utf8.ts"

const fields = {
  x: real({ min: 0, max: 1_000, step: 0.0625 }),
  y: real({ min: 0, max: 1_000, step: 0.0625 }),
  hp: integer({ min: 0, max: 100 }),
  score: integer(),
  name: text(),
  facing: oneOf(["up", "down", "left", "right"]),
  away: flag(),
  title: optional(text()),
}
const schema = ReplicaSchema.of(fields)

function pack(values: Record<keyof typeof fields, unknown>): PackedRecord {
  const given: Readonly<Record<string, unknown>> = values
  return schema.fields.map(({ name, field }) => field.pack(given[name]))
}

const values = fc.record({
  x: fc.double({ min: 0, max: 1_000, noNaN: true }),
  y: fc.double({ min: 0, max: 1_000, noNaN: true }),
  hp: fc.integer({ min: 0, max: 100 }),
  score: fc.integer({ min: -(2 ** 50), max: 2 ** 50 }),
  name: fc.string({ unit: "binary", maxLength: 12 }),
  facing: fc.constantFrom("up", "down", "left", "right"),
  away: fc.boolean(),
  title: fc.option(fc.string({ maxLength: 5 }), { nil: undefined }),
})
const ann = { x: 10, y: 20, hp: 90, score: 7, name: "ann", facing: "up", away: false, title: undefined }

/** State of a record that has not changed since it entered. */
const still = (record: PackedRecord): RecordState => ({ record, before: record })

/** The record after a repetition of its last steps, as far as the result is in range. */
function repeatedSteps({ record, before }: RecordState): PackedRecord {
  return record.map((now, place) => {
    const [was, most] = [before[place], place === 2 ? 100 : 16_000]
    const next = typeof now === "number" && typeof was === "number" ? 2 * now - was : now
    return place < 3 && typeof next === "number" && next >= 0 && next <= most ? next : now
  })
}

/** A copy that records the applied parts and returns known records. */
function recorder(known: ReadonlyMap<number, RecordState> = new Map()) {
  const told: unknown[] = []
  const target: PartTarget = {
    schema,
    recordAt: (_cell, slot) => known.get(slot),
    slotsOf: () => [...known.keys()],
    snapshot: (cell, snapshot) => told.push({ cell, ...snapshot }),
    delta: (cell, changes) => told.push({ cell, changes }),
    keep: (cell, place) => told.push({ cell, keep: place }),
    drop: (cell) => told.push({ cell, drop: true }),
  }
  return { told, target }
}

function frame(...parts: readonly (number | Uint8Array)[]): Uint8Array {
  return Uint8Array.from([0x82, ...parts.flatMap((part) => (typeof part === "number" ? [part] : [...part]))])
}

describe("bits", () => {
  it("reads every number as it was written", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("bits" as const), value: fc.nat(2 ** 31 - 1), count: fc.constant(31) }),
      fc.record({ kind: fc.constant("small" as const), value: fc.nat(2 ** 30), count: fc.nat(5) }),
      fc.record({
        kind: fc.constant("smallSigned" as const),
        value: fc.integer({ min: -(2 ** 29), max: 2 ** 29 }),
        count: fc.nat(5),
      }),
      fc.record({
        kind: fc.constant("varint" as const),
        value: fc.nat(Number.MAX_SAFE_INTEGER),
        count: fc.constant(0),
      }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const writer = new BitWriter()
        for (const { kind, value, count } of steps) {
          if (kind === "varint") writer.varint(value)
          else writer[kind](value, count)
        }
        const reader = new BitReader(writer.take())
        const read = steps.map(({ kind, count }) =>
          kind === "varint" ? reader.varint() : reader[kind](count),
        )
        expect(read).toEqual(steps.map(({ value }) => value))
      }),
      { numRuns: 2_000 },
    )
  })

  it("copies each taken piece, and is empty afterwards", () => {
    const writer = new BitWriter()
    writer.bits(0b101, 3)
    const first = writer.take()
    writer.bits(0, 3)
    expect([[...first], [...writer.take()]]).toEqual([[0b1010_0000], [0]])
  })

  it("throws for truncated bytes and for numbers that are too large", () => {
    expect(() => new BitReader(Uint8Array.of(1)).bits(9)).toThrow(RangeError)
    expect(() => new BitReader(new Uint8Array(20)).small(0)).toThrow(RangeError)
    expect(() => new BitReader(new Uint8Array(20).fill(0xff)).varint()).toThrow(RangeError)
    expect(() => new BitReader(Uint8Array.of(1, 2)).bytes(3)).toThrow(RangeError)
  })
})

describe("text as UTF-8", () => {
  it("equals the platform's encoding", () => {
    const encoder = new TextEncoder()
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (string) => {
        expect([...encodeText(string)]).toEqual([...encoder.encode(string)])
        expect(decodeText(encodeText(string))).toBe(
          new TextDecoder("utf-8", { ignoreBOM: true }).decode(encoder.encode(string)),
        )
      }),
      { numRuns: 2_000 },
    )
  })

  it("reads any bytes without throwing, and never more characters than bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(decodeText(bytes).length).toBeLessThanOrEqual(bytes.length)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe("fields", () => {
  it.each<[string, Field, unknown]>([
    ["an integer below its range", fields.hp, -1],
    ["an integer above its range", fields.hp, 101],
    ["a fraction", fields.hp, 1.5],
    ["a whole number that is too large", fields.score, 2 ** 52],
    ["NaN", fields.x, Number.NaN],
    ["a text that is not among the choices", fields.facing, "sideways"],
    ["a number as text", fields.name, 7],
  ])("refuse %s", (_what, field, value) => {
    expect(() => field.pack(value)).toThrow(/ /)
  })

  it("round a real to its step and clamp it to its range", () => {
    const read = (value: number): number => fields.x.unpack(fields.x.pack(value))
    expect([read(0.06), read(-5), read(5_000), read(12.34)]).toEqual([0.0625, 0, 1_000, 12.3125])
  })

  it("are restored from their shape", () => {
    const other = ReplicaSchema.from(JSON.parse(JSON.stringify(schema.shape)))
    expect(other?.shape).toEqual(schema.shape)
    const writer = new BitWriter()
    writeRecord(writer, schema, pack(ann))
    expect(other?.readRecord(new BitReader(writer.take()))).toEqual(pack(ann))
  })

  it.each([
    [[]],
    [[["x", ["complex"]]]],
    [[["x", ["integer", 5, 1]]]],
    [[["x", ["real", 0, 1, 0]]]],
    [[["x", ["oneOf", ["a", "a"]]]]],
    [[["x", ["oneOf", []]]]],
    [[[1, ["flag"]]]],
    ["x"],
    [Array.from({ length: 31 }, (_, index) => [`f${index}`, ["flag"]])],
  ])("are not read from %j", (shape) => {
    expect(ReplicaSchema.from(shape)).toBeUndefined()
  })
})

describe("parts", () => {
  it("carry any records and changes unaltered", () => {
    const writer = new BitWriter()
    const entry = fc.tuple(fc.nat(3), fc.string({ maxLength: 10 }), values, values, fc.nat(3))
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 12 }), fc.integer(), (entries, x) => {
        let slot = -1
        const known = new Map<number, RecordState>()
        const records: CellSnapshot["records"][number][] = []
        const changes: CellChange[] = []
        for (const [gap, id, one, other, what] of entries) {
          slot += gap + 1
          const before = pack({ ...one, ...(what > 1 ? { x: other.y, y: other.x } : {}) })
          // The wire carries only steps of the previous state, so the other fields equal the current ones.
          const was = { record: pack(one), before: pack(one).map((now, at) => (at < 3 ? before[at] : now)) }
          const record = what === 3 ? repeatedSteps(was) : pack(other)
          known.set(slot, was)
          records.push({ slot, id, ...was })
          const mask = was.record.reduce<number>(
            (bits, value, place) => (value === record[place] ? bits : bits | (1 << place)),
            0,
          )
          if (what === 0) changes.push({ kind: "enter", slot, id, record })
          else if (what === 1) changes.push({ kind: "leave", slot })
          else if (mask !== 0) changes.push({ kind: "change", slot, mask, record, was })
        }
        const snapshot: CellSnapshot = { x, y: -7, version: 2 ** 40, isFirst: x % 2 === 0, records }
        const { told, target } = recorder(known)
        const bytes = frame(
          ...[6, (1 << 2) | partKind.snapshot, encodeSnapshot(writer, schema, snapshot)],
          ...[
            (2 << 2) | partKind.delta,
            encodeDelta(writer, schema, { changes, size: entries.length + 1 }),
            (9 << 2) | partKind.drop,
          ],
        )
        readReplicaFrame(bytes, (head) => {
          expect(head).toEqual({ replica: 3, isFresh: false })
          return target
        })
        expect(told).toEqual([
          { cell: 1, ...snapshot },
          { cell: 2, changes },
          { cell: 9, drop: true },
        ])
      }),
      { numRuns: 1_000 },
    )
  })

  it("take about two and a half bytes for each of many moving records", () => {
    const changes = Array.from({ length: 20 }, (_, slot): CellChange => {
      const was = still(pack({ ...ann, x: 100 + slot, y: 300 - slot }))
      const record = pack({ ...ann, x: 100.5 + slot, y: 299.75 - slot })
      return { kind: "change", slot, mask: 0b11, record, was }
    })
    const some = encodeDelta(new BitWriter(), schema, { changes, size: 21 })
    expect(some.length).toBeLessThanOrEqual(50)
    const everyone = encodeDelta(new BitWriter(), schema, { changes, size: 20 })
    expect(everyone.length).toBeLessThanOrEqual(some.length - 9)
    const { told, target } = recorder(
      new Map(changes.flatMap((change) => (change.kind === "change" ? [[change.slot, change.was]] : []))),
    )
    readReplicaFrame(frame(0, 5 << 2, everyone), () => target)
    expect(told).toEqual([{ cell: 5, changes }])
  })

  it("take a quarter of a byte for each of many records that repeat their last step", () => {
    const changes = Array.from({ length: 20 }, (_, slot): CellChange => {
      const [before, now, next] = [0, 1, 2].map((step) =>
        pack({ ...ann, x: 100 + slot + 0.5 * step, y: 300 - slot - 0.25 * step }),
      )
      const was = { record: now ?? [], before: before ?? [] }
      return { kind: "change", slot, mask: 0b11, record: next ?? [], was }
    })
    expect(encodeDelta(new BitWriter(), schema, { changes, size: 20 }).length).toBeLessThanOrEqual(7)
  })

  it("refuse a step out of the range", () => {
    const [record, before] = [pack({ ...ann, hp: 99 }), pack({ ...ann, hp: 90 })]
    const change = { kind: "change" as const, slot: 0, mask: 0b100, was: { record, before } }
    const changes = [{ ...change, record: record.map((value, at) => (at === 2 ? 108 : value)) }]
    const { told, target } = recorder(new Map([[0, change.was]]))
    const bytes = frame(0, 0, encodeDelta(new BitWriter(), schema, { changes, size: 2 }))
    expect(() => readReplicaFrame(bytes, () => target)).toThrow(RangeError)
    expect(told).toEqual([])
  })

  it("share one mask only if all records changed the same fields", () => {
    const [record, other] = [pack({ ...ann, hp: 1 }), pack({ ...ann, score: 9 })]
    const was = still(pack(ann))
    const changes: CellChange[] = [
      { kind: "change", slot: 0, mask: 0b100, record, was },
      { kind: "change", slot: 3, mask: 0b1000, record: other, was },
    ]
    const { told, target } = recorder(
      new Map([
        [0, was],
        [3, was],
      ]),
    )
    for (const size of [2, 3])
      readReplicaFrame(frame(0, 0, encodeDelta(new BitWriter(), schema, { changes, size })), () => target)
    expect(told).toEqual([
      { cell: 0, changes },
      { cell: 0, changes },
    ])
  })

  it("throw nothing but RangeError for any bytes, with bounded work", () => {
    const { target } = recorder(new Map([[0, { record: pack(ann), before: pack({ ...ann, x: 9, hp: 80 }) }]]))
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (tail) => {
        try {
          readReplicaFrame(frame(tail), () => target)
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError)
        }
      }),
      { numRuns: 20_000 },
    )
  })

  it("skip a frame of an unknown replica", () => {
    readReplicaFrame(frame(2, 255, 255, 255), () => undefined)
  })
})
