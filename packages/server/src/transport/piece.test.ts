import { describe, expect, it } from "vitest"
import { FrameSlab } from "./framing.ts"
import { Piece } from "./piece.ts"

const a = Buffer.from("a")
const b = Buffer.from("bb")
const c = Buffer.from("ccc")

describe("Piece", () => {
  it("is shared by connections with the same output in the same order, and joined once for them", () => {
    const slab = new FrameSlab()
    const start = Piece.start()
    const ann = start.followedBy(a).followedBy(b)
    const ben = start.followedBy(a).followedBy(b)
    expect(ben).toBe(ann)
    expect(ann.joined(slab)?.toString()).toBe("abb")
    expect(ben.joined(slab)).toBe(ann.joined(slab))
    expect(slab.end).toBe(3)
  })

  it("is not shared by connections with other output, or with another order", () => {
    const slab = new FrameSlab()
    const start = Piece.start()
    const chains = [[a, b, c], [a, c], [b, a], [a, b], [c], [a, Buffer.from("bb"), c]].map((pieces) =>
      pieces.reduce((chain, bytes) => chain.followedBy(bytes), start),
    )
    expect(chains.map((chain) => chain.joined(slab)?.toString())).toEqual([
      "abbccc",
      "accc",
      "bba",
      "abb",
      "ccc",
      "abbccc",
    ])
    expect(chains.map(({ length }) => length)).toEqual([6, 4, 3, 3, 3, 6])
    expect(new Set(chains).size).toBe(6)
  })

  it("copies nothing for a single piece", () => {
    const slab = new FrameSlab()
    expect(Piece.start().followedBy(a).joined(slab)).toBe(a)
    expect(slab.end).toBe(0)
  })

  it("returns the pieces in order if they are too long to be joined", () => {
    const long = Buffer.alloc(16 * 1024)
    const slab = new FrameSlab()
    const chain = Piece.start().followedBy(a).followedBy(long).followedBy(b)
    expect(chain.joined(slab)).toBeUndefined()
    expect(chain.pieces()).toEqual([a, long, b])
    const justShort = Piece.start().followedBy(a).followedBy(long.subarray(1))
    expect(justShort.joined(slab)?.length).toBe(16 * 1024)
  })
})
