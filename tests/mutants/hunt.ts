// A process of its own that runs seeds of the simulator, with the sources as they are beside this file, until one fails.
import { setImmediate } from "node:timers/promises"
import { runSeed } from "../simulation/run-seed.ts"
import type { HuntMessage } from "./messages.ts"

// As in the simulator's own workers: errors are made by the thousand.
Error.stackTraceLimit = 1

function say(message: HuntMessage): void {
  process.send?.(message)
}

/** What is no violation may be a fault of the mutant's own text, so that it must be told what it is. */
function textOf(failure: { readonly invariant: string; readonly text: string }): string {
  return failure.text.split("\n", 2).join(" ")
}

const [first = 1, count = 0, steps = 0] = process.argv.slice(2).map(Number)
process.on("disconnect", () => process.exit())
say({ kind: "ready" })
for (let seed = first; seed < first + count; seed += 1) {
  const { failure } = await runSeed(seed, steps)
  // A promise that failed unnoticed ends the process here: within a seed nothing waits for more than promises.
  await setImmediate()
  if (failure !== undefined) {
    say({ kind: "failed", seed, invariant: failure.invariant, text: textOf(failure) })
    break
  }
  say({ kind: "passed", seed })
}
process.disconnect()
