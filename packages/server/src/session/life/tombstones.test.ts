import { SimulatedClock } from "@hawser/protocol/testing"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Tombstones } from "./tombstones.ts"

function setUp(limits = { tombstoneMs: 600, tombstonesMax: 3 }) {
  const clock = new SimulatedClock()
  const tombstones = new Tombstones(clock, limits)
  const bury = (id: string, userId = "ada"): void =>
    tombstones.bury(id, { cause: `cause of ${id}`, userId, isFinal: false })
  const causeOf = (id: string, userId = "ada"): string | undefined => tombstones.find(id, userId)?.cause
  return { clock, tombstones, bury, causeOf }
}

describe("Tombstones", () => {
  it("remembers the cause of an end, and whether it is final", () => {
    const { tombstones } = setUp()
    tombstones.bury("s1", { cause: "forbidden", userId: "ada", isFinal: true })
    expect(tombstones.find("s1", "ada")).toMatchObject({ cause: "forbidden", isFinal: true })
    expect(tombstones.find("s2", "ada")).toBeUndefined()
  })

  it("returns an end to the session's own user only", () => {
    const { bury, causeOf } = setUp()
    bury("s1")
    expect([causeOf("s1", "eve"), causeOf("s1", ""), causeOf("s1")]).toEqual([
      undefined,
      undefined,
      "cause of s1",
    ])
  })

  it("expires after its time, not before", async () => {
    const { clock, tombstones, bury, causeOf } = setUp()
    bury("s1")
    await clock.advance(599)
    bury("s2")
    expect(causeOf("s1")).toBe("cause of s1")
    await clock.advance(1)
    expect([causeOf("s1"), causeOf("s2"), tombstones.size]).toEqual([undefined, "cause of s2", 1])
    await clock.advance(599)
    expect([causeOf("s2"), tombstones.size]).toEqual([undefined, 0])
  })

  it("keeps as many as its bound, the latest, and evicts none on a read", () => {
    const { tombstones, bury, causeOf } = setUp()
    for (const id of ["s1", "s2", "s3"]) bury(id)
    for (let turn = 0; turn < 3; turn += 1) expect(causeOf("s1")).toBe("cause of s1")
    expect(tombstones.size).toBe(3)
    bury("s4")
    expect(["s1", "s2", "s3", "s4"].map((id) => causeOf(id))).toEqual([
      undefined,
      "cause of s2",
      "cause of s3",
      "cause of s4",
    ])
  })

  it("keeps none with a bound of 0", () => {
    const { tombstones, bury, causeOf } = setUp({ tombstoneMs: 600, tombstonesMax: 0 })
    bury("s1")
    expect([causeOf("s1"), tombstones.size]).toEqual([undefined, 0])
  })

  it("sets no timer", () => {
    const { clock, bury } = setUp()
    bury("s1")
    expect(clock.pendingCount).toBe(0)
  })

  it("agrees with a model of all ends", async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constant("bury" as const) },
      { weight: 2, arbitrary: fc.record({ passMs: fc.nat(300) }) },
      { weight: 3, arbitrary: fc.record({ ask: fc.nat(30) }) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.nat(5), async (sequence, tombstonesMax) => {
        const { clock, tombstones, bury, causeOf } = setUp({ tombstoneMs: 500, tombstonesMax })
        const buriedAtMs: number[] = []
        for (const one of sequence) {
          if (one === "bury") bury(`s${buriedAtMs.push(clock.now()) - 1}`)
          else if ("passMs" in one) await clock.advance(one.passMs)
          else {
            const atMs = buriedAtMs[one.ask]
            const isKept = atMs !== undefined && one.ask >= buriedAtMs.length - tombstonesMax
            const isThere = isKept && clock.now() - atMs < 500
            expect(causeOf(`s${one.ask}`)).toBe(isThere ? `cause of s${one.ask}` : undefined)
          }
          expect(tombstones.size).toBeLessThanOrEqual(tombstonesMax)
        }
      }),
      { numRuns: 1000 },
    )
  }, 30_000)
})
