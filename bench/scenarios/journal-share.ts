// The journal's share of the server's CPU time while it publishes, from a profile of its own: a profile costs time, so its window
// measures nothing else. Each case has a server of its own, whose topic has no other clients.
import { duration, warmUp } from "./fan-out.ts"
import type { Scenario } from "./scenario.ts"

const cases = [
  { row: "share-fan-out-500", title: "lone events to 500 clients", clientCount: 500, eventsPerRound: 1 },
  { row: "share-fan-out-2000", title: "lone events to 2,000 clients", clientCount: 2_000, eventsPerRound: 1 },
  { row: "share-burst", title: "10 events in one turn to 500 clients", clientCount: 500, eventsPerRound: 10 },
] as const

export const journalShares: readonly Scenario[] = cases.map(
  ({ row, title, clientCount, eventsPerRound }) => ({
    name: row,
    title: "Share of the journal in the server's CPU time",
    purpose: "journal",
    rows: [{ name: row, title }],
    allowsConflation: false,
    playerCount: 0,
    async run(trial, pace) {
      const { warmUpMs, measureMs } = duration(pace)
      const publishing = await warmUp(trial, { row, eventsPerRound, clientCount, warmUpMs, measureMs })
      await trial.server.startProfile()
      await publishing.run(measureMs)
      return [{ row, figures: { journalShare: await trial.server.stopProfile() } }]
    },
  }),
)
