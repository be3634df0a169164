// The table of docs/values.md, row by row, and random values made of its rows, for any engine: each value is encoded
// and decoded in it. Imports nothing of Node, so that Bun and browsers run the same file.
import { Encoded, UnsendableError, clientMessageLimits, createPayloadCodec } from "@hawser/protocol/core"
import { seededRandom } from "@hawser/protocol/testing"

export interface TableReport {
  readonly checked: number
  /** Rows and random values with a result that differs from the table. */
  readonly failures: readonly string[]
  /** Digest of all written bytes: the same in every engine. */
  readonly digest: number
}

/** Result of a refused value. */
const refused = Symbol("refused")

class Own {
  readonly x = 1
  toJSON(): string {
    return "own"
  }
}

class List extends Array<number> {}

function transferred(): Uint8Array {
  const view = Uint8Array.of(1, 2)
  structuredClone(view.buffer, { transfer: [view.buffer] })
  return view
}

const sparse: number[] = [1]
sparse[2] = 3
const bytes = Uint8Array.of(0, 1, 254, 255)
const middle = new DataView(bytes.buffer, 1, 2)
const inherited = { __proto__: { inherited: 1 }, own: 1 }
const bare = { __proto__: null, a: 1 }
const hidden = Object.defineProperty({ shown: 1, [Symbol("s")]: 2 }, "hidden", { value: 3 })

/** A value, and its copy at the other end. */
const rows: readonly (readonly [name: string, sent: unknown, arrives: unknown])[] = [
  ["null", null, null],
  ["true", true, true],
  ["undefined", undefined, undefined],
  ["NaN", Number.NaN, Number.NaN],
  ["-Infinity", -Infinity, -Infinity],
  ["2 ** 60", 2 ** 60, 2 ** 60],
  ["the least integer", -(2 ** 53 - 1), -(2 ** 53 - 1)],
  ["-0", -0, 0],
  ["text", "\u0000 é 한 😀 \ufeff", "\u0000 é 한 😀 \ufeff"],
  ["a Date", new Date(1_700_000_000_123), new Date(1_700_000_000_123)],
  ["the earliest Date", new Date(-8.64e15), new Date(-8.64e15)],
  ["the latest Date", new Date(8.64e15), new Date(8.64e15)],
  ["Uint8Array", bytes, bytes],
  ["ArrayBuffer", bytes.slice().buffer, bytes],
  ["DataView", middle, Uint8Array.of(1, 254)],
  ["an array of a subclass", List.of(1, 2), [1, 2]],
  ["an absent member", { a: undefined, b: { c: undefined } }, { b: {} }],
  ["an object without a prototype", bare, { a: 1 }],
  ["members that are hidden", hidden, { shown: 1 }],
  ["constructor and prototype", { constructor: 1, prototype: 2 }, { constructor: 1, prototype: 2 }],
  ["a shared encoding", [new Encoded({ a: [1] })], [{ a: [1] }]],
  ["a bigint", 1n, refused],
  ["a function", () => {}, refused],
  ["a symbol", Symbol.iterator, refused],
  ["undefined in an array", [undefined], refused],
  ["a gap in an array", sparse, refused],
  ["half a pair", "cut \ud83d", refused],
  ["half a pair in a key", { "\ude00": 1 }, refused],
  ["an invalid Date", new Date(Number.NaN), refused],
  ["Map", new Map([["a", 1]]), refused],
  ["Set", new Set([1]), refused],
  ["URL", new URL("http://a/b"), refused],
  ["Error", new RangeError("e"), refused],
  ["RegExp", /r/, refused],
  ["Promise", Promise.resolve(1), refused],
  ["WeakMap", new WeakMap(), refused],
  ["boxed text", Object("text"), refused],
  ["an iterator", [1].values(), refused],
  ["an object of a class", new Own(), refused],
  ["an object that inherits", inherited, refused],
  ["its own toJSON", { toJSON: () => 1 }, refused],
  ["Float32Array", Float32Array.of(1.5), refused],
  ["Uint8ClampedArray", Uint8ClampedArray.of(1), refused],
  ["BigInt64Array", BigInt64Array.of(1n), refused],
  ["a buffer that was transferred", transferred(), refused],
  ["__proto__", JSON.parse('{"__proto__":1}'), refused],
  ["a key of 129 bytes", { ["k".repeat(129)]: 1 }, refused],
  ["a key of 128 bytes", { ["é".repeat(64)]: 1 }, { ["é".repeat(64)]: 1 }],
]

/** The same structure, by value; bytes and dates by what they hold. */
function isSame(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false
  if (Object.getPrototypeOf(left) !== Object.getPrototypeOf(right)) return false
  if (left instanceof Date && right instanceof Date) return left.getTime() === right.getTime()
  const [mine, theirs] = [Object.entries(left), Object.entries(right)]
  return (
    mine.length === theirs.length &&
    mine.every(([key, value], at) => theirs[at]?.[0] === key && isSame(value, theirs[at][1]))
  )
}

/** Random structures of the plain values among the rows, the same in every engine. */
function structures(random: () => number): () => unknown {
  const plain = rows.filter(([, sent, arrives]) => sent !== undefined && isSame(sent, arrives))
  const below = (count: number): number => Math.floor(random() * count)
  const letters = ["a", "b", "\u0000", "é", "한", "😀", '"']
  const text = (): string =>
    Array.from({ length: below(40) }, () => letters[below(letters.length)] ?? "").join("")
  const leaf = (): unknown => {
    switch (below(5)) {
      case 0:
        return text()
      case 1:
        return below(2 ** 33) - 2 ** 32
      case 2:
        return (below(2 ** 32) - 2 ** 31) / (1 + below(1_000))
      case 3:
        return Uint8Array.from({ length: below(50) }, () => below(256))
      default:
        return plain[below(plain.length)]?.[1]
    }
  }
  const value = (depth: number): unknown => {
    const sort = depth === 0 ? 2 : below(4)
    if (sort > 1) return leaf()
    const members = Array.from({ length: below(6) }, () => value(depth - 1))
    if (sort === 0) return members.map((member) => member ?? null)
    return Object.fromEntries(
      members.map((member) => [
        text()
          .slice(0, 20)
          .replace(/[\ud800-\udfff]/gu, ""),
        member,
      ]),
    )
  }
  return () => value(5)
}

export function checkTable(): TableReport {
  const codec = createPayloadCodec(clientMessageLimits)
  const failures: string[] = []
  let digest = 0
  let checked = 0
  const check = (name: string, sent: unknown, arrives: unknown): void => {
    checked += 1
    try {
      const written = codec.encodeFrame(0x40, [sent])
      for (const byte of written) digest = (Math.imul(digest, 31) + byte) | 0
      const read = codec.decode(written, 1, 0)
      if (!read.ok || !isSame(read.value, [arrives])) failures.push(`${name}: arrives as another value`)
    } catch (error) {
      if (arrives !== refused) failures.push(`${name}: refused: ${String(error)}`)
      else if (!(error instanceof UnsendableError)) failures.push(`${name}: ${String(error)}`)
      else if (error.code !== "invalid_input") failures.push(`${name}: ${error.code}`)
    }
  }
  for (const [name, sent, arrives] of rows) {
    check(name, sent, arrives)
    check(`${name}, inside`, { list: [{ of: sent }] }, insideOf(sent, arrives))
  }
  const next = structures(seededRandom(7))
  for (let count = 0; count < 3_000; count += 1) {
    const value = next()
    check("a random value", value, value)
  }
  return { checked, failures: failures.slice(0, 20), digest }
}

function insideOf(sent: unknown, arrives: unknown): unknown {
  if (arrives === refused) return refused
  return { list: [sent === undefined ? {} : { of: arrives }] }
}
