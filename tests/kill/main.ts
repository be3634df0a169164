// The command line of the kills. Exit code 0: nothing was lost, repeated, reordered or reset; 1: something was; 2: the arguments
// cannot be used.
import { parseArgs } from "node:util"
import { percentile } from "../proxies/restart.ts"
import { rules } from "./judge.ts"
import { runKills } from "./run-kills.ts"
import type { KillOptions, KillResult } from "./run-kills.ts"
import { deaths } from "./server-process.ts"

const usage = `usage: npm run kill -- [options]
       kills a server with a journal at random moments under clients that talk, and checks what they saw

  --times N        kills (200)
  --clients N      (200)
  --death HOW      sigkill; memory: --max-old-space-size; disk: full, then SIGKILL, needs root; term: SIGTERM (sigkill)
  --mode MODE      kill or power, of the journal (kill)
  --runtime NAME   node or bun, of the server (node)
  --seed N         for the moments, the network and the talk (1)
  --help           show this`

const shownMax = 20

function chosen(): Omit<KillOptions, "onProgress"> | undefined {
  const { values } = parseArgs({
    options: {
      times: { type: "string", default: "200" },
      clients: { type: "string", default: "200" },
      death: { type: "string", default: "sigkill" },
      mode: { type: "string", default: "kill" },
      runtime: { type: "string", default: "node" },
      seed: { type: "string", default: "1" },
      help: { type: "boolean", default: false },
    },
  })
  if (values.help) {
    console.log(usage)
    return undefined
  }
  const whole = (name: "times" | "clients" | "seed"): number => {
    const number = Number(values[name])
    if (!Number.isSafeInteger(number) || number < 1)
      throw new TypeError(`--${name} ${values[name]} is not a whole number above 0`)
    return number
  }
  const oneOf = <T extends string>(name: "death" | "mode" | "runtime", allowed: readonly T[]): T => {
    const found = allowed.find((value) => value === values[name])
    if (found === undefined) throw new TypeError(`--${name} ${values[name]} is none of ${allowed.join(", ")}`)
    return found
  }
  const death = oneOf("death", deaths)
  const runtime = oneOf("runtime", ["node", "bun"])
  if (runtime === "bun" && death === "memory")
    throw new TypeError("--death memory is possible with Node only")
  return {
    times: whole("times"),
    clients: whole("clients"),
    seed: whole("seed"),
    mode: oneOf("mode", ["kill", "power"]),
    death,
    runtime,
  }
}

/** Prints the figures. Returns true if all is well. */
function tell(options: Omit<KillOptions, "onProgress">, result: KillResult): boolean {
  const { violations, errors, outagesMs, requests, arrived, connections, reruns, early, exits, recoveryMs } =
    result
  const kills = options.times + early
  // A full disk is reported, and survived.
  const unexpected =
    options.death === "disk" ? errors.filter((text) => !text.includes("output is held")) : errors
  for (const { rule, text } of violations.slice(0, shownMax)) console.error(`${rule}: ${text}`)
  for (const text of unexpected.slice(0, shownMax)) console.error(`server: ${text}`)
  const ends = Object.entries(exits).map(([exit, count]) => `${count} × ${exit}`)
  const at = (values: readonly number[], share: number): number =>
    Math.round(
      percentile(
        values.toSorted((one, other) => one - other),
        share,
      ),
    )
  const counts = rules.map((rule) => `${violations.filter((one) => one.rule === rule).length} ${rule}`)
  console.log(
    `kill: ${kills} kills (${ends.join(", ")}; ${early} during the start), ${options.clients} clients, journal mode ${options.mode}, ` +
      `${options.runtime}: ${requests} requests, ${arrived} messages, ${connections} connections, ${reruns} handlers ran again`,
  )
  console.log(
    `outage p50 ${at(outagesMs, 0.5)} ms, p95 ${at(outagesMs, 0.95)} ms, max ${at(outagesMs, 1)} ms; recovery p50 ` +
      `${at(recoveryMs, 0.5)} ms, max ${at(recoveryMs, 1)} ms`,
  )
  const isGood = violations.length === 0 && unexpected.length === 0
  console.log(`${counts.join(", ")}, ${unexpected.length} errors: ${isGood ? "good" : "BAD"}`)
  return isGood
}

async function main(): Promise<number> {
  let options
  try {
    options = chosen()
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    return 2
  }
  if (options === undefined) return 0
  return tell(options, await runKills({ ...options, onProgress: console.log })) ? 0 : 1
}

process.exit(await main())
