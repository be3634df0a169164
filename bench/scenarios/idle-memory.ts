// Memory of idle clients that are logged in: the server's growth after garbage collection, per client. The first
// clients are not counted: they include code and pools that all clients share.
import { pause } from "../trial/trial.ts"
import type { Pace, Scenario } from "./scenario.ts"

const warmUpCount = 1_000
const settleMs = 2_000

function clientCountOf({ quick }: Pace): number {
  return quick ? 4_000 : 10_000
}

export const idleMemory: Scenario = {
  name: "idle-memory",
  title: "Memory of idle clients",
  purpose: "messages",
  rows: [{ name: "idle-memory", title: "10,000 logged in (4,000 in a quick run)" }],
  allowsConflation: false,
  playerCount: 0,
  async run(trial, pace) {
    const clientCount = clientCountOf(pace)
    await trial.connect(warmUpCount)
    await pause(settleMs)
    const before = await trial.server.sample({ collect: true })
    await trial.connect(warmUpCount + clientCount)
    await pause(settleMs)
    const raw = await trial.server.sample()
    const after = await trial.server.sample({ collect: true })
    return [
      {
        row: "idle-memory",
        figures: {
          clients: clientCount,
          rssBytesPerClient: (after.rssBytes - before.rssBytes) / clientCount,
          heapBytesPerClient: (after.heapBytes - before.heapBytes) / clientCount,
          uncollectedRssBytesPerClient: (raw.rssBytes - before.rssBytes) / clientCount,
        },
      },
    ]
  },
}
