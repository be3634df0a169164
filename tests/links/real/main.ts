// The command line of the emulated link. Exit code 0: as required; 1: not; 2: this machine or the arguments cannot be used.
import { parseArgs } from "node:util"
import { EmulatedLink, lacking } from "./emulated-link.ts"
import { scenarios } from "./scenarios.ts"

const usage = `usage: npm run link -- [options]
       real clients and a real server over an emulated link between two network namespaces; needs Linux and root

  --minutes N    through all profiles together (10)
  --profile TEXT only profiles whose name contains it (all)
  --clients N    half of them active, half idle (60)
  --only NAMES   of ${Object.keys(scenarios).join(", ")}, by commas (all)
  --seed N       of the link (random)
  --help         show this`

class UnusableArguments extends Error {
  override readonly name = "UnusableArguments"
}

const options = {
  minutes: { type: "string", default: "10" },
  profile: { type: "string", default: "" },
  clients: { type: "string", default: "60" },
  only: { type: "string", default: Object.keys(scenarios).join(",") },
  seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 32)) },
  help: { type: "boolean", default: false },
} as const

function parse(words: readonly string[]) {
  try {
    return parseArgs({ args: [...words], options }).values
  } catch (error) {
    throw new UnusableArguments(error instanceof Error ? error.message : String(error))
  }
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (!(value > 0 && value < Infinity))
    throw new UnusableArguments(`--${name} ${text} is not a number above 0.`)
  return value
}

async function main(words: readonly string[]): Promise<number> {
  const values = parse(words)
  if (values.help) {
    console.log(usage)
    return 0
  }
  const clients = Math.ceil(positive("clients", values.clients) / 2) * 2
  const profilesMs = positive("minutes", values.minutes) * 60_000
  const seed = positive("seed", values.seed)
  const chosen = values.only.split(",").map((name) => {
    const scenario = scenarios[name]
    if (scenario === undefined)
      throw new UnusableArguments(
        `--only ${name} is unknown; the scenarios are ${Object.keys(scenarios).join(", ")}.`,
      )
    return scenario
  })
  const lack = lacking()
  if (lack !== undefined) throw new UnusableArguments(lack)
  const link = await EmulatedLink.open(seed)
  const onSignal = (): void => {
    link.close()
    process.exit(130)
  }
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal)
  const faults: string[] = []
  try {
    for (const scenario of chosen)
      faults.push(
        ...(await scenario({
          link,
          clients,
          profilesMs,
          profile: values.profile,
          log: (line) => console.log(line),
        })),
      )
  } finally {
    link.close()
  }
  for (const fault of faults) console.log(`FAULT ${fault}`)
  console.log(`link: ${chosen.length} scenarios, ${faults.length} faults, seed ${seed}`)
  return faults.length === 0 ? 0 : 1
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UnusableArguments)) throw error
  console.error(`link: ${error.message}\n\n${usage}`)
  process.exitCode = 2
}
