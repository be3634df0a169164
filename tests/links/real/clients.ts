// The clients' end of an emulated link: a process that the runner starts in the clients' namespace. Half of its clients
// send requests, the others only receive; all record how their connections end.
import { unwatched } from "@hawser/protocol/testing"
import { HawserError, createClient } from "@hawser/client"
import type { Client } from "@hawser/client"
import { WebSocket } from "ws"
import { ageOf, clockId, contract, sharedNowMs } from "./protocol.ts"
import type { ClientFigures, ClientsSetUp, Death, FromClients, LinkContract, ToClients } from "./protocol.ts"

function medianOf(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0
}

function longestOf(values: readonly number[]): number {
  return values.reduce((longest, value) => Math.max(longest, value), 0)
}

function add(sums: Record<string, number>, counts: Readonly<Record<string, number>>, sign: 1 | -1): void {
  for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + sign * count
}

/** Sums of all clients' statistics; the difference of two readings covers the time between them. */
interface Sums {
  dials: number
  resumes: number
  readonly dialsFailed: Record<string, number>
  readonly resets: Record<string, number>
}

class Seen {
  deaths: Death[] = []
  latencies: number[] = []
  failed: Record<string, number> = {}
  toldAtMs: Record<string, number> = {}
  ages: number[] = []
  errors: string[] = []
  made = 0
}

class LinkClients {
  readonly #setUp: ClientsSetUp
  readonly #clients: Client<LinkContract>[] = []
  #seen = new Seen()
  #before: Sums = { dials: 0, resumes: 0, dialsFailed: {}, resets: {} }
  #isCutting = false
  #requests = 0

  constructor(setUp: ClientsSetUp) {
    this.#setUp = setUp
    for (let index = 0; index < setUp.count; index += 1)
      setTimeout(() => this.#open(index), (setUp.spreadMs * index) / setUp.count)
    setInterval(() => this.#look(), 1_000)
  }

  get open(): number {
    return this.#clients.filter(({ current }) => current.state === "open").length
  }

  #open(index: number): void {
    const { url, active, requestEveryMs } = this.#setUp
    const isActive = index < active
    const client = createClient(contract, {
      url,
      token: `client ${index}`,
      webSocket: WebSocket,
      autoConnect: false,
      onError: (error) => this.#seen.errors.push(String(error)),
    })
    this.#clients.push(client)
    let wasOpen = false
    client.onStatus((status) => {
      if (wasOpen && status.state !== "open" && !this.#isCutting) {
        const why =
          "error" in status && status.error !== undefined
            ? `${status.error.code}: ${status.error.message}`
            : status.state
        this.#seen.deaths.push({ client: index, isActive, atMs: sharedNowMs(), why })
      }
      wasOpen = status.state === "open"
    })
    client.connect().catch((error: unknown) => this.#seen.errors.push(String(error)))
    if (isActive) setInterval(() => this.#ask(client), requestEveryMs)
  }

  #ask(client: Client<LinkContract>): void {
    const id = `${(this.#requests += 1)}`
    const madeAtMs = performance.now()
    this.#seen.made += 1
    client.command("move", { id }, { timeoutMs: this.#setUp.requestTimeoutMs }).then(
      () => this.#seen.latencies.push(performance.now() - madeAtMs),
      (error: unknown) => {
        const code = HawserError.is(error) ? error.code : String(error)
        add(this.#seen.failed, { [code]: 1 }, 1)
        this.#seen.toldAtMs[id] = sharedNowMs()
      },
    )
  }

  #look(): void {
    for (const client of this.#clients) {
      const clock = client.replica("crowd").get(clockId)
      if (clock !== undefined) this.#seen.ages.push(ageOf(clock, sharedNowMs()))
    }
  }

  /** Closed on purpose: not a death. */
  cut(spreadMs: number): void {
    for (const [index, client] of this.#clients.entries()) {
      setTimeout(
        () => {
          this.#isCutting = true
          client.cut()
          this.#isCutting = false
        },
        (spreadMs * index) / this.#clients.length,
      )
    }
  }

  wake(share: number): void {
    for (const client of this.#clients) if (Math.random() < share) client.wake()
  }

  async allOpen(withinMs: number): Promise<FromClients> {
    const startedAtMs = performance.now()
    for (;;) {
      const afterMs = performance.now() - startedAtMs
      const { open } = this
      if (open === this.#setUp.count || afterMs > withinMs) return { kind: "open", open, afterMs }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  #sums(): Sums {
    const sums: Sums = { dials: 0, resumes: 0, dialsFailed: {}, resets: {} }
    for (const client of this.#clients) {
      const stats = client.stats()
      sums.dials += stats.dials
      sums.resumes += stats.sessionsResumed
      add(sums.dialsFailed, stats.handshakesFailedByCode, 1)
      add(sums.resets, stats.sessionsResetByCause, 1)
    }
    return sums
  }

  figures(): ClientFigures {
    const seen = this.#seen
    const before = this.#before
    const sums = this.#sums()
    this.#seen = new Seen()
    this.#before = structuredClone(sums)
    add(sums.dialsFailed, before.dialsFailed, -1)
    add(sums.resets, before.resets, -1)
    return {
      open: this.open,
      deaths: seen.deaths,
      dials: sums.dials - before.dials,
      dialsFailed: sums.dialsFailed,
      resumes: sums.resumes - before.resumes,
      resets: sums.resets,
      requests: {
        made: seen.made,
        answered: seen.latencies.length,
        failed: seen.failed,
        medianMs: medianOf(seen.latencies),
        longestMs: longestOf(seen.latencies),
      },
      toldAtMs: seen.toldAtMs,
      ages: { medianMs: medianOf(seen.ages), longestMs: longestOf(seen.ages) },
      errors: seen.errors,
    }
  }
}

let clients: LinkClients | undefined
const say = (message: FromClients): void => void process.send?.(message)

process.on("message", (message: ToClients) => {
  switch (message.kind) {
    case "start":
      clients = new LinkClients(message.setUp)
      return
    case "cut":
      clients?.cut(message.spreadMs)
      return
    case "wake":
      clients?.wake(message.share)
      return
    case "await":
      unwatched(clients?.allOpen(message.withinMs).then(say))
      return
    case "read":
      if (clients !== undefined) say({ kind: "figures", figures: clients.figures() })
      return
    case "end":
      process.exit(0)
  }
})
process.on("disconnect", () => process.exit(0))
