// Real ends on links that lose segments, on virtual time: as with TCP, lost segments arrive late.
import { SimulatedClock, SimulatedNetwork, SimulatedProcess, seededRandom } from "@hawser/protocol/testing"
import { createServer } from "@hawser/server"
import { createClient } from "@hawser/client"
import type { Client } from "@hawser/client"
import { contract, epochMs } from "../faults/harness.ts"
import type { TestContract, TestUser } from "../faults/harness.ts"

/** Turns of the microtask queue after every step of the clock. */
const promiseTurns = 12
const minuteMs = 60_000

interface LinkPlan {
  readonly lossShare: number
  readonly seed: number
  readonly clients: number
  readonly minutes: number
}

interface Outcome {
  readonly requests: number
  readonly answered: number
  readonly outages: number
  readonly silent: number
  readonly slow: number
  readonly longestRoundTripMs: number
}

/** Every other client is idle; the others send a request every two seconds. */
export async function live({ lossShare, seed, clients, minutes }: LinkPlan): Promise<Outcome> {
  const clock = new SimulatedClock()
  const random = seededRandom(seed)
  const host = new SimulatedProcess(clock)
  const server = createServer<TestContract, TestUser>(contract, {
    authenticate: (token) => ({ id: token }),
    clock: host,
    wallClockMs: () => epochMs + clock.now(),
  })
  server.command("echo", ({ input }) => input)
  const network = new SimulatedNetwork({
    clock,
    random,
    weather: {
      latencyMs: { least: 150, most: 150 },
      jitterMs: 50,
      segmentLossShare: lossShare,
      dialMs: { least: 150, most: 300 },
      resetShare: 0,
    },
  })
  network.serve(host, server.accept)
  const counts = { requests: 0, answered: 0, longestRoundTripMs: 0 }
  const all = Array.from({ length: clients }, (_, index) => {
    const process = new SimulatedProcess(clock)
    const client = createClient(contract, {
      url: "ws://simulated",
      token: `client ${index}`,
      dial: network.dialFrom(process, `10.0.0.${index}`),
      clock: process,
      wallClockMs: () => epochMs + clock.now(),
      random,
      autoConnect: false,
    })
    clock.schedule(random() * 1_000, () => {
      client.connect().catch(() => {})
    })
    if (index % 2 === 1) process.schedule(5_000 + random() * 2_000, () => ask(client, process))
    return client
  })

  function ask(client: Client<TestContract>, process: SimulatedProcess): void {
    const sentAtMs = clock.now()
    counts.requests += 1
    client.command("echo", { text: "here?" }, { timeoutMs: 120_000 }).then(
      () => {
        counts.answered += 1
        counts.longestRoundTripMs = Math.max(counts.longestRoundTripMs, clock.now() - sentAtMs)
      },
      // A request without a reply is missing from the count.
      () => {},
    )
    process.schedule(2_000, () => ask(client, process))
  }

  while (clock.now() < minutes * minuteMs) {
    clock.step()
    for (let turn = 0; turn < promiseTurns; turn += 1) await Promise.resolve()
  }
  const { silentConnectionsClosed: silent, slowConsumersClosed: slow } = server.stats()
  const outages = all.reduce((sum, client) => sum + client.stats().outages, 0)
  return { ...counts, outages, silent, slow }
}
