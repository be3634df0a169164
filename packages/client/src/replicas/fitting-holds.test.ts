import { TypeTable, createFrameCodec, serverMessageLimits } from "@hawser/protocol/core"
import type { MessageLimits } from "@hawser/protocol"
import type { ReplicaHold } from "@hawser/protocol/core"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { fittingHolds } from "./fitting-holds.ts"

const far = Number.MAX_SAFE_INTEGER
const cells = (count: number): ReplicaHold["cells"] =>
  Array.from({ length: count }, (_, at) => ({ x: -far + at, y: far, version: far }))

function bytesOf(held: readonly ReplicaHold[], limits: MessageLimits): number {
  return createFrameCodec(new TypeTable(), limits).encode({ kind: "have", held }).length
}

describe("cells that a client names after a resume", () => {
  it("are all of them as long as they fit", () => {
    const held = [
      { replica: "players", cells: cells(500) },
      { replica: "items", cells: [] },
    ]
    expect(fittingHolds(held, serverMessageLimits)).toEqual(held)
  })

  it("surprise-B1 are as many as the server's reader takes", () => {
    const held = [
      { replica: "players", cells: cells(4_000) },
      { replica: "items", cells: cells(10) },
    ]
    const fitting = fittingHolds(held, serverMessageLimits)
    expect(bytesOf(fitting, serverMessageLimits)).toBeLessThanOrEqual(serverMessageLimits.maxBytes)
    expect(fitting[0]?.cells.length).toBeGreaterThan(2_000)
  })

  it("fit into a message of any limits", () => {
    const hold = fc.record(
      {
        replica: fc.string({ unit: "grapheme", maxLength: 20 }),
        epoch: fc.string({ maxLength: 9 }),
        count: fc.nat(40),
      },
      { requiredKeys: ["replica", "count"] },
    )
    fc.assert(
      fc.property(
        fc.array(hold, { maxLength: 5 }),
        fc.nat(3_000),
        fc.nat(200),
        (holds, maxBytes, maxElements) => {
          const limits = { ...serverMessageLimits, maxBytes: maxBytes + 20, maxElements: maxElements + 2 }
          const held = holds.map(({ count, ...rest }) => ({ ...rest, cells: cells(count) }))
          expect(() => bytesOf(fittingHolds(held, limits), limits)).not.toThrow()
        },
      ),
    )
  })
})
