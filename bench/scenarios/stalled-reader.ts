// One of 1,000 clients stops reading while events of 16 KB go to all, 20 a second. Measures the latency of the other
// clients and the server's memory for the stalled one. The server may close that client's connection; it must not lose
// events of other clients.
import { LatencyHistogram } from "../latency-histogram.ts"
import { Requester } from "../load/requester.ts"
import type { Trial } from "../trial/trial.ts"
import { pause, until } from "../trial/trial.ts"
import { costs } from "./scenario.ts"
import type { Scenario } from "./scenario.ts"

const clientCount = 1_000
const stalledIndex = clientCount - 1
const everyMs = 50
const textBytes = 16 * 1024

/** Publishes at a fixed rate for this time; latency counts from the time at which an event was due. */
async function publish(trial: Trial, histogram: LatencyHistogram, forMs: number): Promise<number> {
  const [first] = trial.connections
  if (first === undefined) throw new Error("no client is connected")
  const publisher = new Requester(first, { name: "publish", fields: { count: 1, textBytes } }, 4_096)
  const dueAtMs: number[] = []
  for (const connection of trial.connections) {
    let received = 0
    connection.listener = {
      reply: () => publisher.answer(0),
      event() {
        const due = dueAtMs[received] ?? 0
        received += 1
        if (connection.index !== stalledIndex) histogram.record(performance.now() - due)
      },
    }
  }
  const startedMs = performance.now()
  const count = Math.floor(forMs / everyMs)
  while (dueAtMs.length < count) {
    const due = startedMs + dueAtMs.length * everyMs
    await pause(Math.max(0, due - performance.now()))
    dueAtMs.push(due)
    publisher.send(1, due)
  }
  return count
}

export const stalledReader: Scenario = {
  name: "stalled-reader",
  title: "One stalled reader among 1,000",
  purpose: "messages",
  rows: [{ name: "stalled-reader", title: "20 events of 16 KB a second to all" }],
  allowsConflation: false,
  playerCount: 0,
  async run(trial, { quick }) {
    await trial.connect(clientCount)
    await publish(trial, new LatencyHistogram(), 2_000)
    await pause(500)
    const eventsBefore = trial.connections.reduce((sum, { events }) => sum + events, 0)
    const before = await trial.server.sample({ collect: true })
    trial.mayBeLost.add(stalledIndex)
    const stalled = trial.connections[stalledIndex]
    stalled?.stall()
    const histogram = new LatencyHistogram()
    const close = await trial.measure()
    const events = await publish(trial, histogram, quick ? 10_000 : 40_000)
    const expected = events * (clientCount - 1)
    await until(
      () => histogram.count >= expected,
      () => `${expected - histogram.count} events did not arrive`,
    )
    const window = await close()
    const after = await trial.server.sample({ collect: true })
    const received = trial.connections.reduce((sum, { events: all }) => sum + all, 0) - eventsBefore
    if (received < expected) throw new Error(`${received} events arrived instead of ${expected}`)
    return [
      {
        row: "stalled-reader",
        figures: {
          ...window,
          messages: expected,
          ...costs(window.serverCpuMs, expected),
          p50Ms: histogram.quantileMs(0.5),
          p99Ms: histogram.quantileMs(0.99),
          offeredToStalledBytes: events * textBytes,
          rssGrowthBytes: after.rssBytes - before.rssBytes,
          heapGrowthBytes: after.heapBytes - before.heapBytes,
        },
      },
    ]
  },
}
