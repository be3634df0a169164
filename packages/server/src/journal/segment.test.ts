import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { RecordReader } from "./record-reader.ts"
import { RecordWriter } from "./record-writer.ts"
import { encodeSegmentHeader, recordHeadBytes, scanSegment, sealRecord } from "./segment.ts"

const header = {
  segment: 7,
  salt: 0xdead_beef,
  startsRound: true,
  holdsAll: false,
  firstRecord: 12,
  host: "host",
  boot: "boot",
  inode: "99",
}

function segmentOf(bodies: readonly Uint8Array[]): { bytes: Buffer; ends: number[] } {
  const parts = [encodeSegmentHeader(header)]
  let offset = parts[0]?.length ?? 0
  const ends = [offset]
  for (const [index, body] of bodies.entries()) {
    const record = Buffer.concat([Buffer.alloc(recordHeadBytes), body])
    sealRecord(record, { salt: header.salt, offset, atMs: 1000 + index })
    parts.push(record)
    offset += record.length
    ends.push(offset)
  }
  return { bytes: Buffer.concat(parts), ends }
}

const someBodies = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 6 })

describe("a segment", () => {
  it("returns header, times and bodies as they were written", () => {
    fc.assert(
      fc.property(someBodies, (bodies) => {
        const scanned = scanSegment(segmentOf(bodies).bytes)
        expect(scanned?.header).toEqual(header)
        expect(scanned?.end).toEqual({ kind: "whole" })
        expect(scanned?.records.map(({ body }) => [...body])).toEqual(bodies.map((body) => [...body]))
        expect(scanned?.records.map(({ atMs }) => atMs)).toEqual(bodies.map((_, index) => 1000 + index))
      }),
    )
  })

  it("cut at any byte has the whole records before it, and a torn end behind them", () => {
    const { bytes, ends } = segmentOf([Buffer.from("one"), Buffer.alloc(0), Buffer.from("three")])
    for (let length = 0; length < bytes.length; length += 1) {
      const scanned = scanSegment(bytes.subarray(0, length))
      const whole = ends.filter((end) => end <= length)
      if (whole.length === 0) {
        expect(scanned).toBeUndefined()
        continue
      }
      expect(scanned?.records.length).toBe(whole.length - 1)
      const isEnd = whole.at(-1) === length
      // The head of the torn record tells its time.
      const atMs = length - (whole.at(-1) ?? 0) < 20 ? undefined : 999 + whole.length
      expect(scanned?.end).toEqual(isEnd ? { kind: "whole" } : { kind: "torn", offset: whole.at(-1), atMs })
    }
  })

  it("with one changed byte has no record that was not written, and names the valid records behind the damage", () => {
    fc.assert(
      fc.property(someBodies, fc.nat(), fc.integer({ min: 1, max: 255 }), (bodies, at, change) => {
        const { bytes, ends } = segmentOf(bodies)
        const start = ends[0] ?? 0
        const offset = start + (at % (bytes.length - start))
        bytes[offset] = (bytes[offset] ?? 0) ^ change
        const scanned = scanSegment(bytes)
        const damaged = ends.findIndex((end) => offset < end) - 1
        expect(scanned?.records.map(({ body }) => [...body])).toEqual(
          bodies.slice(0, damaged).map((body) => [...body]),
        )
        const isLast = damaged === bodies.length - 1
        expect(scanned?.end).toMatchObject(
          isLast
            ? { kind: "torn", offset: ends[damaged] }
            : { kind: "damaged", offset: ends[damaged], next: ends[damaged + 1] },
        )
      }),
    )
  })

  it("takes no record of another segment or of another place", () => {
    const { bytes, ends } = segmentOf([Buffer.from("one"), Buffer.from("two")])
    const [first = 0, second = 0] = ends
    const moved = Buffer.concat([bytes.subarray(0, first), bytes.subarray(second)])
    expect(scanSegment(moved)?.end).toEqual({ kind: "torn", offset: first, atMs: undefined })
    const other = encodeSegmentHeader({ ...header, salt: header.salt + 1 })
    const foreign = Buffer.concat([other, bytes.subarray(first)])
    expect(scanSegment(foreign)?.end).toEqual({ kind: "torn", offset: first, atMs: undefined })
  })

  it("trap-22 refuses other files and other versions in words", () => {
    expect(() => scanSegment(Buffer.from("{ this is no journal }"))).toThrow("no journal segment")
    const { bytes } = segmentOf([])
    bytes.writeUInt16LE(9, 8)
    expect(() => scanSegment(bytes)).toThrow("format version 9; this server reads version 1")
  })

  it("finds the end of a torn record of a megabyte", () => {
    const { bytes, ends } = segmentOf([Buffer.from("one"), Buffer.alloc(1_000_000, 7)])
    const scanned = scanSegment(bytes.subarray(0, bytes.length - 1))
    expect(scanned?.end).toMatchObject({ kind: "torn", offset: ends[1] })
  })
})

describe("fields of a record", () => {
  it("are read as they were written", () => {
    const field = fc.oneof(
      fc.record({ kind: fc.constant("count" as const), value: fc.maxSafeNat() }),
      fc.record({
        kind: fc.constant("integer" as const),
        value: fc.integer({ min: -(2 ** 51), max: 2 ** 51 }),
      }),
      fc.record({ kind: fc.constant("word" as const), value: fc.nat(0xffff_ffff) }),
      fc.record({ kind: fc.constant("text" as const), value: fc.string({ unit: "grapheme" }) }),
      fc.record({ kind: fc.constant("blob" as const), value: fc.uint8Array() }),
      fc.record({ kind: fc.constant("flag" as const), value: fc.boolean() }),
    )
    fc.assert(
      fc.property(fc.array(field), (fields) => {
        const writer = new RecordWriter()
        for (const { kind, value } of fields) {
          if (kind === "text") writer.text(value)
          else if (kind === "blob") writer.blob(value)
          else if (kind === "flag") writer.flag(value)
          else writer[kind](value)
        }
        const reader = new RecordReader(Buffer.from(writer.take()))
        const read = fields.map(({ kind }) => {
          const value = reader[kind]()
          return value instanceof Uint8Array ? new Uint8Array(value) : value
        })
        expect(read).toEqual(fields.map(({ value }) => value))
        expect(reader.isAtEnd).toBe(true)
      }),
    )
  })

  it("throw at the end of the bytes", () => {
    expect(() => new RecordReader(Buffer.of(5, 1)).blob()).toThrow(
      "a field of 5 bytes at byte 1, of which 1 are left",
    )
    expect(() => new RecordReader(Buffer.of(0x80)).count()).toThrow("of which 0 are left")
  })
})
