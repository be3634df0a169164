import { expect, it } from "vitest"
import { ownBytes } from "./own-bytes.ts"

it("copies bytes that are a part of a larger buffer, and no others", () => {
  const read = Buffer.alloc(65_536, 7)
  const kept = ownBytes(read.subarray(10, 15))
  expect(kept).toEqual(Uint8Array.of(7, 7, 7, 7, 7))
  expect(kept.buffer.byteLength).toBe(5)
  const whole = Uint8Array.of(1, 2)
  expect(ownBytes(whole)).toBe(whole)
})
