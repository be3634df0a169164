// Runs the requested scenarios: scenario by scenario, in each of them round by round, in each round server by server,
// so that other work on the machine affects all servers. Every other round runs in reverse order, so that no server
// always follows the same one. Prints its progress.
import type { BenchArguments } from "./arguments.ts"
import { Results } from "./results.ts"
import { choosePins, runTrial } from "./run-trial.ts"
import type { Scenario } from "./scenarios/scenario.ts"
import { absence, programOf } from "./servers.ts"
import type { ServerEntry } from "./servers.ts"

/** Above this share the load may have slowed the server. */
export const loadBusyMax = 0.85

interface Step {
  readonly scenario: Scenario
  readonly round: number
  readonly entry: ServerEntry
}

export interface BenchRun {
  readonly results: Results
  /** Sentences about requested servers that did not take part. */
  readonly absent: readonly string[]
  readonly pinned: boolean
  readonly seconds: number
}

function takesPart(entry: ServerEntry, scenario: Scenario): boolean {
  if (programOf(entry, scenario.purpose) === undefined) return false
  return scenario.allowsConflation || entry.conflates !== true
}

function planOf(asked: BenchArguments): { steps: Step[]; absent: string[] } {
  const steps: Step[] = []
  const absent = new Set<string>()
  for (const scenario of asked.scenarios) {
    for (let round = 0; round < asked.rounds; round += 1) {
      for (const entry of round % 2 === 0 ? asked.servers : asked.servers.toReversed()) {
        if (!takesPart(entry, scenario)) continue
        const reason = absence(entry, scenario.purpose)
        if (reason === undefined) steps.push({ scenario, round, entry })
        else absent.add(reason)
      }
    }
  }
  return { steps, absent: [...absent] }
}

function showProgress(line: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\u001b[K${line}`)
  else if (line !== "") console.log(line)
}

export async function runBench(asked: BenchArguments): Promise<BenchRun> {
  const startedMs = performance.now()
  const pins = choosePins()
  const { steps, absent } = planOf(asked)
  const results = new Results()
  for (const [index, { scenario, round, entry }] of steps.entries()) {
    const where = asked.rounds === 1 ? "" : `, round ${round + 1} of ${asked.rounds}`
    showProgress(`[${index + 1}/${steps.length}] ${scenario.title}${where}: ${entry.label}`)
    try {
      const settings = {
        scenario: scenario.name,
        server: entry.name,
        quick: asked.quick,
        pinServer: [...pins.server],
        profileDirectory: asked.profileDirectory,
        checkout: entry.checkout,
      }
      results.add(entry.name, round, await runTrial(settings, pins))
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      results.failures.push({ scenario: scenario.name, server: entry.name, round, message })
    }
  }
  showProgress("")
  return { results, absent, pinned: pins.server.length > 0, seconds: (performance.now() - startedMs) / 1000 }
}
