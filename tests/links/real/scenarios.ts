// The scenarios of an emulated link, and their requirements.
import type { LinkSettings } from "./emulated-link.ts"
import type { EmulatedLink } from "./emulated-link.ts"
import type { ClientFigures, ServerFigures } from "./protocol.ts"
import { Run } from "./run.ts"
import type { RunSetUp } from "./run.ts"
import { setTimeout as sleep } from "node:timers/promises"

interface ScenarioOptions {
  readonly link: EmulatedLink
  readonly clients: number
  /** Minutes of all profiles together. */
  readonly profilesMs: number
  /** Only profiles whose name contains this text. */
  readonly profile: string
  readonly log: (line: string) => void
}

/** Returns the faults, a sentence each. */
export type Scenario = (options: ScenarioOptions) => Promise<readonly string[]>

/** Limits without the caps of new connections, which these runs do not test. */
const roomy = { unauthenticatedPerAddress: 1_000, connectionsPerAddress: 1_000, dialBurstPerAddress: 10_000 }

const talkers: Omit<RunSetUp, "count" | "active"> = {
  limits: roomy,
  ticksPerSecond: 1,
  movingRecords: 0,
  requestEveryMs: 1_000,
  requestTimeoutMs: 30_000,
  spreadMs: 3_000,
}

interface Profile {
  /** Round trip and loss, as the requirement names them. */
  readonly name: string
  /** Half of each delay applies to either direction. */
  readonly settings: LinkSettings
  /** Devices wake up during the run: each time the client doubts its connection. */
  readonly wakes: boolean
}

const profiles: readonly Profile[] = [
  { name: "300 ± 100 ms, 5 % loss", settings: { delayMs: 150, jitterMs: 50, loss: 5 }, wakes: true },
  // TCP itself is silent here for up to 20 s at a time (60 plain connections, 4 minutes). That is longer than the
  // deadline of a client that has just woken up, so such a client must treat the connection as dead.
  { name: "50 ms, 20 % loss", settings: { delayMs: 25, jitterMs: 5, loss: 20 }, wakes: false },
  { name: "2 to 3 s", settings: { delayMs: 1_250, jitterMs: 250 }, wakes: true },
  { name: "4.5 s", settings: { delayMs: 2_250, jitterMs: 25 }, wakes: true },
]

function listed(counts: Readonly<Record<string, number>>): string {
  const some = Object.entries(counts).filter(([, count]) => count !== 0)
  return some.length === 0 ? "0" : some.map(([name, count]) => `${count} ${name}`).join(", ")
}

function ms(value: number): string {
  return value < 10_000 ? `${Math.round(value)} ms` : `${(value / 1_000).toFixed(1)} s`
}

function lines(figures: ClientFigures): string[] {
  const { requests } = figures
  return [
    `  dials ${figures.dials}, failed ${listed(figures.dialsFailed)}; resumes ${figures.resumes}, resets ${listed(figures.resets)}`,
    `  requests ${requests.made}, answered ${requests.answered} (median ${ms(requests.medianMs)}, longest ${ms(requests.longestMs)}), failed ${listed(requests.failed)}`,
    ...[...new Set(figures.errors)].slice(0, 5).map((error) => `  error: ${error}`),
  ]
}

/** A request that leaves in time may arrive a little after its caller's timeout: the latency of the network. */
const transitMs = 250

/** Requests that the server executed after their callers had got the failure. */
function executedLate(client: ClientFigures, server: ServerFigures): number {
  return Object.entries(client.toldAtMs).filter(([id, toldAtMs]) => {
    const executedAtMs = server.executedAtMs[id]
    return executedAtMs !== undefined && executedAtMs > toldAtMs + transitMs
  }).length
}

/**
 * A connection that ends while the link works is a false death. Each client is cut once, so that all dial on the link.
 */
const throughProfiles: Scenario = async ({ link, clients, profilesMs, profile, log }) => {
  const faults: string[] = []
  const chosen = profiles.filter(({ name }) => name.includes(profile))
  if (chosen.length === 0) return [`no profile has "${profile}" in its name`]
  const profileMs = profilesMs / chosen.length
  await link.set({ delayMs: 5 })
  const run = await Run.start(link, { ...talkers, count: clients, active: clients / 2 })
  try {
    for (const { name, settings, wakes } of chosen) {
      const endsAtMs = performance.now() + profileMs
      await link.set(settings)
      const before = await link.packets()
      run.cut(profileMs / 5)
      while (performance.now() < endsAtMs) {
        await sleep(Math.min(profileMs / 8, Math.max(0, endsAtMs - performance.now())))
        if (wakes && performance.now() < endsAtMs - profileMs / 4) run.wake(1 / 3)
      }
      const { open } = await run.allOpen(60_000)
      const figures = await run.clientFigures()
      const { deaths } = figures
      const byActive = deaths.filter(({ isActive }) => isActive).length
      const { read, lost } = await link.packets()
      log(`${name}: ${deaths.length} false deaths (${byActive} active, ${deaths.length - byActive} idle)`)
      log(`  packets ${read - before.read}, lost ${lost - before.lost}`)
      for (const line of lines(figures)) log(line)
      for (const [why, count] of countsOf(deaths.map((death) => death.why))) log(`  ${count} × ${why}`)
      if (deaths.length > 0) faults.push(`${name}: ${deaths.length} false deaths`)
      if (open < clients) faults.push(`${name}: only ${open} of ${clients} clients are open a minute later`)
      if (Object.values(figures.resets).some((count) => count > 0))
        faults.push(`${name}: sessions were reset`)
    }
    const { errors, slowClosed, silentClosed, handshakesRefused } = await run.serverFigures()
    log(
      `server: ${silentClosed} closed as silent, ${slowClosed} as slow, ${handshakesRefused} log-ins refused`,
    )
    if (errors.length > 0) faults.push(`the server reports ${errors[0]}`)
  } finally {
    await run.end()
  }
  return faults
}

function countsOf(words: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return counts
}

/** Fifty clients behind one address lose their connections at once: none of them is refused. */
const afterReset: Scenario = async ({ link, log }) => {
  const faults: string[] = []
  await link.set({ delayMs: 50, jitterMs: 10 })
  // The caps are the defaults; the clients connected one by one.
  const run = await Run.start(link, { ...talkers, limits: {}, count: 50, active: 0, spreadMs: 10_000 })
  try {
    for (const how of ["reset", "forget"] as const) {
      const connections = await link[how]()
      const lost = how === "reset" ? "reset" : "silently lost by a NAT"
      // Half-open connections must be found first.
      if (how === "forget") await sleep(40_000)
      else await sleep(100)
      const { open, afterMs } = await run.allOpen(60_000)
      const { dials, dialsFailed, resumes, resets } = await run.clientFigures()
      const { upgradesRefused } = await run.serverFigures()
      log(
        `${connections} connections ${lost}: ${open} clients open again after ${ms(afterMs)}, refused ${listed(upgradesRefused)}`,
      )
      log(`  dials ${dials}, failed ${listed(dialsFailed)}; resumes ${resumes}, resets ${listed(resets)}`)
      if (open < 50 || resumes < 50)
        faults.push(`after a ${how} ${open} of 50 clients are open, ${resumes} resumed`)
      if (Object.keys(upgradesRefused).length > 0)
        faults.push(`after a ${how} upgrades were refused: ${listed(upgradesRefused)}`)
    }
  } finally {
    await run.end()
  }
  return faults
}

/** Commands that time out on a dead connection are not executed after the resume. */
const halfOpen: Scenario = async ({ link, log }) => {
  const faults: string[] = []
  await link.set({ delayMs: 50, jitterMs: 10 })
  const run = await Run.start(link, {
    ...talkers,
    count: 20,
    active: 20,
    requestEveryMs: 500,
    requestTimeoutMs: 2_000,
  })
  try {
    await sleep(2_000)
    await link.forget()
    await sleep(45_000)
    const dead = await run.clientFigures()
    const late = executedLate(dead, await run.serverFigures())
    const { voided } = await run.serverFigures()
    log(
      `half open: ${late} requests executed after they had timed out; ${voided} arrived and were not executed`,
    )
    for (const line of lines(dead)) log(line)
    if (late > 0) faults.push(`half open: ${late} requests were executed after they had timed out`)
    // Where the connection survives, no VOID names the expired requests: they are reported, and are no fault
    // (guarantees.md).
    for (const stallMs of [4_000, 6_000, 10_000]) {
      await link.block(stallMs)
      await sleep(20_000)
      const figures = await run.clientFigures()
      const after = executedLate(figures, await run.serverFigures())
      log(
        `a stall of ${ms(stallMs)}: ${after} of ${listed(figures.requests.failed)} executed late; ${figures.deaths.length} connections closed as dead`,
      )
    }
  } finally {
    await run.end()
  }
  return faults
}

/** A link with a lower rate than the replica's changes shows the current state, not a backlog. */
const slowLink: Scenario = async ({ link, clients, log }) => {
  const faults: string[] = []
  const roundTripMs = 200
  await link.set({ delayMs: roundTripMs / 2 })
  // Eighteen records in ten ticks a second: about 18 kbit/s including the overhead of TCP and WebSocket.
  const count = Math.min(clients, 40)
  const run = await Run.start(link, {
    ...talkers,
    count,
    active: count / 4,
    movingRecords: 18,
    ticksPerSecond: 0,
  })
  try {
    await link.set({ delayMs: roundTripMs / 2, kbitPerSecond: 10, queueMs: 4_000 }, "down")
    await sleep(15_000)
    await run.clientFigures()
    await sleep(45_000)
    const figures = await run.clientFigures()
    const { conflated, slowClosed } = await run.serverFigures()
    const { ages, deaths } = figures
    log(
      `10 kbit/s for a demand of 18: age of the replica ${ms(ages.medianMs)}, at most ${ms(ages.longestMs)}; ${conflated} conflated`,
    )
    for (const line of lines(figures)) log(line)
    const allowedMs = 2 * roundTripMs + 2_000
    if (ages.longestMs > allowedMs)
      faults.push(`slow link: the replica was ${ms(ages.longestMs)} old; ${ms(allowedMs)} are allowed`)
    if (deaths.length > 0 || slowClosed > 0)
      faults.push(`slow link: ${deaths.length} connections ended, ${slowClosed} as slow consumers`)
  } finally {
    await run.end()
  }
  return faults
}

export const scenarios: Readonly<Record<string, Scenario>> = {
  profiles: throughProfiles,
  reset: afterReset,
  "half-open": halfOpen,
  slow: slowLink,
}
