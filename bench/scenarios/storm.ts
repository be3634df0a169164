// A storm: 2,000 clients with tokens come at once, each with a connection of its own, and all have to be let in. Every one
// then asks once and is answered, so that being let in is no mere greeting.
import { Requester } from "../load/requester.ts"
import { until } from "../trial/trial.ts"
import type { Scenario } from "./scenario.ts"

const clientCount = 2_000
/** Dials under way at once: below what the system's queue of connections holds, so that none is delayed by it. */
const parallel = 256
const warmUpCount = 200
const timeoutMs = 60_000

export const storm: Scenario = {
  name: "storm",
  title: "A storm of 2,000 log-ins with JWT",
  purpose: "messages",
  rows: [{ name: "storm", title: "until all are let in and answered" }],
  allowsConflation: false,
  playerCount: 0,
  async run(trial) {
    await trial.connect(warmUpCount)
    const close = await trial.measure()
    await trial.connect(warmUpCount + clientCount, parallel)
    const newcomers = trial.connections.slice(warmUpCount)
    for (const connection of newcomers)
      new Requester(connection, { name: "move", fields: { direction: "LEFT" } }, 1).send(1, 0)
    const answered = (): number => newcomers.filter(({ replies }) => replies === 1).length
    await until(
      () => answered() === clientCount,
      () => `${answered()} of ${clientCount} were answered`,
      timeoutMs,
    )
    const window = await close()
    return [
      {
        row: "storm",
        figures: {
          ...window,
          clients: clientCount,
          serverCpuSeconds: window.serverCpuMs / 1000,
          cpuMsPerClient: window.serverCpuMs / clientCount,
        },
      },
    ]
  },
}
