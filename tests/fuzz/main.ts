// The command line of the decoder fuzz. Exit code 0: nothing found; 1: failures; 2: the arguments cannot be used.
import { parseArgs } from "node:util"
import { inputKinds } from "./generate.ts"
import { JournalFuzz } from "./journal-fuzz.ts"
import { FuzzRun, seedMax } from "./run.ts"

const usage = `usage: npm run fuzz -- [options]

  --minutes N         how long; fractions allowed (1)
  --seed N            0 to ${seedMax} (a random one, shown at the end)
  --replay KIND:SEED  one input again, as a failure prints it: ${[...inputKinds, "journal"].join(", ")}
  --journals N        N damaged journals only
  --hex DIGITS        one input by its bytes
  --corpus            only the inputs of corpus.json
  --help              show this`

class UnusableArguments extends Error {
  override readonly name = "UnusableArguments"
}

const options = {
  minutes: { type: "string", default: "1" },
  seed: { type: "string" },
  replay: { type: "string" },
  hex: { type: "string" },
  corpus: { type: "boolean", default: false },
  journals: { type: "string" },
  help: { type: "boolean", default: false },
} as const

const batchCount = 5_000

function parse(words: readonly string[]) {
  try {
    return parseArgs({ args: [...words], options }).values
  } catch (error) {
    throw new UnusableArguments(error instanceof Error ? error.message : String(error))
  }
}

function seedOf(text: string): number {
  const seed = Number(text)
  if (!/^\d+$/.test(text) || seed > seedMax)
    throw new UnusableArguments(`--seed ${text} is not a whole number from 0 to ${seedMax}.`)
  return seed
}

function replay(run: FuzzRun, name: string): void {
  const [, kindName, seed = ""] = /^(\w+):(\d+)$/.exec(name) ?? []
  const kind = inputKinds.find((one) => one === kindName)
  if (kind === undefined || !Number.isSafeInteger(Number(seed)))
    throw new UnusableArguments(`--replay ${name} is not ${inputKinds.join(" or ")}, a colon and a seed.`)
  run.replay(kind, Number(seed))
}

function runFor(run: FuzzRun, minutes: number): void {
  if (!(minutes > 0)) throw new UnusableArguments("--minutes must be a number above 0.")
  run.corpus()
  const endMs = performance.now() + minutes * 60_000
  while (performance.now() < endMs) for (const kind of inputKinds) run.run(kind, batchCount)
}

/** Damages journals, or repeats one case. */
async function journals(
  seed: number,
  only: { readonly count: number } | { readonly caseSeed: number },
): Promise<number> {
  const run = await JournalFuzz.create(seed)
  await ("count" in only ? run.run(only.count) : run.replay(only.caseSeed))
  for (const failure of run.failures) console.log(`${failure}\n`)
  console.log(run.summary())
  return run.failures.length === 0 ? 0 : 1
}

/** Journals of a run without other wishes. */
const journalsPerMinute = 2_000

async function main(words: readonly string[]): Promise<number> {
  const values = parse(words)
  if (values.help) {
    console.log(usage)
    return 0
  }
  const [, caseSeed] = /^journal:(\d+)$/.exec(values.replay ?? "") ?? []
  const seed = values.seed === undefined ? Math.floor(Math.random() * seedMax) : seedOf(values.seed)
  if (caseSeed !== undefined) return journals(seed, { caseSeed: Number(caseSeed) })
  if (values.journals !== undefined) return journals(seed, { count: seedOf(values.journals) })
  const run = new FuzzRun(seed)
  if (values.corpus) run.corpus()
  else if (values.replay !== undefined) replay(run, values.replay)
  else if (values.hex === undefined) runFor(run, Number(values.minutes))
  else if (/^(?:[\da-f]{2})*$/i.test(values.hex)) run.bytes(Buffer.from(values.hex, "hex"), "of --hex")
  else throw new UnusableArguments(`--hex ${values.hex} is not pairs of hexadecimal digits.`)
  for (const failure of run.failures) console.log(`${failure}\n`)
  console.log(run.summary())
  const isWhole = !values.corpus && values.replay === undefined && values.hex === undefined
  const journalCode = isWhole
    ? await journals(seed, { count: journalsPerMinute * Number(values.minutes) })
    : 0
  return run.failures.length === 0 ? journalCode : 1
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UnusableArguments)) throw error
  console.error(`${error.message}\n${usage}`)
  process.exitCode = 2
}
