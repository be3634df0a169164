// The command line of the mutants. Exit code 0: each is killed; 1: one is not, or the sources fail without a mistake;
// 2: the arguments cannot be used.
import { parseArgs } from "node:util"
import { SourceCopy } from "./copy.ts"
import type { Mutant } from "./mutant.ts"
import { mutants } from "./mutants.ts"
import { endAll, huntIn, testIn } from "./processes.ts"
import { Trials } from "./trial.ts"
import type { Budget, Verdict } from "./trial.ts"

const usage = `usage: npm run mutants [-- options]

  --only TEXT    those whose name contains it, in any case
  --seeds N      of the simulator, for each mutant at most (600)
  --steps N      of each seed (800)
  --processes N  1 or 2 mutants at a time (2)
  --simulate     also runs the simulator on mutants that it is known not to kill
  --list         names the mutants and what they break, and ends
  --help         show this`

class UnusableArguments extends Error {
  override readonly name = "UnusableArguments"
}

const options = {
  only: { type: "string" },
  seeds: { type: "string", default: "600" },
  steps: { type: "string", default: "800" },
  processes: { type: "string", default: "2" },
  simulate: { type: "boolean", default: false },
  list: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const

/** Seeds that the sources must pass without a mistake. */
const provenSeeds = 40
const copies: SourceCopy[] = []

function parse(words: readonly string[]) {
  try {
    return parseArgs({ args: [...words], options }).values
  } catch (error) {
    throw new UnusableArguments(error instanceof Error ? error.message : String(error))
  }
}

function whole(name: string, text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < 1)
    throw new UnusableArguments(`--${name} ${text} is not a whole number above 0.`)
  return value
}

function chosen(only: string | undefined): readonly Mutant[] {
  if (only === undefined) return mutants
  const found = mutants.filter(({ name }) => name.toLowerCase().includes(only.toLowerCase()))
  if (found.length === 0) throw new UnusableArguments(`No mutant's name contains "${only}".`)
  return found
}

/** Reason why the run proves nothing, if the sources fail without a mistake. */
async function faultWithout(mistakes: readonly Mutant[], budget: Budget): Promise<string | undefined> {
  const [copy] = copies
  if (copy === undefined) return "there is no copy"
  const files = [...new Set(mistakes.flatMap(({ killedBy }) => killedBy?.tests ?? []))]
  const found = await huntIn(copy.root, { first: 1, count: provenSeeds, steps: budget.steps })
  if (found.kind === "failed") return `seed ${found.seed}: ${found.text}`
  if (found.kind === "broken") return found.text
  const tested = files.length === 0 ? found : await testIn(copy.root, files)
  if (tested.kind === "failed") return `test "${tested.by}"`
  return tested.kind === "broken" ? tested.text : undefined
}

interface Result {
  readonly mutant: Mutant
  readonly verdict: Verdict
}

async function tryAll(mistakes: readonly Mutant[], budget: Budget): Promise<readonly Result[]> {
  const results: Result[] = []
  const left = [...mistakes]
  const work = async (copy: SourceCopy): Promise<void> => {
    const trials = new Trials(copy, budget)
    for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift()) {
      const startedAtMs = performance.now()
      const verdict = await trials.try(mutant)
      const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1)
      console.log(`${seconds.padStart(6)} s  ${described(verdict)}  ${mutant.name}`)
      if (verdict.kind === "byTest") console.log(`${" ".repeat(10)}by "${verdict.by}"`)
      if (verdict.kind === "broken") console.log(verdict.text)
      results.push({ mutant, verdict })
    }
  }
  await Promise.all(copies.map(work))
  return results
}

function described(verdict: Verdict): string {
  switch (verdict.kind) {
    case "bySeed":
      return `killed by seed ${String(verdict.seed).padStart(3)} ${`(${verdict.by})`.padEnd(12)}`
    case "byTest":
      return "killed by a test          "
    case "survived":
      return "SURVIVED                  "
    case "broken":
      return "BROKEN                    "
  }
}

function summary(results: readonly Result[], seconds: number): string {
  const seeds = results.flatMap(({ verdict }) => (verdict.kind === "bySeed" ? [verdict.seed] : []))
  const byTest = results.filter(({ verdict }) => verdict.kind === "byTest").length
  const pairs = results.filter(({ mutant }) => mutant.pair !== undefined).length
  const slowest = seeds.length === 0 ? "" : `, slowest on seed ${Math.max(...seeds)}`
  return (
    `mutants: ${seeds.length + byTest} of ${results.length} killed (${seeds.length} by simulation${slowest}; ` +
    `${byTest} by tests; ${pairs} pairs), ${Math.round(seconds)} s`
  )
}

async function main(words: readonly string[]): Promise<number> {
  const values = parse(words)
  if (values.help) {
    console.log(usage)
    return 0
  }
  const mistakes = chosen(values.only)
  if (values.list) {
    for (const { name, breaks, pair } of mistakes)
      console.log(`${name} (${breaks.join(", ")})${pair === undefined ? "" : ` – a pair: ${pair}`}`)
    return 0
  }
  const budget = {
    seeds: whole("seeds", values.seeds),
    steps: whole("steps", values.steps),
    provenSeeds,
    alwaysSimulates: values.simulate,
  }
  const startedAtMs = performance.now()
  const count = Math.min(2, whole("processes", values.processes), mistakes.length)
  for (let made = 0; made < count; made += 1) copies.push(await SourceCopy.make())
  const fault = await faultWithout(mistakes, budget)
  if (fault !== undefined) {
    console.log(`the sources do not pass without a mistake: ${fault}`)
    return 1
  }
  const results = await tryAll(mistakes, budget)
  console.log(summary(results, (performance.now() - startedAtMs) / 1000))
  return results.every(({ verdict }) => verdict.kind === "bySeed" || verdict.kind === "byTest") ? 0 : 1
}

process.on("exit", () => {
  endAll()
  for (const copy of copies) copy.remove()
})
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130))

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UnusableArguments)) throw error
  console.error(`${error.message}\n${usage}`)
  process.exitCode = 2
}
