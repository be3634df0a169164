import { encode } from "@msgpack/msgpack"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Encoded, encodedArray } from "./encoded.ts"
import { Packer } from "./pack.ts"

const wide = { maxBytes: 2 ** 31, maxDepth: 32, maxElements: 2 ** 31, maxKeyBytes: 2 ** 31 }
// One packer writes many messages, as at a server: earlier messages must have no effect.
const packer = new Packer(wide)

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
const packed = (value: unknown): string => hex(packer.pack(value))
const byLibrary = (value: unknown): string => hex(encode(value, { ignoreUndefined: true }))

const step = [...Array(67).keys()].flatMap((power) => [2 ** power - 1, 2 ** power, 2 ** power + 1])
const seconds = [0, 1, 1_700_000_000, 2 ** 32 - 1, 2 ** 32, 2 ** 34 - 1, 2 ** 34, 8.64e12]

const numbers: readonly unknown[] = [
  ...step,
  ...step.map((number) => -number),
  ...[-31, -32, -33, -0, 0.5, 1e300, 5e-324, Number.NaN, Infinity, -Infinity],
]
const dates: readonly Date[] = seconds
  .flatMap((second) => [second, -second])
  .flatMap((second) => [-1, 0, 1, 999].map((ms) => new Date(second * 1_000 + ms)))
  .filter((date) => !Number.isNaN(date.getTime()))
const objects: readonly unknown[] = [
  Object.create(null),
  new (class extends Date {})(5),
  Buffer.from("bytes"),
  Object.assign([], { length: 0 }),
  Object.assign([1], { key: 2 }),
  { [Symbol.iterator]: 1, shown: 2 },
  Object.defineProperty({}, "hidden", { value: 1 }),
  { toJSON: undefined },
  [null, true, false],
]

describe("a value is written as the library writes it", () => {
  it.each([
    ["numbers", numbers],
    ["dates", dates],
    ["objects", objects],
    ["nothing", [null, [], {}, "", new Uint8Array(0)]],
  ])("one by one and together: %s", (_, values) => {
    for (const value of values) expect(packed(value)).toBe(byLibrary(value))
    expect(packed(values)).toBe(byLibrary(values))
  })

  it.each([15, 16, 31, 32, 40, 41, 127, 255, 256, 1_023, 1_024, 65_535, 65_536, 200_000])(
    "%d of a kind",
    (count) => {
      const items = Array.from({ length: count }, (_, index) => index % 3)
      const members = Object.fromEntries(items.map((item, index) => [`k${index}`, item]))
      for (const value of [items, members, new Uint8Array(count).fill(7)]) {
        expect(packed(value)).toBe(byLibrary(value))
      }
      for (const letter of ["a", "é", "한", "😀"]) {
        for (const text of [
          letter.repeat(count),
          `${"a".repeat(count - 1)}${letter}`,
          `${letter}${"a".repeat(count)}`,
        ]) {
          expect(packed(text)).toBe(byLibrary(text))
          expect(packed({ [text]: text })).toBe(byLibrary({ [text]: text }))
        }
      }
    },
  )

  it("without undefined members, for any number of them", () => {
    for (const [kept, left] of [
      [0, 1],
      [15, 1],
      [16, 1],
      [1, 20],
      [65_535, 1],
      [15, 65_535],
    ] as const) {
      const entries = Array.from({ length: kept + left }, (_, index) => [
        `k${index}`,
        index < left ? undefined : index,
      ])
      const inner: unknown = Object.fromEntries(entries)
      const value = { before: 1, inner, after: [null] }
      expect(packed(value)).toBe(byLibrary(value))
    }
  })

  it("for any value that can be sent", () => {
    const anything = fc.anything({ withDate: true, withNullPrototype: true, maxDepth: 5 })
    let sent = 0
    fc.assert(
      fc.property(anything, (value) => {
        // An absent payload is no value of MessagePack.
        if (value === undefined) return
        const bytes = packedOrRefused(value)
        if (bytes === undefined) return
        sent += 1
        expect(bytes).toBe(byLibrary(value))
      }),
      { numRuns: 5_000 },
    )
    expect(sent).toBeGreaterThan(2_000)
  })
})

function packedOrRefused(value: unknown): string | undefined {
  try {
    return packed(value)
  } catch (error) {
    expect(error).toMatchObject({ code: "invalid_input" })
    return undefined
  }
}

describe("the first byte", () => {
  it("precedes the value", () => {
    expect(hex(packer.packFrame(0x41, [1, "a"]))).toBe("419201a161")
    expect(hex(packer.packFrame(0x41, [1, undefined]))).toBe("419201d40000")
  })
})

describe("a refused value", () => {
  it("does not affect the next message when a getter throws", () => {
    const value = {
      first: "x".repeat(5_000),
      get second(): number {
        throw new Error("not now")
      },
    }
    expect(() => packer.pack(value)).toThrow("not now")
    expect(packed([value.first])).toBe(byLibrary([value.first]))
  })
})

describe("a value that packs another while it is packed", () => {
  it("is complete, and so is the other", () => {
    for (const size of [1, 900, 1_100, 100_000]) {
      const others: string[] = []
      const value = {
        first: [1, 2],
        get second(): string {
          others.push(packed({ text: "o".repeat(size) }))
          expect(() => packer.pack([others, 5n])).toThrow("[1]: a bigint is not sent")
          return "b".repeat(size)
        },
        third: new Encoded({ list: encodedArray([new Encoded("shared"), "plain"]) }),
      }
      const plainValue = { first: [1, 2], second: "b".repeat(size), third: { list: ["shared", "plain"] } }
      expect(packed([value, value])).toBe(byLibrary([plainValue, plainValue]))
      expect(others).toEqual(Array(2).fill(byLibrary({ text: "o".repeat(size) })))
    }
  })
})

describe("a shared encoding", () => {
  it("has the depth of its value, also if others are packed meanwhile", () => {
    const shared = new Encoded({
      get size(): number {
        return packer.pack([[[[1]]]]).length
      },
    })
    const shallow = new Packer({ ...wide, maxDepth: 2 })
    packer.pack([shared])
    expect(hex(shallow.pack([shared]))).toBe(byLibrary([{ size: 5 }]))
    expect(() => shallow.pack([[shared]])).toThrow("nested too deep")
  })

  it("may be at any place, and contain others", () => {
    const inner = new Encoded(["inner"])
    const value = { plain: [{ list: encodedArray([inner, ["beside"]]) }], again: inner }
    expect(packed(value)).toBe(byLibrary({ plain: [{ list: [["inner"], ["beside"]] }], again: ["inner"] }))
  })
})

describe("messages", () => {
  it("share no bytes", () => {
    const first = packer.pack([1, 2, 3])
    packer.pack([4, 5, 6])
    expect(hex(first)).toBe("93010203")
    expect(first.buffer.byteLength).toBe(first.length)
  })
})
