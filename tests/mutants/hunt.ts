// A separate process that runs seeds of the simulator, with the sources of its own copy, until one fails.
import { setImmediate } from "node:timers/promises"
import { runSeed } from "../simulation/run-seed.ts"
import type { HuntMessage } from "./messages.ts"

// As in the simulator's workers: errors are thrown thousands of times.
Error.stackTraceLimit = 1

function say(message: HuntMessage): void {
  process.send?.(message)
}

/**
 * The first lines of a failure. An error that is no violation may be a fault of the mutant's text, so its message is
 * kept.
 */
function textOf(failure: { readonly invariant: string; readonly text: string }): string {
  return failure.text.split("\n", 2).join(" ")
}

const [first = 1, count = 0, steps = 0] = process.argv.slice(2).map(Number)
process.on("disconnect", () => process.exit())
say({ kind: "ready" })
for (let seed = first; seed < first + count; seed += 1) {
  const { failure } = await runSeed(seed, steps)
  // An unhandled rejection ends the process here: within a seed every wait is a promise.
  await setImmediate()
  if (failure !== undefined) {
    say({ kind: "failed", seed, invariant: failure.invariant, text: textOf(failure) })
    break
  }
  say({ kind: "passed", seed })
}
process.disconnect()
