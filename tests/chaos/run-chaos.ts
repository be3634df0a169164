// `npm run chaos`: the dialogue cut at every byte in every way, then random scenarios, until all are done or the time
// is over. Prints its progress, and ends with one line of figures.
import { directions, stops } from "./behaviour.ts"
import { measureDialogue, tryCut } from "./cut-everywhere.ts"
import type { Cut } from "./cut-everywhere.ts"
import { startChaosServer } from "./dialogue.ts"
import { inParallel } from "./in-parallel.ts"
import { runScenario } from "./scenario.ts"

export interface ChaosRunOptions {
  /** Seed of the first scenario; the following ones add 1 each. */
  readonly seed: number
  readonly scenarios: number
  /** Number of parallel scenarios. */
  readonly atOnce: number
  readonly cuts: boolean
  /** After this time nothing new starts, except one scenario at least. */
  readonly minutes: number
}

const shownFaults = 20

/** Returns true if there was no fault. */
export async function runChaos(options: ChaosRunOptions): Promise<boolean> {
  const endsAtMs = performance.now() + options.minutes * 60_000
  const cut = options.cuts ? await cutEverywhere(endsAtMs) : { count: 0, faults: [] }
  const faults = [...cut.faults]
  let scenarios = 0
  const sums = { connections: 0, resumed: 0, resets: 0, commands: 0, replayed: 0 }
  const seeds = Array.from({ length: options.scenarios }, (_, index) => options.seed + index)
  await inParallel(seeds, options.atOnce, async (seed) => {
    if (performance.now() > endsAtMs && seed !== options.seed) return
    const result = await runScenario({ seed, clients: 50, troubleMs: 20_000 })
    scenarios += 1
    for (const fault of result.faults) faults.push(`scenario ${seed}: ${fault}`)
    sums.connections += result.connections
    sums.resumed += result.resumed
    sums.resets += result.resets
    sums.commands += result.commands
    sums.replayed += result.replayed
    console.log(`scenario ${seed}: ${result.resumed} resumed, ${result.faults.length} faults`)
  })
  for (const fault of faults.slice(0, shownFaults)) console.error(fault)
  const { connections, resumed, resets, commands, replayed } = sums
  console.log(
    `chaos: ${cut.count} cuts, ${scenarios} scenarios of 50 clients, ${connections} connections, ${commands} commands, ` +
      `${resumed} resumed, ${replayed} replayed, ${resets} resets reported, ${faults.length} faults`,
  )
  return faults.length === 0
}

async function cutEverywhere(endsAtMs: number): Promise<{ count: number; faults: string[] }> {
  const server = await startChaosServer()
  const lengths = await measureDialogue(server, "measure")
  const cuts: Cut[] = stops.flatMap((how) =>
    directions.flatMap((direction) =>
      Array.from({ length: lengths[direction] }, (_, afterBytes) => ({ direction, afterBytes, how })),
    ),
  )
  let count = 0
  const results = await inParallel(cuts, 32, async (cut) => {
    if (performance.now() > endsAtMs) return []
    const user = `${cut.how}-${cut.direction}-${cut.afterBytes}`
    count += 1
    if (count % 1_000 === 0) console.log(`${count} of ${cuts.length} cuts`)
    const faults = await tryCut(server, user, cut)
    return faults.map((fault) => `${user}: ${fault}`)
  })
  await server.server.close()
  return { count, faults: results.flat() }
}
