import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { emptyDigest, extendDigest, hashMessage } from "./digest.ts"

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const digestOf = (messages: readonly Uint8Array[], from = emptyDigest): number =>
  messages.reduce((digest, message) => extendDigest(digest, hashMessage(message)), from)

/** MurmurHash3 x86_32 with seed 0 by its specification, on unbounded integers. */
function oracle(bytes: Uint8Array): number {
  const mask = 0xffffffffn
  const rotate = (value: bigint, by: bigint): bigint => ((value << by) | (value >> (32n - by))) & mask
  const mixed = (block: bigint): bigint => (rotate((block * 0xcc9e2d51n) & mask, 15n) * 0x1b873593n) & mask
  let hash = 0n
  for (let start = 0; start < bytes.length; start += 4) {
    const part = [...bytes.subarray(start, start + 4)]
    const block = part.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
    hash ^= mixed(block)
    if (part.length === 4) hash = (rotate(hash, 13n) * 5n + 0xe6546b64n) & mask
  }
  hash ^= BigInt(bytes.length)
  hash = ((hash ^ (hash >> 16n)) * 0x85ebca6bn) & mask
  hash = ((hash ^ (hash >> 13n)) * 0xc2b2ae35n) & mask
  return Number(hash ^ (hash >> 16n))
}

describe("hashMessage", () => {
  it.each([
    ["", 0],
    ["test", 0xba6bd213],
    ["hello", 0x248bfa47],
    ["hello, world", 0x149bbb7f],
    ["Hello, world!", 0xc0363e43],
    ["The quick brown fox jumps over the lazy dog", 0x2e4ff723],
  ])("hashes <%s> like other implementations", (text, hash) => {
    expect(hashMessage(bytesOf(text))).toBe(hash)
  })

  it("agrees with the specification for every content and length", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => hashMessage(bytes) === oracle(bytes)),
      { numRuns: 5000 },
    )
  })

  it("hashes a view of a larger buffer like a copy", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(40), fc.nat(40), (bytes, from, to) => {
        const part = bytes.subarray(from, to)
        return hashMessage(part) === hashMessage(part.slice())
      }),
    )
  })

  it("changes with every single bit", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), fc.nat(), (bytes, draw) => {
        const bit = draw % (bytes.length * 8)
        const changed = bytes.slice()
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        return hashMessage(changed) !== hashMessage(bytes)
      }),
      { numRuns: 10_000 },
    )
  })

  it("changes by about half of its bits with every single bit", () => {
    const bytes = bytesOf("a message of the usual length, more or less")
    const before = hashMessage(bytes)
    let flipped = 0
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = bytes.slice()
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const difference = (hashMessage(changed) ^ before) >>> 0
      flipped += difference.toString(2).replaceAll("0", "").length
    }
    expect(Math.abs(flipped / (bytes.length * 8) - 16)).toBeLessThan(1)
  })
})

describe("extendDigest", () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 12 }), { maxLength: 20 })

  it("is 32 bits without a sign", () => {
    fc.assert(
      fc.property(messages, (list) => {
        const digest = digestOf(list)
        return Number.isInteger(digest) && digest >= 0 && digest <= 0xffffffff
      }),
    )
  })

  it("keeps its values in every version, because both ends of a session must agree", () => {
    expect([[], ["a"], ["a", "b"], ["b", "a"]].map((list) => digestOf(list.map(bytesOf)))).toEqual([
      0, 3591452178, 3374271113, 2475148932,
    ])
  })

  it("does not depend on where a replay splits the messages", () => {
    fc.assert(
      fc.property(messages, fc.nat(20), (list, split) => {
        return digestOf(list.slice(split), digestOf(list.slice(0, split))) === digestOf(list)
      }),
      { numRuns: 10_000 },
    )
  })

  it("changes when any one message of a history changes", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0xffffffff), { minLength: 1, maxLength: 20 }), fc.nat(), (hashes, draw) => {
        const place = draw % hashes.length
        const other = hashes.with(place, ((hashes[place] ?? 0) + 1) >>> 0)
        return hashes.reduce(extendDigest, emptyDigest) !== other.reduce(extendDigest, emptyDigest)
      }),
      { numRuns: 10_000 },
    )
  })

  it("distinguishes a lost, a repeated and a swapped message", () => {
    const histories = ["abcd", "abd", "abbcd", "acbd"].map((text) => text.split("").map(bytesOf))
    expect(new Set(histories.map((list) => digestOf(list))).size).toBe(4)
  })

  it("counts equal messages", () => {
    const digests = [0, 1, 2, 3].map((count) => digestOf(Array.from({ length: count }, () => bytesOf("x"))))
    expect(new Set(digests).size).toBe(4)
  })
})
