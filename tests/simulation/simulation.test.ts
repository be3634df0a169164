import { describe, expect, it } from "vitest"
import failingSeeds from "./failing-seeds.json" with { type: "json" }
import { describeFailure, describeOutcome, simulateAll } from "./pool.ts"
import { runSeed } from "./run-seed.ts"

const seeds = 5_000
const steps = 1_000
const timeoutMs = 600_000
const failuresOf = (outcome: Awaited<ReturnType<typeof simulateAll>>): string[] =>
  outcome.failures.map((failure) => describeFailure(failure, steps))

describe("the simulator", () => {
  it("runs a seed the same way every time", async () => {
    const first = await runSeed(4, steps)
    expect(await runSeed(4, steps)).toEqual(first)
    expect((await runSeed(5, steps)).seen).not.toEqual(first.seen)
  })

  it("replays every seed that ever failed, without a violation", { timeout: timeoutMs }, async () => {
    expect(failuresOf(await simulateAll(failingSeeds))).toEqual([])
  })

  it(
    `holds both ends to their invariants through ${seeds} seeds, and reaches every rare state`,
    { timeout: timeoutMs },
    async () => {
      const jobs = Array.from({ length: seeds }, (_, index) => ({ seed: index + 1, steps }))
      const outcome = await simulateAll(jobs)
      console.log(describeOutcome(outcome))
      expect(failuresOf(outcome)).toEqual([])
      expect({ seeds: outcome.seeds, missing: outcome.seen.missing }).toEqual({ seeds, missing: [] })
      expect(outcome.steps).toBeGreaterThan(seeds * steps)
    },
  )
})
