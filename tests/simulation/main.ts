// The command line of the simulator. Exit code 0: no violation; 1: an invariant does not hold; 2: the arguments cannot
// be used.
import { parseArgs } from "node:util"
import failingSeeds from "./failing-seeds.json" with { type: "json" }
import type { Job } from "./pool-messages.ts"
import { describeFailure, describeOutcome, simulateAll } from "./pool.ts"
import { sometimes } from "./sometimes.ts"

const usage = `usage: npm run simulate -- [options]

  --seeds N     how many (1000)
  --first N     the first of them (1)
  --steps N     of each, before the faults end and quiet begins (1000)
  --seed N      this one only, with its last steps
  --processes N (one per core)
  --states      how often each rare state was reached
  --help        show this`

class UnusableArguments extends Error {
  override readonly name = "UnusableArguments"
}

const options = {
  seeds: { type: "string", default: "1000" },
  first: { type: "string", default: "1" },
  steps: { type: "string", default: "1000" },
  seed: { type: "string" },
  processes: { type: "string" },
  states: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const

function parse(words: readonly string[]) {
  try {
    return parseArgs({ args: [...words], options }).values
  } catch (error) {
    throw new UnusableArguments(error instanceof Error ? error.message : String(error))
  }
}

function whole(name: string, text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new UnusableArguments(`--${name} ${text} is not a whole number.`)
  return value
}

function jobsOf(values: ReturnType<typeof parse>): Job[] {
  const steps = whole("steps", values.steps)
  if (values.seed !== undefined) return [{ seed: whole("seed", values.seed), steps }]
  const first = whole("first", values.first)
  const own = Array.from({ length: whole("seeds", values.seeds) }, (_, index) => ({
    seed: first + index,
    steps,
  }))
  return [...failingSeeds.map(({ seed, steps: kept }) => ({ seed, steps: kept })), ...own]
}

async function main(words: readonly string[]): Promise<number> {
  const values = parse(words)
  if (values.help) {
    console.log(usage)
    return 0
  }
  const jobs = jobsOf(values)
  const processes = values.processes === undefined ? undefined : whole("processes", values.processes)
  const outcome = await simulateAll(jobs, processes)
  for (const failure of outcome.failures) {
    const steps = jobs.find(({ seed }) => seed === failure.seed)?.steps ?? 0
    console.log(`${describeFailure(failure, steps)}\n`)
  }
  if (values.states) {
    for (const [state, meaning] of Object.entries(sometimes))
      console.log(`${String(outcome.seen.counts.get(state) ?? 0).padStart(8)}  ${state}: ${meaning}`)
  }
  console.log(describeOutcome(outcome))
  return outcome.failures.length === 0 ? 0 : 1
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UnusableArguments)) throw error
  console.error(`${error.message}\n${usage}`)
  process.exitCode = 2
}
