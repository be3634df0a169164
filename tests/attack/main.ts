// The command line of the attack. Exit code 0: all parts of the promise held; 1: one did not; 2: the arguments cannot
// be used.
import { parseArgs } from "node:util"
import { runAttack } from "./run.ts"
import { faultsOf, kindLines, lineOf } from "./verdict.ts"

const usage = `usage: npm run attack -- [options]
       raw sockets attack the world in every way that a stranger has, and in some that a registered user has, while
       players walk and chat by real clients; needs Linux, whose loopback interface is all of 127.0.0.0/8

  --seconds N   how long the attack lasts, after a warm-up of 10 s and 20 s of calm; memory is judged from 40 on (60)
  --sockets N   of the attackers at once; from 127.1.0.0/16, half of them from one address (500)
  --players N   each from an address of its own (40)
  --seed N      of all random draws (random)
  --help        show this

The world runs as npm start runs it, with TRUST_PROXY=true, so that its bounds per address count loopback addresses too.
The attackers share the machine with the world. So that the figures show the world and not the scheduler, their
process has the lowest priority, and each kind of attack has a number of sockets and a rate at which it opens them
(tests/attack/kinds); --sockets scales both. The last line shows the attackers' share of one core: with two cores it should be well below 50 %.
The last line is good if: the players' p99 is at most 3 times that of the calm phase; no player lost a connection, a
session or a command; newcomers got in within 1 s; memory stayed flat; the log took at most 1 MiB a minute; no socket was
kept longer than its bound; and 15 s after it the numbers of connections, sessions, timers and sockets are as before.`

interface Arguments {
  readonly seconds: number
  readonly sockets: number
  readonly players: number
  readonly seed: number
}

const options = {
  seconds: { type: "string", default: "60" },
  sockets: { type: "string", default: "500" },
  players: { type: "string", default: "40" },
  seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 32)) },
  help: { type: "boolean", default: false },
} as const

/** Returns the arguments, or a text with the fault; undefined for --help. */
function readArguments(words: readonly string[]): Arguments | string | undefined {
  try {
    const { values } = parseArgs({ args: [...words], options })
    if (values.help) return undefined
    const wholeNumber = (name: "seconds" | "sockets" | "players" | "seed", max: number): number => {
      const value = Number(values[name])
      if (/^\d+$/.test(values[name]) && value >= 1 && value <= max) return value
      throw new RangeError(
        `--${name} is ${JSON.stringify(values[name])}; it must be a whole number from 1 to ${max}`,
      )
    }
    return {
      seconds: wholeNumber("seconds", 3_600),
      sockets: wholeNumber("sockets", 10_000),
      players: wholeNumber("players", 250),
      seed: wholeNumber("seed", 2 ** 32),
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

async function main(words: readonly string[]): Promise<number> {
  const given = readArguments(words)
  if (given === undefined) {
    console.log(usage)
    return 0
  }
  if (typeof given === "string" || process.platform !== "linux") {
    console.error(`attack: ${typeof given === "string" ? given : "this machine is not Linux"}\n\n${usage}`)
    return 2
  }
  // The processes of the run end with this one, by its event `exit`.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130))
  const outcome = await runAttack({
    ...given,
    warmUpMs: 10_000,
    calmMs: 20_000,
    newcomerEveryMs: 4_000,
    newcomerMaxMs: 10_000,
    backMaxMs: 15_000,
    log: (line) => console.log(line),
  })
  const faults = faultsOf(outcome, true)
  for (const line of kindLines(outcome)) console.log(line)
  for (const fault of faults.slice(0, 40)) console.log(`FAULT ${fault}`)
  console.log(`${lineOf(outcome, faults)}; --seed ${given.seed}`)
  return faults.length === 0 ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
