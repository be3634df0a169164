// Many seeds on all cores.
import { fork } from "node:child_process"
import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import { jobResult } from "./pool-messages.ts"
import type { Job, SeedFailure } from "./pool-messages.ts"
import { Seen, rareStates } from "./sometimes.ts"

export interface Outcome {
  readonly seeds: number
  readonly steps: number
  readonly seconds: number
  readonly failures: readonly SeedFailure[]
  readonly seen: Seen
}

/** Failures after which the run stops. */
const mostFailures = 5
const workerPath = fileURLToPath(new URL("./worker.ts", import.meta.url))
const fromSource = ["--max-semi-space-size=32", "-C", "@hawser/source", "--import", "tsx"]

export async function simulateAll(
  jobs: readonly Job[],
  processes = availableParallelism(),
): Promise<Outcome> {
  const startedAtMs = performance.now()
  const seen = new Seen()
  const failures: SeedFailure[] = []
  const count = { seeds: 0, steps: 0 }
  let next = 0

  function work(): Promise<void> {
    return new Promise((resolve, reject) => {
      const worker = fork(workerPath, { execArgv: fromSource })
      const end = (): void => {
        worker.disconnect()
        resolve()
      }
      const give = (): void => {
        const job = failures.length < mostFailures ? jobs[next] : undefined
        next += 1
        if (job === undefined) end()
        else worker.send(job)
      }
      worker.on("message", (message: unknown) => {
        const result = jobResult.parse(message)
        count.seeds += 1
        count.steps += result.steps
        seen.add(result.seen)
        if (result.failure !== undefined) failures.push(result.failure)
        give()
      })
      worker.on("error", reject)
      worker.on("exit", (code, signal) => {
        if (code !== 0) reject(new Error(`a worker of the simulator ended with ${signal ?? code}`))
      })
      give()
    })
  }

  await Promise.all(Array.from({ length: Math.min(processes, jobs.length) }, () => work()))
  const seconds = (performance.now() - startedAtMs) / 1000
  failures.sort((one, other) => one.seed - other.seed)
  return { ...count, seconds, failures, seen }
}

/** Report of a failure, with the command that replays it. */
export function describeFailure({ seed, step, text, lines }: SeedFailure, steps: number): string {
  return [
    `seed ${seed}, step ${step}: ${text}`,
    ...lines.slice(-30),
    `replay: npm run simulate -- --seed ${seed} --steps ${steps}`,
  ].join("\n")
}

export function describeOutcome({ seeds, steps, seconds, seen, failures }: Outcome): string {
  const perSecond = Math.round(steps / seconds)
  const reached = rareStates.length - seen.missing.length
  return (
    `${seeds} seeds, ${steps} steps, ${perSecond} events per second, ` +
    `${reached} of ${rareStates.length} rare states reached, ${failures.length} failed`
  )
}
