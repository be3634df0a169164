// Recovery: 10,000 sessions, and as many deliveries as a process reads at most. The server is killed and started again; the time
// from the start of the process to its port counts, with Node's own start. Its first round follows: the longest turn of it counts.
import { median } from "../statistics.ts"
import { Requester } from "../load/requester.ts"
import { pause, until } from "../trial/trial.ts"
import type { Trial } from "../trial/trial.ts"
import type { Pace, Scenario } from "./scenario.ts"

const restarts = 5
/** Deliveries of a round after which the next one begins (`fileJournal`). */
const roundDeliveries = 2_000_000
/** Of it: more would begin a round, and so shorten the tail. */
const tailShare = 0.97
const textBytes = 24
const roundMs = 3_000

function sessionsOf({ quick }: Pace): number {
  return quick ? 2_000 : 10_000
}

/** Publishes to all clients, ten events at a time, until the tail is as long as it may be. */
async function fillTail(trial: Trial, sessions: number): Promise<void> {
  const [first] = trial.connections
  if (first === undefined) throw new Error("no client is connected")
  const publisher = new Requester(first, { name: "publish", fields: { count: 10, textBytes } }, 1)
  let isReplied = true
  first.listener = {
    reply() {
      publisher.answer(0)
      isReplied = true
    },
  }
  const rounds = Math.floor((roundDeliveries * tailShare) / (sessions * 10))
  for (let round = 0; round < rounds; round += 1) {
    isReplied = false
    publisher.send(1, 0)
    await until(
      () => isReplied,
      () => "a reply did not arrive",
    )
  }
  // The last acknowledgements arrive.
  await pause(1_000)
}

export const recovery: Scenario = {
  name: "recovery",
  title: "Recovery after SIGKILL",
  purpose: "journal",
  rows: [{ name: "recovery", title: "10,000 sessions, the longest tail (2,000 in a quick run)" }],
  allowsConflation: false,
  playerCount: 0,
  async run(trial, pace) {
    const sessions = sessionsOf(pace)
    await trial.connect(sessions)
    await fillTail(trial, sessions)
    const startsMs: number[] = []
    for (let count = 0; count < restarts; count += 1) startsMs.push(await trial.restart())
    await pause(roundMs)
    const longestStepMs = Math.max(...(await trial.server.turnsMs()))
    return [{ row: "recovery", figures: { sessions, startMs: median(startsMs), longestStepMs } }]
  },
}
