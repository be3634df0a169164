// Fan-out: a client publishes, the server sends the event to every client, and the next event is published when the
// last client has it. So every event is alone in its turn of the event loop (a burst: with nine others). The server's
// CPU time is divided by deliveries, each of which is counted. The publisher's request adds one message to as many as
// there are clients.
import { LatencyHistogram } from "../latency-histogram.ts"
import { Requester } from "../load/requester.ts"
import type { Trial } from "../trial/trial.ts"
import { bytesOf, pause } from "../trial/trial.ts"
import { costs } from "./scenario.ts"
import type { Measurement, Pace, Scenario } from "./scenario.ts"

const textBytes = 24
const checkedCount = 8
const roundTimeoutMs = 20_000

export interface FanOutOptions {
  readonly row: string
  readonly clientCount: number
  /** Events that are published in one turn. */
  readonly eventsPerRound: number
  readonly warmUpMs: number
  readonly measureMs: number
}

/** Publishes repeatedly; calls `record` with the latency of each delivery. */
class Publishing {
  readonly #trial: Trial
  readonly #options: FanOutOptions
  readonly #publisher: Requester
  readonly #next: Int32Array
  #awaited = 0
  #publishedAtMs = 0
  #roundEnded: () => void = () => {}
  record: (latencyMs: number) => void = () => {}

  constructor(trial: Trial, options: FanOutOptions) {
    this.#trial = trial
    this.#options = options
    const [first] = trial.connections
    if (first === undefined) throw new Error("no client is connected")
    const fields = { count: options.eventsPerRound, textBytes }
    this.#publisher = new Requester(first, { name: "publish", fields }, 1)
    this.#next = new Int32Array(checkedCount)
    for (const connection of trial.connections) {
      connection.listener = {
        reply: () => {
          this.#publisher.answer(0)
          this.#arrived()
        },
        event: () => {
          this.record(performance.now() - this.#publishedAtMs)
          const { index } = connection
          if (index < checkedCount) this.#check(index, connection.number())
          this.#arrived()
        },
      }
    }
  }

  get deliveriesPerRound(): number {
    return this.#options.clientCount * this.#options.eventsPerRound
  }

  /** Publishes until the time is over; returns the number of rounds. */
  async run(forMs: number): Promise<number> {
    const endMs = performance.now() + forMs
    let rounds = 0
    while (performance.now() < endMs) {
      await this.#round()
      rounds += 1
    }
    return rounds
  }

  async #round(): Promise<void> {
    // The reply counts, too: a round ends only when the publisher has its reply.
    this.#awaited = this.deliveriesPerRound + 1
    this.#next.fill(this.#publisher.sent)
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(
        () => reject(new Error(`${this.#awaited} deliveries did not arrive`)),
        roundTimeoutMs,
      )
      this.#roundEnded = resolve
      this.#publishedAtMs = performance.now()
      this.#publisher.send(1, this.#publishedAtMs)
    })
    clearTimeout(timer)
    this.#trial.check()
  }

  #arrived(): void {
    this.#awaited -= 1
    if (this.#awaited === 0) this.#roundEnded()
  }

  /** Events of one round are numbered from the number of its request. */
  #check(index: number, number: number): void {
    const expected = this.#next[index] ?? 0
    if (number !== expected && number !== -1)
      throw new Error(`client ${index}: expected event ${expected}, got ${number}`)
    this.#next[index] = expected + 1
  }
}

/** Connects the clients, and publishes until the server has compiled its code. */
export async function warmUp(trial: Trial, options: FanOutOptions): Promise<Publishing> {
  await trial.connect(options.clientCount)
  await pause(200)
  const publishing = new Publishing(trial, options)
  await publishing.run(options.warmUpMs)
  return publishing
}

async function fanOut(trial: Trial, options: FanOutOptions): Promise<Measurement> {
  const publishing = await warmUp(trial, options)
  const histogram = new LatencyHistogram()
  publishing.record = (latencyMs) => histogram.record(latencyMs)
  const bytesBefore = bytesOf(trial)
  const close = await trial.measure()
  const rounds = await publishing.run(options.measureMs)
  const window = await close()
  const bytes = bytesOf(trial) - bytesBefore
  const messages = rounds * publishing.deliveriesPerRound
  if (messages !== histogram.count) throw new Error(`${histogram.count} deliveries instead of ${messages}`)
  return {
    row: options.row,
    figures: {
      ...window,
      messages,
      perSecond: messages / window.seconds,
      ...costs(window.serverCpuMs, messages),
      bytesPerMessage: bytes / messages,
      p50Ms: histogram.quantileMs(0.5),
      p99Ms: histogram.quantileMs(0.99),
    },
  }
}

export function duration({ quick }: Pace): Pick<FanOutOptions, "warmUpMs" | "measureMs"> {
  return quick ? { warmUpMs: 1_500, measureMs: 2_500 } : { warmUpMs: 3_000, measureMs: 6_000 }
}

export const loneEvents: Scenario = {
  name: "fan-out",
  title: "Fan-out of lone events",
  purpose: "messages",
  rows: [
    { name: "fan-out-500", title: "to 500 clients" },
    { name: "fan-out-2000", title: "to 2,000 clients" },
  ],
  allowsConflation: true,
  playerCount: 0,
  async run(trial, pace) {
    const measurements: Measurement[] = []
    for (const clientCount of [500, 2_000]) {
      const row = `fan-out-${clientCount}`
      measurements.push(await fanOut(trial, { row, clientCount, eventsPerRound: 1, ...duration(pace) }))
    }
    return measurements
  },
}

export const burst: Scenario = {
  name: "burst",
  title: "Bursts: ten small events for each client in one turn",
  purpose: "messages",
  rows: [{ name: "burst", title: "10 events to 500 clients" }],
  allowsConflation: false,
  playerCount: 0,
  run: async (trial, pace) => [
    await fanOut(trial, { row: "burst", clientCount: 500, eventsPerRound: 10, ...duration(pace) }),
  ],
}
