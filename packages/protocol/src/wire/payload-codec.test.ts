import { decode, encode } from "@msgpack/msgpack"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { clientMessageLimits } from "./message-limits.ts"
import { Encoded, encodedArray, encodedMap, plain } from "./encoded.ts"
import { createPayloadCodec } from "./payload-codec.ts"

const codec = createPayloadCodec(clientMessageLimits)

/** Long arrays of bytes compare a hundred times faster as text. */
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

/** Values that MessagePack preserves. */
const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(
      fc.constant(null),
      fc.boolean(),
      fc.integer(),
      fc.maxSafeInteger().map((number) => number + 0),
      fc.double({ noNaN: true }).filter((number) => !Object.is(number, -0)),
      fc.string({ unit: "binary", maxLength: 80 }),
      fc.uint8Array({ maxLength: 20 }),
    ),
    fc.array(tie("value"), { maxLength: 6 }),
    fc.dictionary(
      fc.string({ unit: "binary", maxLength: 8 }).filter((key) => key !== "__proto__"),
      tie("value"),
      { maxKeys: 6, noNullPrototype: true },
    ),
  ),
}))

describe("encode and decode", () => {
  it("preserves every value", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(codec.decode(codec.encode(value), 0)).toEqual({ ok: true, value })
      }),
      { numRuns: 500 },
    )
  })

  it("writes exactly what the plain encoder writes", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(hex(codec.encode(value))).toBe(hex(encode(value, { ignoreUndefined: true })))
      }),
      { numRuns: 500 },
    )
  })

  it("omits undefined members", () => {
    expect(codec.decode(codec.encode({ a: 1, b: undefined, c: [{ d: undefined }] }), 0)).toEqual({
      ok: true,
      value: { a: 1, c: [{}] },
    })
  })

  it.each([
    ["a bigint", 5n],
    ["a function", () => {}],
    ["a symbol", Symbol("x")],
  ])("throws for %s", (_, value) => {
    expect(() => codec.encode([value])).toThrow()
  })

  it("throws for a value deeper than the peer accepts", () => {
    let value: unknown = 1
    for (let depth = 0; depth < 40; depth += 1) value = [value]
    expect(() => codec.encode(value)).toThrow(/deep/)
    const loop: unknown[] = []
    loop.push(loop)
    expect(() => codec.encode(loop)).toThrow(/deep/)
  })

  it.each([
    ["no bytes", [], 0],
    ["a start behind the end", [0xc0], 5],
    ["two values", [0xc0, 0xc0], 0],
    ["a length without its bytes", [0xdd, 0xff, 0xff, 0xff, 0xff], 0],
    ["ill-formed text", [0xa3, 0xed, 0xa0, 0x80], 0],
  ])("reports %s", (_, bytes, start) => {
    const result = codec.decode(Uint8Array.from(bytes), start)
    expect(result).toMatchObject({
      ok: false,
      error: { code: "sys_invalid_message", category: "validation" },
    })
  })

  it("reports a message above the limit with message_too_large", () => {
    const small = createPayloadCodec({ ...clientMessageLimits, maxBytes: 4 })
    expect(small.decode(codec.encode("abcd"), 0)).toMatchObject({ error: { code: "message_too_large" } })
    expect(small.decode(codec.encode("abc"), 0)).toEqual({ ok: true, value: "abc" })
  })

  it("never throws for 50,000 random messages", () => {
    let readable = 0
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 24 }), fc.nat(2), (bytes, start) => {
        if (codec.decode(bytes, start).ok) readable += 1
      }),
      { numRuns: 50_000 },
    )
    expect(readable).toBeGreaterThan(100)
  })
})

describe("shared encodings", () => {
  it("equal the plain encoding", () => {
    fc.assert(
      fc.property(
        fc.array(anyValue, { maxLength: 20 }),
        fc.dictionary(
          fc.string({ maxLength: 5 }).filter((key) => key !== "__proto__"),
          anyValue,
          { noNullPrototype: true },
        ),
        (items, members) => {
          const shared = encodedMap<Record<string, unknown>>({
            list: encodedArray(items.map((item, index) => (index % 2 === 0 ? new Encoded(item) : item))),
            map: encodedMap<Record<string, unknown>>(members),
          })
          expect(plain(shared)).toEqual({ list: items, map: members })
          expect(hex(codec.encode(shared))).toBe(hex(codec.encode({ list: items, map: members })))
          expect(hex(codec.encodeFrame(0x40, [7, shared]))).toBe(
            hex(codec.encodeFrame(0x40, [7, plain(shared)])),
          )
          expect(hex(codec.encodeMap({ payload: shared }))).toBe(
            hex(codec.encode({ payload: plain(shared) })),
          )
        },
      ),
      { numRuns: 300 },
    )
  })

  it("omits undefined members and keeps their order", () => {
    const shared = encodedMap<{ b: number; a?: number | undefined; c: number[] }>({
      b: 1,
      a: undefined,
      c: [2],
    })
    expect(decode(codec.encode(shared))).toEqual({ b: 1, c: [2] })
    expect(Object.keys(plain(shared))).toEqual(["b", "c"])
  })

  it("encodes once for all messages that carry it", () => {
    let reads = 0
    const chunk = new Encoded({
      get tiles() {
        reads += 1
        return [1, 2, 3]
      },
    })
    for (let message = 0; message < 5; message += 1) {
      codec.encodeFrame(0x40, [message, encodedArray([chunk])])
      codec.encodeMap({ payload: chunk })
    }
    expect(reads).toBe(1)
  })

  it("returns plain values as they are", () => {
    const value = { a: 1 }
    expect(plain(value)).toBe(value)
    expect(plain(new Encoded(value))).toBe(value)
  })
})

describe("depth", () => {
  const most = clientMessageLimits.maxDepth
  /** Nested containers, arrays and maps alternately; the innermost one has content or is empty. */
  const nested = (depth: number, innermost: readonly unknown[] = []): unknown => {
    let value: unknown = innermost
    for (let level = 1; level < depth; level += 1) value = level % 2 === 0 ? [value] : { k: value }
    return value
  }
  const ways: readonly (readonly [string, number, (value: unknown) => Uint8Array])[] = [
    ["by itself", 0, (value) => codec.encode(value)],
    ["in a frame", 1, (value) => codec.encodeFrame(0x40, [1, value])],
    ["in a map", 1, (value) => codec.encodeMap({ id: null, payload: value })],
    ["shared, in a frame", 1, (value) => codec.encodeFrame(0x40, [1, new Encoded(value)])],
    ["shared, in a map", 1, (value) => codec.encodeMap({ id: null, payload: new Encoded(value) })],
    ["beside what is shared", 1, (value) => codec.encodeFrame(0x40, [value, new Encoded(1)])],
    [
      "shared in a composition",
      3,
      (value) => codec.encodeMap({ payload: encodedMap({ list: encodedArray([1, new Encoded(value)]) }) }),
    ],
    [
      "plain in a composition",
      3,
      (value) => codec.encodeFrame(0x40, [encodedArray([encodedMap({ first: value, last: [] })])]),
    ],
  ]

  it.each(ways)("is accepted exactly up to the limit of the peer's guard: %s", (...[, around, encodeIn]) => {
    const start = around === 0 || encodeIn(0)[0] !== 0x40 ? 0 : 1
    for (const innermost of [[], [1], [null], ["é"]]) {
      const bytes = encodeIn(nested(most - around, innermost))
      expect(codec.decode(bytes, start)).toMatchObject({ ok: true })
      expect(() => encodeIn(nested(most - around + 1, innermost))).toThrow(
        "nested too deep: a message holds at most 32 arrays and maps inside each other",
      )
    }
  })

  it("of one shared encoding is checked in every message", () => {
    const shared = new Encoded(nested(most - 1, [1]))
    for (let time = 0; time < 2; time += 1) {
      expect(codec.decode(codec.encodeFrame(0x40, [shared]), 1).ok).toBe(true)
      expect(() => codec.encodeFrame(0x40, [encodedArray([shared])])).toThrow("nested too deep")
    }
  })

  it("is not the reported reason if the value itself cannot be encoded", () => {
    expect(() => codec.encode(nested(most, [5n]))).toThrow("a bigint is not sent")
    expect(() => codec.encode(nested(most, [Symbol.iterator]))).toThrow("a symbol is not sent")
  })

  it("is bounded for a value that contains itself twice", () => {
    const loop: unknown[] = []
    loop.push(loop, loop)
    expect(() => codec.encode(loop)).toThrow(/deep/)
    expect(() => codec.encodeFrame(0x40, [new Encoded(loop)])).toThrow(/deep/)
  })
})

describe("text that begins with a byte order mark", () => {
  const mark = "\ufeff"

  it.each([0, 1, 30, 196, 197, 198, 199, 65_530])("keeps it before %d letters more", (count) => {
    const text = mark + "b".repeat(count)
    const twice = mark + text
    const value = { text, list: [twice, { twice }, "c".repeat(300)], at: new Date(5), [mark]: 1, n: null }
    expect(codec.decode(codec.encode(value), 0)).toEqual({ ok: true, value })
    expect(codec.decode(codec.encodeFrame(0x40, [text]), 1)).toEqual({ ok: true, value: [text] })
    expect(codec.decode(codec.encode(twice), 0)).toEqual({ ok: true, value: twice })
  })

  it("does not change binaries that begin with the same bytes", () => {
    const bytes = new Uint8Array(300).fill(0x62)
    bytes.set([0xef, 0xbb, 0xbf])
    const value = { bytes, constructor: `${mark}${"b".repeat(300)}`, text: `b${mark}`.repeat(300) }
    expect(codec.decode(codec.encode(value), 0)).toEqual({ ok: true, value })
  })

  it("keeps it at any place", () => {
    const text = fc
      .tuple(fc.nat(3), fc.constantFrom(0, 1, 70, 250), fc.constantFrom("b", "é", "\uff01", "😀"))
      .map(([marks, count, letter]) => mark.repeat(marks) + letter.repeat(count))
    const { value: any } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        text,
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(fc.constantFrom("a", "1", mark), tie("value"), { noNullPrototype: true }),
      ),
    }))
    fc.assert(
      fc.property(any, (value) => {
        expect(codec.decode(codec.encode(value), 0)).toEqual({ ok: true, value })
      }),
      { numRuns: 1000 },
    )
  })
})
