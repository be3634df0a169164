import { BitWriter } from "@hawser/protocol/core"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { HeldDeltas } from "./held-deltas.ts"

const limits = { replicaDeltaMaxBytes: 1_000, replicaDeltaMaxMs: 10_000 }

function writerOf(bytes: Uint8Array): BitWriter {
  const writer = new BitWriter()
  writer.bytes(bytes)
  return writer
}

const delta = (number: number, length: number): Uint8Array => new Uint8Array(length).fill(number % 256)

const readAll = (held: HeldDeltas, count = held.count): number[][] =>
  [...held.read(count)].map((bytes) => [...bytes])

describe("the last deltas of a cell", () => {
  it("are read oldest first, and share one buffer", () => {
    const held = new HeldDeltas(limits)
    expect([held.count, held.heldBytes, held.lastDelta]).toEqual([0, 0, undefined])
    for (let number = 1; number <= 5; number += 1) held.add(writerOf(delta(number, 3)), 0)
    expect(readAll(held, 2)).toEqual([
      [4, 4, 4],
      [5, 5, 5],
    ])
    expect([held.bytesOfLast(5), held.bytesOfLast(2)]).toEqual([15, 6])
    expect([...(held.lastDelta ?? [])]).toEqual([5, 5, 5])
    expect(held.heldBytes).toBeLessThan(400)
  })

  it("leave the writer empty", () => {
    const writer = writerOf(delta(7, 4))
    new HeldDeltas(limits).add(writer, 0)
    expect(writer.byteLength).toBe(0)
  })

  it("are dropped at the bound of bytes, oldest first, with all memory counted", () => {
    const held = new HeldDeltas(limits)
    for (let number = 0; number < 500; number += 1) {
      held.add(writerOf(delta(number, 20)), 0)
      expect(held.heldBytes).toBeLessThanOrEqual(limits.replicaDeltaMaxBytes)
    }
    expect(held.count).toBeGreaterThan(15)
    expect(held.count).toBeLessThan(27)
    expect(readAll(held, 1)).toEqual([[...delta(499, 20)]])
  })

  it("are dropped at the bound of age, and free their memory with the last one", () => {
    const held = new HeldDeltas(limits)
    for (const atMs of [0, 4_000, 8_000]) held.add(writerOf(delta(1, 5)), atMs)
    held.expire(12_000)
    expect(held.count).toBe(2)
    held.add(writerOf(delta(2, 5)), 15_000)
    expect(held.count).toBe(2)
    held.expire(26_000)
    expect([held.count, held.heldBytes, held.lastDelta]).toEqual([0, 0, undefined])
  })

  it("include a delta above the bound while it is the last one, and then free its memory", () => {
    const held = new HeldDeltas(limits)
    held.add(writerOf(delta(1, 10)), 0)
    held.add(writerOf(delta(2, 50_000)), 0)
    expect([held.count, held.lastDelta?.length]).toEqual([1, 50_000])
    held.add(writerOf(delta(3, 10)), 0)
    expect(readAll(held)).toEqual([[...delta(3, 10)]])
    expect(held.heldBytes).toBeLessThanOrEqual(limits.replicaDeltaMaxBytes)
  })

  it("agree with a list", () => {
    const step = fc.record({ length: fc.nat(300), ms: fc.nat(3_000) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const held = new HeldDeltas(limits)
        const list: number[][] = []
        let nowMs = 0
        for (const [number, { length, ms }] of steps.entries()) {
          nowMs += ms
          held.add(writerOf(delta(number, length)), nowMs)
          list.push([...delta(number, length)])
          expect(held.count).toBeGreaterThan(0)
          expect(readAll(held)).toEqual(list.slice(-held.count))
          expect([...(held.lastDelta ?? [])]).toEqual(list.at(-1))
          expect(held.heldBytes).toBeLessThanOrEqual(limits.replicaDeltaMaxBytes)
        }
      }),
      { numRuns: 300 },
    )
  })
})
