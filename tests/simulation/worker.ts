// Runs the received seeds, one after the other.
import { unwatched } from "@hawser/protocol/testing"
import { runSeed } from "./run-seed.ts"
import { job } from "./pool-messages.ts"

// Errors are part of the protocol here, created thousands of times; the trace shows their origin.
Error.stackTraceLimit = 0

process.on("message", (message: unknown) => {
  const { seed, steps } = job.parse(message)
  unwatched(runSeed(seed, steps).then((result) => process.send?.({ seed, ...result })))
})
