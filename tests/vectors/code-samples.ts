// Samples of the codes that packed bytes consist of: varint, zigzag and `small`.
import { BitWriter } from "@hawser/protocol/core"
import type { Json } from "./described.ts"

function hexOf(write: (writer: BitWriter) => void): string {
  const writer = new BitWriter()
  write(writer)
  return Buffer.from(writer.take()).toString("hex")
}

function bitsOf(value: number, order: number): string {
  const writer = new BitWriter()
  writer.small(value, order)
  writer.flag(true)
  const digits = [...writer.take()].map((byte) => byte.toString(2).padStart(8, "0")).join("")
  return digits.slice(0, digits.lastIndexOf("1"))
}

const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value)

/** Numbers in each code. */
export const codeSamples: { readonly [name: string]: Json } = {
  varint: [0, 1, 127, 128, 300, 2 ** 32, Number.MAX_SAFE_INTEGER].map((number) => ({
    number,
    hex: hexOf((writer) => writer.varint(number)),
  })),
  zigzag: [0, -1, 1, -2, 2, -300, 300].map((value) => ({ value, number: zigzag(value) })),
  small: [1, 3].flatMap((order) =>
    [0, 1, 2, 5, 6, 7, 8, 23, 24, 1_000].map((number) => ({ order, number, bits: bitsOf(number, order) })),
  ),
}
