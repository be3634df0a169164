// A storm: 2,000 clients with tokens connect at once, and all must be logged in. Each then sends one request and gets
// its reply, so that a log-in includes a working session. The first storm meets a process that has just started: half
// of its cost is code that is not compiled yet, and a longer storm would divide it among more clients. The second
// storm, of 2,000 other clients, shows the cost of a log-in.
import { Requester } from "../load/requester.ts"
import type { Trial } from "../trial/trial.ts"
import { until } from "../trial/trial.ts"
import type { Measurement, Scenario } from "./scenario.ts"

const clientCount = 2_000
/** Parallel dials: below the length of the system's accept queue, so that the queue delays none. */
const parallel = 256
const timeoutMs = 60_000

async function stormOf(trial: Trial, row: string): Promise<Measurement> {
  const before = trial.connections.length
  const close = await trial.measure()
  await trial.connect(before + clientCount, parallel)
  const newcomers = trial.connections.slice(before)
  for (const connection of newcomers)
    new Requester(connection, { name: "move", fields: { direction: "LEFT" } }, 1).send(1, 0)
  const answered = (): number => newcomers.filter(({ replies }) => replies === 1).length
  await until(
    () => answered() === clientCount,
    () => `${answered()} of ${clientCount} got a reply`,
    timeoutMs,
  )
  const window = await close()
  return {
    row,
    figures: {
      ...window,
      clients: clientCount,
      serverCpuSeconds: window.serverCpuMs / 1000,
      cpuMsPerClient: window.serverCpuMs / clientCount,
    },
  }
}

export const storm: Scenario = {
  name: "storm",
  title: "A storm of 2,000 log-ins with JWT",
  purpose: "messages",
  rows: [
    { name: "storm-cold", title: "of a process that has just started" },
    { name: "storm", title: "the next 2,000" },
  ],
  allowsConflation: false,
  playerCount: 0,
  run: async (trial) => [await stormOf(trial, "storm-cold"), await stormOf(trial, "storm")],
}
