// The hash and the digest of messages (N3), step by step. The steps are computed here; their results must be those of the real code.
import { emptyDigest, extendDigest, hashMessage } from "@hawser/protocol/core"
import type { Json } from "./described.ts"

const rotated = (value: number, by: number): number => ((value << by) | (value >>> (32 - by))) >>> 0
const product = (one: number, other: number): number => Math.imul(one, other) >>> 0
const xor = (one: number, other: number): number => (one ^ other) >>> 0
const digits = (value: number): string => value.toString(16).padStart(8, "0")
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

/** Returns four bytes, the lowest first, as a number. Absent ones are 0. */
const blockAt = (bytes: Uint8Array, at: number): number =>
  [3, 2, 1, 0].reduce((sum, place) => sum * 256 + (bytes[at + place] ?? 0), 0)

const mixed = (block: number): number => product(rotated(product(block, 0xcc9e2d51), 15), 0x1b873593)

/** Steps of the hash of one message. */
function hashSteps(what: string, bytes: Uint8Array): Json {
  const blocks: Json[] = []
  let hash = 0
  const whole = bytes.length - (bytes.length % 4)
  for (let at = 0; at < whole; at += 4) {
    const block = blockAt(bytes, at)
    hash = (product(rotated(xor(hash, mixed(block)), 13), 5) + 0xe6546b64) >>> 0
    blocks.push({ block: digits(block), mixed: digits(mixed(block)), hash: digits(hash) })
  }
  let rest: Json = null
  if (whole < bytes.length) {
    const block = blockAt(bytes, whole)
    hash = xor(hash, mixed(block))
    rest = { block: digits(block), mixed: digits(mixed(block)), hash: digits(hash) }
  }
  const withLength = xor(hash, bytes.length)
  const first = product(xor(withLength, withLength >>> 16), 0x85ebca6b)
  const second = product(xor(first, first >>> 13), 0xc2b2ae35)
  const result = xor(second, second >>> 16)
  if (result !== hashMessage(bytes)) throw new Error(`the steps of the hash of ${hexOf(bytes)} are wrong`)
  const end = [withLength, first, second].map((value) => digits(value))
  return { what, hex: hexOf(bytes), blocks, rest, end, hash: result }
}

/** Steps of the digest of messages. */
function digestSteps(messages: readonly Uint8Array[]): Json {
  let digest = emptyDigest
  return messages.map((bytes, index) => {
    const hash = hashMessage(bytes)
    const turned = rotated(digest, 5)
    digest = product(xor(turned, hash), 0x9e3779b1)
    if (digest !== messages.slice(0, index + 1).reduce((sum, one) => extendDigest(sum, hashMessage(one)), 0))
      throw new Error(`the steps of digest ${index + 1} are wrong`)
    const steps = { rotated: digits(turned), xored: digits(xor(turned, hash)) }
    return { number: index + 1, hex: hexOf(bytes), hash, ...steps, digest }
  })
}

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"))

/** Hashes of messages of every length modulo 4, and the digests of three messages. */
export const digestSamples: { readonly [name: string]: Json } = {
  hashes: [
    hashSteps("No bytes.", new Uint8Array(0)),
    hashSteps("The text `test`: one block.", new TextEncoder().encode("test")),
    hashSteps("CANCEL of the request 128: one block.", bytesOf("4591cc80")),
    hashSteps("EVENT: one block and three further bytes.", bytesOf("40920581a16101")),
    hashSteps(
      "REQ: one block and two further bytes, of which the highest bits are set.",
      bytesOf("4193049101cc"),
    ),
    hashSteps("RES: one block and one further byte.", bytesOf("42930700c0")),
  ],
  digests: digestSteps([bytesOf("4591cc80"), bytesOf("40920581a16101"), bytesOf("40920581a16101")]),
}
