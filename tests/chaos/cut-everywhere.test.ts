// The part of the chaos runs that fits into every test run; `npm run chaos` runs all.
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { directions } from "./behaviour.ts"
import type { Stop } from "./behaviour.ts"
import { measureDialogue, tryCut } from "./cut-everywhere.ts"
import type { Cut } from "./cut-everywhere.ts"
import { startChaosServer } from "./dialogue.ts"
import type { ChaosServer } from "./dialogue.ts"
import { inParallel } from "./in-parallel.ts"
import { runScenario } from "./scenario.ts"

let server: ChaosServer

beforeAll(async () => {
  server = await startChaosServer()
})

afterAll(async () => {
  await server.server.close()
})

async function cutEvery(stepBytes: number, how: Stop): Promise<{ cuts: number; faults: string[] }> {
  const lengths = await measureDialogue(server, `measure-${how}`)
  const cuts: Cut[] = directions.flatMap((direction) =>
    Array.from({ length: Math.floor(lengths[direction] / stepBytes) }, (_, index) => ({
      direction,
      afterBytes: index * stepBytes,
      how,
    })),
  )
  const results = await inParallel(cuts, 32, async (cut) => {
    const faults = await tryCut(server, `${how}-${cut.direction}-${cut.afterBytes}`, cut)
    return faults.map((fault) => `${how} after ${cut.afterBytes} bytes ${cut.direction}: ${fault}`)
  })
  return { cuts: cuts.length, faults: results.flat() }
}

describe("a dialogue of 40 frames over real sockets", () => {
  it("is exact when it is reset at every byte of either direction", { timeout: 300_000 }, async () => {
    const { cuts, faults } = await cutEvery(1, "rst")
    expect(faults).toEqual([])
    expect(cuts).toBeGreaterThan(2_000)
  })

  it.each<[Stop, number]>([
    ["fin", 17],
    ["blackHole", 29],
    ["hold", 31],
  ])("is exact when it ends by %s at every %ith byte", { timeout: 120_000 }, async (how, stepBytes) => {
    const { cuts, faults } = await cutEvery(stepBytes, how)
    expect(faults).toEqual([])
    expect(cuts).toBeGreaterThan(60)
  })
})

describe("50 clients with random faults over real sockets", () => {
  it.each([1, 2])("lose, repeat and reorder nothing, seed %i", { timeout: 120_000 }, async (seed) => {
    const result = await runScenario({ seed, clients: 50, troubleMs: 6_000 })
    expect(result.faults).toEqual([])
    expect(result.resumed).toBeGreaterThan(20)
  })
})
