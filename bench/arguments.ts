// The command line. Throws UnusableArguments with a sentence; the caller prints it and ends with exit code 2.
import { resolve } from "node:path"
import { parseArgs } from "node:util"
import { goals } from "./goals.ts"
import { scenarios } from "./scenarios.ts"
import type { Scenario } from "./scenarios/scenario.ts"
import { hawserOf, servers } from "./servers.ts"
import type { ServerEntry } from "./servers.ts"

export interface BenchArguments {
  readonly quick: boolean
  readonly rounds: number
  readonly scenarios: readonly Scenario[]
  readonly servers: readonly ServerEntry[]
  /** Directory of another checkout, whose server is measured beside that of this checkout. */
  readonly against: string | undefined
  readonly jsonFile: string | undefined
  readonly profileDirectory: string | undefined
}

export class UnusableArguments extends Error {
  override readonly name = "UnusableArguments"
}

const roundsDefault = 3

function namesOf(all: readonly { readonly name: string }[]): string {
  return all.map(({ name }) => name).join(", ")
}

export const usage = `usage: npm run bench -- [options]
       measures Hawser beside its peers, each server on one core and its load on another

  --quick              one round of the scenarios that have goals, with the servers that they name; a few minutes
  --only A,B           these scenarios: ${namesOf(scenarios.filter(({ isExtra }) => isExtra !== true))};
                       and these, which run only when they are named: ${namesOf(scenarios.filter(({ isExtra }) => isExtra === true))}
  --servers A,B        these servers: ${namesOf(servers)}
  --rounds N           rounds, whose median counts (${roundsDefault}; quick: 1)
  --against DIRECTORY  also measure the Hawser of that checkout in every round, and print the differences
  --json FILE          also write goals and all figures to this file
  --profile DIRECTORY  write a CPU profile of every server on Node there (they cost the servers time)
  --help               show this

exit code 0: everything was measured, whether or not the goals are met; 1: a server or a scenario failed; 2: unusable arguments`

const options = {
  quick: { type: "boolean", default: false },
  only: { type: "string" },
  servers: { type: "string" },
  rounds: { type: "string" },
  against: { type: "string" },
  json: { type: "string" },
  profile: { type: "string" },
  help: { type: "boolean", default: false },
} as const

function parse(words: readonly string[]) {
  try {
    return parseArgs({ args: [...words], options }).values
  } catch (error) {
    throw new UnusableArguments(error instanceof Error ? error.message : String(error))
  }
}

function choose<T extends { readonly name: string }>(
  option: string,
  text: string | undefined,
  all: readonly T[],
): readonly T[] | undefined {
  return text?.split(",").map((name) => {
    const found = all.find((one) => one.name === name)
    if (found !== undefined) return found
    throw new UnusableArguments(`--${option}: there is no "${name}"; there are ${namesOf(all)}`)
  })
}

/** The other checkout's server follows directly after the one of this checkout. */
function withOther(chosen: readonly ServerEntry[], against: string | undefined): readonly ServerEntry[] {
  if (against === undefined) return chosen
  if (!chosen.some(({ name }) => name === "hawser"))
    throw new UnusableArguments(`--against: "hawser" must be one of the servers`)
  return chosen.flatMap((entry) => (entry.name === "hawser" ? [entry, hawserOf(against)] : [entry]))
}

/** Returns undefined for `--help`. */
export function parseArguments(words: readonly string[]): BenchArguments | undefined {
  const values = parse(words)
  if (values.help) return undefined
  const { quick } = values
  const rounds = Number(values.rounds ?? (quick ? 1 : roundsDefault))
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100)
    throw new UnusableArguments(`--rounds: a whole number from 1 to 100, not "${values.rounds ?? ""}"`)
  const inGoals = new Set(goals.flatMap(({ subject, against }) => [subject, ...against]))
  const against = values.against === undefined ? undefined : resolve(values.against)
  const chosen =
    choose("servers", values.servers, servers) ?? servers.filter(({ name }) => !quick || inGoals.has(name))
  const goalRows = new Set(goals.map(({ scenario }) => scenario))
  return {
    quick,
    rounds,
    scenarios:
      choose("only", values.only, scenarios) ??
      scenarios.filter(
        ({ rows, isExtra }) => isExtra !== true && (!quick || rows.some(({ name }) => goalRows.has(name))),
      ),
    servers: withOther(chosen, against),
    against,
    jsonFile: values.json,
    profileDirectory: values.profile,
  }
}
