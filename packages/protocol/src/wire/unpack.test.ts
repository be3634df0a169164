import { decode, encode } from "@msgpack/msgpack"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { MessageLimits } from "./message-limits.ts"
import { seededRandom } from "../testing/seeded-random.ts"
import { Unpacker } from "./unpack.ts"

const limits: MessageLimits = { maxBytes: 65_536, maxDepth: 32, maxElements: 10_000, maxKeyBytes: 128 }

const reasonOf = {
  truncated: "the message ends before its value does",
  trailing: "bytes follow the value",
  tooDeep: "containers are nested deeper than maxDepth",
  tooMany: "the value has more elements than maxElements",
  unusedByte: "the byte 0xc1 is not MessagePack",
  integer: "an integer is outside -(2^53 - 1) to 2^53 - 1",
  text: "a string is not well-formed UTF-8",
  extension: "only the extension type -1 (timestamp) is allowed",
  timestamp: "a timestamp is not one that a Date can hold",
  keyType: "a map key has a type that is not allowed",
  longKey: "a map key has more bytes than maxKeyBytes",
  proto: "the map key __proto__ is not allowed",
} as const

function malformed(reason: keyof typeof reasonOf): { code: string; reason: string } {
  return { code: "message_malformed", reason: reasonOf[reason] }
}

// One unpacker reads many messages, as at a server: its cache must have no effect.
const unpacker = new Unpacker(limits)
const readers = new WeakMap<object, Unpacker>()

function readerOf(changed: Partial<MessageLimits> | undefined): Unpacker {
  if (changed === undefined) return unpacker
  const reader = readers.get(changed) ?? new Unpacker({ ...limits, ...changed })
  readers.set(changed, reader)
  return reader
}

/** The reason why the bytes from `start` are refused, or undefined. */
function faultOf(
  bytes: Uint8Array,
  changed?: Partial<MessageLimits>,
  start = 0,
): { readonly code: string; readonly reason: string } | undefined {
  const result = readerOf(changed).unpack(bytes, start)
  return result.ok ? undefined : { code: result.code, reason: result.reason }
}

/** The value of the bytes; undefined if they are refused. */
function valueOf(bytes: Uint8Array, changed?: Partial<MessageLimits>): unknown {
  const result = readerOf(changed).unpack(bytes, 0)
  return result.ok ? result.value : undefined
}

/** Bytes from hexadecimal, blanks ignored, followed by `more`. */
function hex(text: string, ...more: readonly Uint8Array[]): Uint8Array {
  const digits = text.replaceAll(" ", "")
  const head = Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
    Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16),
  )
  return joined([head, ...more])
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

function repeated(text: string, times: number): Uint8Array {
  return joined(Array.from({ length: times }, () => hex(text)))
}

function filled(length: number, byte = 0x61): Uint8Array {
  return new Uint8Array(length).fill(byte)
}

// One or two valid samples of every family, with their values.
const samples: readonly (readonly [name: string, bytes: Uint8Array, value: unknown])[] = [
  ["positive fixint, least", hex("00"), 0],
  ["positive fixint, greatest", hex("7f"), 127],
  ["negative fixint, least", hex("e0"), -32],
  ["negative fixint, greatest", hex("ff"), -1],
  ["nil", hex("c0"), null],
  ["false", hex("c2"), false],
  ["true", hex("c3"), true],
  ["uint 8", hex("cc ff"), 255],
  ["uint 16", hex("cd ffff"), 65_535],
  ["uint 32", hex("ce ffffffff"), 4_294_967_295],
  ["uint 64", hex("cf 0000018bcfe56800"), 1_700_000_000_000],
  ["uint 64, greatest safe", hex("cf 001fffffffffffff"), Number.MAX_SAFE_INTEGER],
  ["int 8", hex("d0 80"), -128],
  ["int 16", hex("d1 8000"), -32_768],
  ["int 32", hex("d2 80000000"), -2_147_483_648],
  ["int 64", hex("d3 ffffffffffffffff"), -1],
  ["int 64, greatest safe", hex("d3 001fffffffffffff"), Number.MAX_SAFE_INTEGER],
  ["int 64, least safe", hex("d3 ffe0000000000001"), Number.MIN_SAFE_INTEGER],
  ["float 32", hex("ca 3fc00000"), 1.5],
  ["float 32, infinite", hex("ca 7f800000"), Infinity],
  ["float 64", hex("cb 3ff8000000000000"), 1.5],
  ["float 64, above 2^53", hex("cb 7fefffffffffffff"), Number.MAX_VALUE],
  ["fixstr, empty", hex("a0"), ""],
  ["fixstr", hex("a3 616263"), "abc"],
  ["fixstr, longest", hex("bf", filled(31)), "a".repeat(31)],
  ["str 8", hex("d9 03 616263"), "abc"],
  ["str 16", hex("da 0100", filled(256)), "a".repeat(256)],
  ["str 32", hex("db 00000003 616263"), "abc"],
  ["bin 8", hex("c4 02 ff00"), hex("ff00")],
  ["bin 16", hex("c5 0002 ff00"), hex("ff00")],
  ["bin 32", hex("c6 00000002 ff00"), hex("ff00")],
  ["fixarray, empty", hex("90"), []],
  ["fixarray", hex("92 01 02"), [1, 2]],
  ["array 16", hex("dc 0002 01 02"), [1, 2]],
  ["array 16, empty", hex("dc 0000"), []],
  ["array 32", hex("dd 00000002 01 02"), [1, 2]],
  ["fixmap, empty", hex("80"), {}],
  ["fixmap", hex("81 a1 61 01"), { a: 1 }],
  ["map 16", hex("de 0002 a1 61 01 a1 62 02"), { a: 1, b: 2 }],
  ["map 32", hex("df 00000001 a1 61 01"), { a: 1 }],
  ["fixmap of wide values", hex("82 a1 61 ce 00000005 a1 62 cd 0006"), { a: 5, b: 6 }],
  ["map 32, empty", hex("df 00000000"), {}],
  ["map with a str 8 key", hex("81 d9 01 61 01"), { a: 1 }],
  ["map with a str 16 key", hex("81 da 0001 61 01"), { a: 1 }],
  ["map with a str 32 key", hex("81 db 00000001 61 01"), { a: 1 }],
  [
    "nested maps and arrays",
    hex("93 81 a1 61 92 80 90 81 a1 62 82 a1 63 c0 a1 64 91 c3 05"),
    [{ a: [{}, []] }, { b: { c: null, d: [true] } }, 5],
  ],
  ["timestamp 32 in fixext 4", hex("d6 ff 00000001"), new Date(1000)],
  ["timestamp 64 in fixext 8", hex("d7 ff 0000000000000001"), new Date(1000)],
  ["timestamp 96 in ext 8", hex("c7 0c ff 00000000 ffffffffffffffff"), new Date(-1000)],
  ["timestamp 32 in ext 8", hex("c7 04 ff 00000001"), new Date(1000)],
  ["timestamp 64 in ext 16", hex("c8 0008 ff 0000000000000001"), new Date(1000)],
  ["timestamp 96 in ext 32", hex("c9 0000000c ff 00000000 0000000000000001"), new Date(1000)],
  ["the latest Date", hex("c7 0c ff 00000000 000007dba8218000"), new Date(8.64e15)],
]

describe("every family of MessagePack", () => {
  it.each(samples)("reads %s, as the library does", (_name, bytes, value) => {
    expect(unpacker.unpack(bytes, 0)).toEqual({ ok: true, value })
    expect(decode(bytes)).toEqual(value)
  })

  it.each(samples)("refuses %s truncated at any byte", (_name, bytes) => {
    for (let length = 0; length < bytes.length; length += 1) {
      expect(faultOf(bytes.subarray(0, length)), `${length} of ${bytes.length} bytes`).toEqual(
        malformed("truncated"),
      )
    }
  })

  it.each(samples)("refuses %s with another byte after it", (_name, bytes) => {
    expect(faultOf(joined([bytes, hex("00")]))).toEqual(malformed("trailing"))
  })

  it("knows each of the 256 first bytes", () => {
    const padding = filled(300, 0)
    for (let head = 0; head <= 0xff; head += 1) {
      const verdict = faultOf(joined([Uint8Array.of(head), padding]))
      expect(verdict?.reason, head.toString(16)).toMatch(
        /^(bytes follow|the byte 0xc1|only the ext|a map key has)/,
      )
    }
  })

  it("refuses the byte that MessagePack never uses, at any depth", () => {
    expect(faultOf(hex("c1"))).toEqual(malformed("unusedByte"))
    expect(faultOf(hex("92 01 c1"))).toEqual(malformed("unusedByte"))
    expect(faultOf(hex("81 a1 61 c1"))).toEqual(malformed("unusedByte"))
  })
})

describe("the cache of keys", () => {
  it("affects neither the next message nor one already read", () => {
    const first = valueOf(hex("92 81 a1 61 01 c4 02 0102"))
    expect(faultOf(hex("92 81 a1 62 01 c1"))).toEqual(malformed("unusedByte"))
    expect(valueOf(hex("81 a1 62 02"))).toEqual({ b: 2 })
    expect(first).toEqual([{ a: 1 }, hex("0102")])
  })

  it("distinguishes keys with other bytes in the same place", () => {
    const utf8 = new TextEncoder()
    for (let unit = 0x80; unit < 0x800; unit += 1) {
      const letters = `${String.fromCharCode(unit)}ц`
      // The bytes of "é", each taken for a letter, are "Ã©".
      const mistaken = String.fromCharCode(...utf8.encode(letters))
      for (const key of [mistaken, letters, mistaken, `k${unit}`, `k${unit}`]) {
        expect(valueOf(encode({ [key]: unit }))).toEqual({ [key]: unit })
      }
    }
  })
})

describe("binaries", () => {
  it("are views of the message", () => {
    const message = hex("92 c4 02 0102 c4 00")
    const [bytes, none] = [valueOf(message)].flat()
    expect(bytes).toEqual(hex("0102"))
    expect(none).toEqual(hex(""))
    message[3] = 9
    expect(bytes).toEqual(hex("0902"))
  })
})

describe("where the value lies", () => {
  it("starts to read at `start` and ignores the bytes before", () => {
    expect(faultOf(hex("41 92 01 a1 61"), {}, 1)).toBeUndefined()
    expect(faultOf(hex("c1 c1 c3"), {}, 2)).toBeUndefined()
    expect(faultOf(hex("41 92 01"), {}, 1)).toEqual(malformed("truncated"))
  })

  it("refuses a message without a value", () => {
    expect(faultOf(hex(""))).toEqual(malformed("truncated"))
    expect(faultOf(hex("41"), {}, 1)).toEqual(malformed("truncated"))
    expect(faultOf(hex("41"), {}, 2)).toEqual(malformed("truncated"))
  })

  it("stays inside a view that is a part of a larger buffer", () => {
    const buffer = hex("92 01 02 03 04")
    expect(faultOf(buffer.subarray(0, 3))).toBeUndefined()
    expect(faultOf(buffer.subarray(0, 2))).toEqual(malformed("truncated"))
    expect(faultOf(buffer.subarray(2, 3))).toBeUndefined()
  })
})

describe("limits", () => {
  it("passes a message of maxBytes and calls a longer one too large", () => {
    const message = hex("c5 0005", filled(5))
    expect(faultOf(message, { maxBytes: 8 })).toBeUndefined()
    expect(faultOf(message, { maxBytes: 7 })).toEqual({
      code: "message_too_large",
      reason: "the message has more bytes than maxBytes",
    })
  })

  it("counts the bytes before `start` as part of the message", () => {
    expect(faultOf(hex("41 c3"), { maxBytes: 1 }, 1)?.code).toBe("message_too_large")
    expect(faultOf(hex("41 c3"), { maxBytes: 2 }, 1)).toBeUndefined()
  })

  it.each([
    ["arrays", "91"],
    ["maps", "81 a1 61"],
    ["arrays 16", "dc 0001"],
    ["arrays 32", "dd 00000001"],
    ["maps 16", "de 0001 a1 61"],
    ["maps 32", "df 00000001 a1 61"],
  ])("passes 32 %s inside each other and refuses 33", (_name, header) => {
    expect(faultOf(joined([repeated(header, 32), hex("c0")]))).toBeUndefined()
    expect(faultOf(joined([repeated(header, 33), hex("c0")]))).toEqual(malformed("tooDeep"))
  })

  it("counts a depth above 1,000 as that, so that no message can exhaust the stack", () => {
    const changed = { maxDepth: Infinity, maxElements: Infinity, maxBytes: Infinity }
    expect(faultOf(joined([repeated("91", 1_000), hex("c0")]), changed)).toBeUndefined()
    expect(faultOf(joined([repeated("91", 1_001), hex("c0")]), changed)).toEqual(malformed("tooDeep"))
    expect(faultOf(filled(1_000_000, 0x91), changed)).toEqual(malformed("tooDeep"))
  })

  it("counts an empty container as a level", () => {
    expect(faultOf(hex("91 90"), { maxDepth: 2 })).toBeUndefined()
    expect(faultOf(hex("91 90"), { maxDepth: 1 })).toEqual(malformed("tooDeep"))
    expect(faultOf(hex("91 80"), { maxDepth: 1 })).toEqual(malformed("tooDeep"))
    expect(faultOf(hex("c0"), { maxDepth: 0 })).toBeUndefined()
    expect(faultOf(hex("90"), { maxDepth: 0 })).toEqual(malformed("tooDeep"))
  })

  it("decreases the level when a container ends", () => {
    const siblings = joined([hex("dc 0064"), repeated("91 91 90", 100)])
    expect(faultOf(siblings, { maxDepth: 4 })).toBeUndefined()
    expect(faultOf(siblings, { maxDepth: 3 })).toEqual(malformed("tooDeep"))
  })

  it("counts an array item as one element and a map entry as two, over the whole value", () => {
    const value = encode([1, [2, 3], { a: 4, b: { c: 5 } }]) // 3 + 2 + 4 + 2
    expect(faultOf(value, { maxElements: 11 })).toBeUndefined()
    expect(faultOf(value, { maxElements: 10 })).toEqual(malformed("tooMany"))
    expect(faultOf(hex("c0"), { maxElements: 0 })).toBeUndefined()
  })

  it("refuses too many elements also when no single container has many", () => {
    const wide = joined([hex("dc 03e8"), repeated("9a 00000000000000000000", 1000)])
    expect(faultOf(wide, { maxElements: 11_000 })).toBeUndefined()
    expect(faultOf(wide)).toEqual(malformed("tooMany"))
  })

  it("bounds keys in bytes, and not values", () => {
    const key = (length: number): Uint8Array => hex("81 d9", Uint8Array.of(length), filled(length), hex("c0"))
    expect(faultOf(key(128))).toBeUndefined()
    expect(faultOf(key(129))).toEqual(malformed("longKey"))
    expect(faultOf(encode({ ["ä".repeat(64)]: 1 }))).toBeUndefined()
    expect(faultOf(encode({ ["ä".repeat(65)]: 1 }))).toEqual(malformed("longKey"))
    expect(faultOf(encode({ a: "b".repeat(5000) }))).toBeUndefined()
    expect(faultOf(encode(["b".repeat(5000)]))).toBeUndefined()
  })
})

describe("bombs (abuse list A32, A33)", () => {
  it.each([
    ["array 16", "dc ffff"],
    ["array 32", "dd ffffffff"],
    ["map 16", "de ffff"],
    ["map 32", "df ffffffff"],
    ["map 32 whose doubled count overflows 32 bits", "df 80000000"],
    ["str 8", "d9 ff"],
    ["str 16", "da ffff"],
    ["str 32", "db ffffffff"],
    ["bin 8", "c4 ff"],
    ["bin 16", "c5 ffff"],
    ["bin 32", "c6 ffffffff"],
    ["ext 8", "c7 ff ff"],
    ["ext 16", "c8 ffff ff"],
    ["ext 32", "c9 ffffffff ff"],
  ])("abuse-A32 refuses a lone header of %s, alone, as an item and as a value of a map", (_name, header) => {
    const wide = { maxElements: Infinity }
    expect(faultOf(hex(header), wide)).toEqual(malformed("truncated"))
    expect(faultOf(hex(`91 ${header}`), wide)).toEqual(malformed("truncated"))
    expect(faultOf(hex(`81 a1 61 ${header}`), wide)).toEqual(malformed("truncated"))
    expect(faultOf(hex(header))?.code).toBe("message_malformed")
  })

  it.each([6, 64])("abuse-A33 refuses %i KB of nested dc ff ff at once", (kilobytes) => {
    const bomb = repeated("dc ffff", Math.floor((kilobytes * 1024) / 3))
    expect(faultOf(bomb)).toEqual(malformed("tooMany"))
    expect(faultOf(bomb, { maxElements: Infinity })).toEqual(malformed("truncated"))
  })

  it("abuse-A33 refuses 64 K of 91 by depth", () => {
    expect(faultOf(filled(65_536, 0x91))).toEqual(malformed("tooDeep"))
  })

  it("refuses 100 bytes of nested array 32 headers", () => {
    const bomb = repeated("dd ffffffff", 20)
    expect(bomb.length).toBe(100)
    expect(faultOf(bomb)?.code).toBe("message_malformed")
    expect(faultOf(bomb, { maxElements: Infinity })).toEqual(malformed("truncated"))
  })

  it("refuses containers that share the same remaining bytes, as soon as they cannot all be filled", () => {
    // The bytes after each header could fill that header alone. The filler would be refused for another reason.
    const shared = joined([hex("dc 0100"), hex("dc 0100"), filled(300, 0xc1)])
    expect(faultOf(shared)).toEqual(malformed("truncated"))
    expect(faultOf(joined([hex("dc 0100"), hex("dc 0010"), filled(271, 0)]))).toBeUndefined()
    expect(faultOf(joined([hex("82 a1 61 dc 0010"), filled(17, 0xc1)]))).toEqual(malformed("truncated"))
    expect(faultOf(joined([hex("82 a1 61 dc 0010"), filled(16, 0), hex("a0 00")]))).toBeUndefined()
  })

  it("requires two bytes for each entry of a map", () => {
    expect(faultOf(hex("82 a0 00 a0 00"))).toBeUndefined()
    expect(faultOf(hex("83 a0 00 a0 00"))).toEqual(malformed("truncated"))
  })

  it("reads a value with the greatest allowed width", () => {
    expect(faultOf(joined([hex("dc 2710"), filled(10_000, 0)]))).toBeUndefined()
    expect(faultOf(joined([hex("dc 2711"), filled(10_001, 0)]))).toEqual(malformed("tooMany"))
  })
})

describe("map keys (abuse list A34, A48)", () => {
  const proto = "5f5f70726f746f5f5f"

  it.each([
    ["fixstr", `a9 ${proto}`],
    ["str 8", `d9 09 ${proto}`],
    ["str 16", `da 0009 ${proto}`],
    ["str 32", `db 00000009 ${proto}`],
  ])("abuse-A34 refuses __proto__ as a key in %s, at any depth", (_name, key) => {
    expect(faultOf(hex(`81 ${key} c0`))).toEqual(malformed("proto"))
    expect(faultOf(hex(`82 a1 61 01 ${key} 80`))).toEqual(malformed("proto"))
    expect(faultOf(joined([repeated("91", 31), hex(`81 ${key} 80`)]))).toEqual(malformed("proto"))
    expect(faultOf(hex(`81 a1 61 81 a1 62 81 ${key} 80`))).toEqual(malformed("proto"))
  })

  it("lets __proto__ pass as a value, and keys that only resemble it", () => {
    expect(faultOf(hex(`91 a9 ${proto}`))).toBeUndefined()
    expect(faultOf(hex(`81 a1 61 a9 ${proto}`))).toBeUndefined()
    for (const key of ["__proto_", "__proto__ ", "__Proto__", "__protO__", "_​_proto__"]) {
      expect(faultOf(encode({ [key]: 1 })), key).toBeUndefined()
    }
  })

  it("refuses an overlong encoding of __proto__, which a lenient decoder would accept", () => {
    expect(faultOf(hex("81 aa c19f 5f70726f746f5f5f c0"))).toEqual(malformed("text"))
  })

  it("abuse-A34 lets constructor, prototype, toString and duplicates pass as keys of a payload", () => {
    for (const key of ["constructor", "prototype", "toString", "hasOwnProperty", ""]) {
      expect(valueOf(encode({ [key]: { [key]: 1 } })), key).toEqual({ [key]: { [key]: 1 } })
    }
    expect(valueOf(hex("82 a1 61 01 a1 61 02"))).toEqual({ a: 2 })
    expect(Object.prototype).not.toHaveProperty("x")
  })

  it.each([
    ["nil", "c0"],
    ["true", "c3"],
    ["float 32", "ca 3fc00000"],
    ["float 64", "cb 3ff8000000000000"],
    ["bin 8", "c4 01 61"],
    ["timestamp", "d6 ff 00000001"],
    ["array", "90"],
    ["map", "80"],
    ["unused", "c1"],
    ["positive fixint", "05"],
    ["negative fixint", "ff"],
    ["uint 8", "cc ff"],
    ["uint 16", "cd ffff"],
    ["uint 32", "ce ffffffff"],
    ["uint 64", "cf 0000000000000001"],
    ["int 8", "d0 80"],
    ["int 16", "d1 8000"],
    ["int 32", "d2 80000000"],
    ["int 64", "d3 ffffffffffffffff"],
  ])("refuses a key of type %s", (_name, key) => {
    expect(faultOf(hex(`81 ${key} 01`))).toEqual(malformed("keyType"))
    expect(faultOf(hex(`82 a1 61 01 ${key} 01`))).toEqual(malformed("keyType"))
  })

  it("does not treat a value as a key", () => {
    expect(faultOf(hex("82 a1 61 01 a1 62 c0"))).toBeUndefined()
    expect(faultOf(hex("82 a1 61 80 a1 62 90"))).toBeUndefined()
    expect(faultOf(hex("82 a1 61 80 05 90"))).toEqual(malformed("keyType"))
  })
})

describe("integers", () => {
  it.each([
    ["uint 64, 2^53", "cf 0020000000000000"],
    ["uint 64, greatest", "cf ffffffffffffffff"],
    ["int 64, 2^53", "d3 0020000000000000"],
    ["int 64, greatest", "d3 7fffffffffffffff"],
    ["int 64, -2^53", "d3 ffe0000000000000"],
    ["int 64, -2^53 - 1", "d3 ffdfffffffffffff"],
    ["int 64, least", "d3 8000000000000000"],
  ])("refuses %s, which a number cannot hold exactly", (_name, bytes) => {
    expect(faultOf(hex(bytes))).toEqual(malformed("integer"))
    expect(faultOf(hex(`91 ${bytes}`))).toEqual(malformed("integer"))
  })

  it("passes exactly the 64-bit integers that are safe in JavaScript", () => {
    const edges = [0n, 2n ** 21n, 2n ** 32n, 2n ** 53n, 2n ** 62n, -(2n ** 32n), -(2n ** 53n), -(2n ** 63n)]
    const near = fc.tuple(fc.constantFrom(...edges), fc.bigInt(-3n, 3n)).map(([edge, step]) => edge + step)
    fc.assert(
      fc.property(fc.oneof(near, fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)), (drawn) => {
        const value = BigInt.asIntN(64, drawn)
        const bytes = new Uint8Array(9)
        const view = new DataView(bytes.buffer)
        view.setUint8(0, 0xd3)
        view.setBigInt64(1, value)
        expect(faultOf(bytes) === undefined).toBe(Number.isSafeInteger(Number(value)))
        view.setUint8(0, 0xcf)
        expect(faultOf(bytes) === undefined).toBe(Number.isSafeInteger(Number(BigInt.asUintN(64, value))))
      }),
      { numRuns: 5000 },
    )
  })
})

describe("extensions", () => {
  it.each([
    ["type 0", "d6 00 00000001"],
    ["type 1 (other libraries' records)", "d4 01 00"],
    ["type 0x72 (records of msgpackr)", "d4 72 40"],
    ["type -2", "d6 fe 00000001"],
    ["type 127", "c7 04 7f 00000001"],
    ["type -128", "c8 0004 80 00000001"],
    ["type 0 of length 0", "c7 00 00"],
  ])("refuses an extension of %s", (_name, bytes) => {
    expect(faultOf(hex(bytes))).toEqual(malformed("extension"))
  })

  it.each([
    ["0 bytes", "c7 00 ff"],
    ["1 byte", "d4 ff 00"],
    ["2 bytes", "d5 ff 0000"],
    ["5 bytes", "c7 05 ff 0000000000"],
    ["16 bytes", "d8 ff 00000000000000000000000000000000"],
    ["a billion nanoseconds, of 8 bytes", "d7 ff ee6b280000000001"],
    ["a billion nanoseconds, of 12 bytes", "c7 0c ff 3b9aca00 0000000000000001"],
    ["a second after the latest Date", "c7 0c ff 00000000 000007dba8218001"],
    ["a millisecond after the latest Date", "c7 0c ff 000f4240 000007dba8218000"],
    ["a second before the earliest Date", "c7 0c ff 00000000 fffff82457de7fff"],
    ["the most seconds", "c7 0c ff 00000000 7fffffffffffffff"],
    ["the fewest seconds", "c7 0c ff 00000000 8000000000000000"],
  ])("refuses a timestamp of %s", (_name, bytes) => {
    expect(faultOf(hex(bytes))).toEqual(malformed("timestamp"))
  })

  it("passes every Date", () => {
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true }), (date) => {
        expect(valueOf(encode(date))).toEqual(date)
      }),
    )
  })
})

describe("text (abuse list A35)", () => {
  it.each([
    ["a continuation byte alone", "80"],
    ["a lead byte alone", "c3"],
    ["a lead byte before ASCII", "c3 61"],
    ["overlong NUL, 2 bytes", "c0 80"],
    ["overlong, 2 bytes", "c1 bf"],
    ["overlong, 3 bytes", "e0 9f bf"],
    ["overlong, 4 bytes", "f0 8f bf bf"],
    ["the least high surrogate", "ed a0 80"],
    ["the greatest low surrogate", "ed bf bf"],
    ["a pair of surrogates (CESU-8)", "ed a0 bd ed b8 80"],
    ["above U+10FFFF", "f4 90 80 80"],
    ["a lead byte f5", "f5 80 80 80"],
    ["ff", "ff"],
    ["a 3-byte character cut short", "e2 82"],
    ["a 4-byte character cut short", "f0 9f 98"],
    ["a broken third byte", "e2 82 41"],
    ["a broken fourth byte", "f0 9f 98 41"],
  ])("abuse-A35 refuses %s, in a value and in a key, also after ASCII", (_name, text) => {
    const bytes = hex(text)
    for (const padding of [0, 1, 2, 3, 4, 5, 8]) {
      const length = bytes.length + padding
      const body = joined([Uint8Array.of(0xa0 | length), filled(padding), bytes])
      expect(faultOf(body), `behind ${padding} letters`).toEqual(malformed("text"))
      expect(faultOf(joined([hex("81"), body, hex("c0")]))).toEqual(malformed("text"))
      // The bytes that follow belong to the next value and must not complete the character.
      expect(faultOf(joined([hex("92"), body, hex("80")]))?.code).toBe("message_malformed")
    }
  })

  it("does not complete a character with the bytes after its string", () => {
    expect(faultOf(hex("92 a1 c3 a9"))).toEqual(malformed("text"))
  })

  it.each([
    "",
    "\0",
    "é",
    "\u07ff",
    "\u0800",
    "\ud7ff",
    "\ue000",
    "\uffff",
    "\u{10000}",
    "\u{10ffff}",
    "\u2028\r\n\u001b[0m",
  ])("passes %j as a value and as a key", (text) => {
    for (const padding of ["", "a", "aaaa", "aaaaaaa"]) {
      const value = padding + text + padding
      expect(valueOf(encode(value))).toBe(value)
      expect(valueOf(encode({ [value]: 1 }))).toEqual({ [value]: 1 })
    }
  })

  it.each([1, 8, 30, 31, 32, 33, 34, 127, 128, 255, 256, 65_000])("reads %d bytes of it", (length) => {
    for (const letter of ["a", "é", "한", "😀", "\ufeff"]) {
      const size = new TextEncoder().encode(letter).length
      const text = letter.repeat(length / size).padEnd(length - size * Math.floor(length / size), "x")
      for (const value of [text, `x${text}`, `${text}x`]) expect(valueOf(encode(value))).toBe(value)
    }
  })

  it("agrees with a strict decoder on any bytes", () => {
    const strict = new TextDecoder("utf-8", { fatal: true })
    const lead = fc.constantFrom(
      0x41,
      0x7f,
      0x80,
      0x8f,
      0x90,
      0x9f,
      0xa0,
      0xbf,
      0xc1,
      0xc2,
      0xdf,
      0xe0,
      0xe1,
      0xed,
    )
    const rare = fc.constantFrom(0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff)
    const units = fc.array(fc.oneof(lead, rare, fc.nat(255)), { maxLength: 31 })
    const whole = fc
      .string({ unit: "binary", maxLength: 7 })
      .map((text) => [...new TextEncoder().encode(text)])
    const mixed = fc.tuple(whole, units, whole).map((parts) => parts.flat().slice(0, 31))
    let accepted = 0
    fc.assert(
      fc.property(fc.oneof(units, mixed, whole), (text) => {
        const isStrict = decodes(() => strict.decode(Uint8Array.from(text)))
        expect(faultOf(Uint8Array.of(0xa0 | text.length, ...text)) === undefined).toBe(isStrict)
        if (isStrict) accepted += 1
      }),
      { numRuns: 20_000 },
    )
    expect(accepted).toBeGreaterThan(2000)
  })
})

function decodes(decodeIt: () => unknown): boolean {
  try {
    decodeIt()
    return true
  } catch {
    return false
  }
}

// ---- properties ----

const keys = fc.string({ unit: "grapheme", maxLength: 8 }).filter((key) => key !== "__proto__")
const { value: jsonLike } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 6, withCrossShrink: true }, tie("leaf"), tie("list"), tie("record")),
  leaf: fc.oneof(
    fc.constantFrom(null, true, false),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true }).map((number) => number + 0), // -0 is sent as the integer 0
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.uint8Array({ maxLength: 40 }),
    fc.date({ noInvalidDate: true }),
  ),
  list: fc.array(tie("value"), { maxLength: 20 }),
  record: fc.dictionary(keys, tie("value"), { maxKeys: 20, noNullPrototype: true }),
}))

describe("any value that an application may send", () => {
  it("passes, and decodes to itself", () => {
    fc.assert(
      fc.property(jsonLike, (value) => {
        expect(unpacker.unpack(encode(value), 0)).toEqual({ ok: true, value })
      }),
      { numRuns: 2000 },
    )
  })

  it("is refused when truncated anywhere or followed by any byte", () => {
    fc.assert(
      fc.property(jsonLike, fc.nat(), fc.nat(255), (value, cut, byte) => {
        const bytes = encode(value)
        expect(faultOf(bytes.subarray(0, cut % bytes.length))?.code).toBe("message_malformed")
        expect(faultOf(joined([bytes, Uint8Array.of(byte)]))).toEqual(malformed("trailing"))
      }),
      { numRuns: 2000 },
    )
  })
})

/** Checks a message that passes: counts from the value itself, and compares with the library's result. */
function expectSafe(bytes: Uint8Array, changed: Partial<MessageLimits>): void {
  const { maxDepth, maxElements, maxKeyBytes } = { ...limits, ...changed }
  const seen = { elements: 0 }
  const visit = (value: unknown, depth: number): void => {
    if (typeof value === "string") expect(() => encodeURIComponent(value)).not.toThrow() // no lone surrogate
    if (value instanceof Date) expect(value.getTime()).not.toBeNaN()
    if (typeof value !== "object" || value === null || value instanceof Date || value instanceof Uint8Array)
      return
    expect(depth).toBeLessThan(maxDepth)
    if (Array.isArray(value)) {
      seen.elements += value.length
      for (const item of value) visit(item, depth + 1)
      return
    }
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype) // not an ExtData, not a changed prototype
    for (const [key, item] of Object.entries(value)) {
      seen.elements += 2
      expect(new TextEncoder().encode(key).length).toBeLessThanOrEqual(maxKeyBytes)
      visit(item, depth + 1)
    }
  }
  const value = valueOf(bytes, changed)
  visit(value, 0)
  expect(value).toEqual(decode(bytes))
  expect(seen.elements).toBeLessThanOrEqual(maxElements)
}

/** Random draws for messages: integers, choices, bytes. */
class Draws {
  readonly #random: () => number

  constructor(seed: number) {
    this.#random = seededRandom(seed)
  }

  below(count: number): number {
    return Math.floor(this.#random() * count)
  }

  pick<T>(...choices: readonly [T, ...T[]]): T {
    return choices[this.below(choices.length)] ?? choices[0]
  }

  bytes(count: number): number[] {
    return Array.from({ length: count }, () => this.below(256))
  }
}

function bigEndian(size: number, value: number): number[] {
  return Array.from({ length: size }, (_, index) => Math.floor(value / 256 ** (size - 1 - index)) % 256)
}

/** MessagePack that uses every form of every header, short or not. */
function drawnMessage(draws: Draws): Uint8Array {
  const bytes: number[] = []
  const text = (value: string): void => {
    const utf8 = new TextEncoder().encode(value)
    const wide = [
      [0xd9, utf8.length],
      [0xda, ...bigEndian(2, utf8.length)],
      [0xdb, ...bigEndian(4, utf8.length)],
    ]
    const forms = utf8.length < 32 ? [[0xa0 | utf8.length], ...wide] : wide
    bytes.push(...(forms[draws.below(forms.length)] ?? []), ...utf8)
  }
  const container = (short: number, wide: number, write: () => void): void => {
    const count = draws.below(6)
    const forms = [[short | count], [wide, ...bigEndian(2, count)], [wide + 1, ...bigEndian(4, count)]]
    bytes.push(...(forms[draws.below(forms.length)] ?? []))
    for (let entry = 0; entry < count; entry += 1) write()
  }
  const leaves: readonly [() => void, ...(() => void)[]] = [
    () => bytes.push(draws.pick(draws.below(128), 0xe0 | draws.below(32), 0xc0, 0xc2, 0xc3)),
    () =>
      text(
        "aäß€😀b\0"
          .repeat(draws.below(4))
          .slice(draws.below(9))
          .replace(/\p{Surrogate}/gu, ""),
      ),
    () => bytes.push(draws.pick(0xcc, 0xd0), ...draws.bytes(1)),
    () => bytes.push(draws.pick(0xcd, 0xd1), ...draws.bytes(2)),
    () => bytes.push(draws.pick(0xca, 0xce, 0xd2), ...draws.bytes(4)),
    () => bytes.push(draws.pick(0xcf, 0xd3), 0, draws.below(32), ...draws.bytes(6)),
    () => bytes.push(0xcb, ...draws.bytes(8)),
    () => bytes.push(...draws.pick([0xc4, 3], [0xc5, 0, 3], [0xc6, 0, 0, 0, 3]), ...draws.bytes(3)),
    () =>
      bytes.push(...draws.pick([0xd6], [0xc7, 4], [0xc8, 0, 4], [0xc9, 0, 0, 0, 4]), 0xff, ...draws.bytes(4)),
    () =>
      bytes.push(0xc7, 12, 0xff, ...bigEndian(4, draws.below(1e9)), 0, 0, draws.below(7), ...draws.bytes(5)),
  ]
  const value = (depth: number): void => {
    const kind = draws.below(depth > 5 ? 6 : 10)
    if (kind < 6) draws.pick(...leaves)()
    else if (kind < 8) container(0x90, 0xdc, () => value(depth + 1))
    else {
      container(0x80, 0xde, () => {
        text(draws.pick("a", "bc", "constructor", "__protn__", "äöü", String(draws.below(99))))
        value(depth + 1)
      })
    }
  }
  value(0)
  return Uint8Array.from(bytes)
}

/** Makes one to three changes: a byte, a bit, a part removed, inserted or repeated. */
function mutated(message: Uint8Array, draws: Draws): Uint8Array {
  const bytes = [...message]
  const changes = 1 + draws.below(3)
  for (let change = 0; change < changes; change += 1) {
    const at = draws.below(bytes.length)
    const byte = draws.pick(
      draws.below(256),
      0x80 + draws.below(64),
      0xc0 + draws.below(64),
      0xdf,
      0xdd,
      0xff,
    )
    draws.pick(
      () => bytes.splice(at, 1, byte),
      () => bytes.splice(at, 1, (bytes[at] ?? 0) ^ (1 << draws.below(8))),
      () => bytes.splice(bytes.indexOf(0x6e), 1, 0x6f), // n to o makes a __proto__
      () => bytes.splice(at, 0, byte),
      () => bytes.splice(at, 1 + draws.below(4)),
      () => bytes.splice(at, 0, ...bytes.slice(at, at + draws.below(12))),
    )()
  }
  return Uint8Array.from(bytes)
}

describe("bytes from anyone", () => {
  const loose = {}
  const tight = { maxDepth: 4, maxElements: 40, maxKeyBytes: 6 }

  it("never make it throw, and pass only with the value that the library reads", () => {
    const draws = new Draws(20_260_101)
    let passed = 0
    for (let run = 0; run < 60_000; run += 1) {
      const bytes = Uint8Array.from(draws.bytes(draws.below(1 + draws.below(40))))
      for (const changed of [loose, tight]) {
        if (faultOf(bytes, changed) !== undefined) continue
        passed += 1
        expectSafe(bytes, changed)
      }
    }
    expect(passed).toBeGreaterThan(1000)
  })

  it("pass when they are well-formed in any form", () => {
    const draws = new Draws(3)
    for (let run = 0; run < 10_000; run += 1) {
      const bytes = drawnMessage(draws)
      expect(faultOf(bytes)).toBeUndefined()
      expectSafe(bytes, {})
    }
  })

  it("are refused for every reason, or still safe, after a few changes to a well-formed message", () => {
    const draws = new Draws(7)
    const refusals = new Set<string>()
    let passed = 0
    for (let run = 0; run < 40_000; run += 1) {
      const bytes = mutated(drawnMessage(draws), draws)
      for (const changed of [loose, tight]) {
        const verdict = faultOf(bytes, changed)
        if (verdict === undefined) {
          passed += 1
          expectSafe(bytes, changed)
        } else {
          refusals.add(verdict.reason)
        }
      }
    }
    expect(passed).toBeGreaterThan(5000)
    expect(refusals).toEqual(new Set(Object.values(reasonOf)))
  })

  const unbounded = { maxElements: Infinity, maxDepth: Infinity }

  it("abuse-A32 never reserve more slots than they have bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (bytes) => {
        if (faultOf(bytes, unbounded) !== undefined) return
        let elements = 0
        const count = (value: unknown): void => {
          if (!Array.isArray(value)) return
          elements += value.length
          value.forEach(count)
        }
        count(valueOf(bytes, unbounded))
        expect(elements).toBeLessThan(bytes.length)
      }),
      { numRuns: 20_000 },
    )
  })
})
