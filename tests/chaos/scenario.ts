// Many clients behind one proxy with random faults for a while, then without: every history must hold.
import { exponential } from "@hawser/client"
import { seededRandom } from "@hawser/protocol/testing"
import { randomPlan } from "./behaviour.ts"
import { Dialogue, startChaosServer } from "./dialogue.ts"
import { startChaosProxy } from "./proxy.ts"
import type { ChaosProxy } from "./proxy.ts"

export interface ScenarioOptions {
  readonly seed: number
  readonly clients: number
  /** Duration of the faults. */
  readonly troubleMs: number
}

export interface ScenarioResult {
  readonly faults: readonly string[]
  readonly connections: number
  readonly resumed: number
  readonly resets: number
  readonly commands: number
  readonly replayed: number
}

const quietMs = 30_000

export async function runScenario({ seed, clients, troubleMs }: ScenarioOptions): Promise<ScenarioResult> {
  const server = await startChaosServer({ resumeWindowMs: 4_000, pingAfterMs: 1_000, pongTimeoutMs: 500 })
  const trouble = randomPlan({ maxLatencyMs: 200, maxStopBytes: 4_096 })
  let isQuiet = false
  const proxy = await startChaosProxy({
    to: server.address,
    seed,
    plan: (index, random) => (isQuiet ? {} : trouble(index, random)),
  })
  const dialogues = Array.from(
    { length: clients },
    (_, index) =>
      new Dialogue(server, proxy, {
        user: `${seed}-${index}`,
        reconnect: exponential({ baseMs: 20, maxMs: 500 }),
        limits: {
          dialTimeoutMs: 1_000,
          welcomeTimeoutMs: 1_000,
          dialTimeoutMaxMs: 4_000,
          probeAfterMs: 400,
          probeTimeoutMs: 400,
        },
      }),
  )
  const endsAtMs = performance.now() + troubleMs
  const talks = dialogues.map((dialogue, index) =>
    talk(dialogue, seededRandom(seed * 1_000 + index), endsAtMs),
  )
  await meddle(proxy, seededRandom(seed), endsAtMs)
  isQuiet = true
  // Stopped, slow or swallowed connections stay so: only new connections are good.
  proxy.cut()
  const commands = (await Promise.all(talks)).reduce((sum, count) => sum + count, 0)
  const stats = dialogues.map(({ client }) => client.stats())
  const result = {
    faults: dialogues.flatMap((dialogue, index) =>
      dialogue.faults().map((fault) => `client ${index}: ${fault}`),
    ),
    connections: proxy.connections.length,
    resumed: stats.reduce((sum, { sessionsResumed }) => sum + sessionsResumed, 0),
    resets: stats.reduce((sum, { sessionsReset }) => sum + sessionsReset, 0),
    replayed: server.server.stats().messagesReplayed,
    commands,
  }
  for (const { client } of dialogues) client.close()
  await server.server.close()
  await proxy.close()
  return {
    ...result,
    faults: [...result.faults, ...server.errors.map((error) => `server: ${String(error)}`)],
  }
}

/** At random times resets some connections, or drops their bytes. */
async function meddle(proxy: ChaosProxy, random: () => number, endsAtMs: number): Promise<void> {
  while (performance.now() < endsAtMs) {
    await delay(100 + random() * 400)
    for (const connection of proxy.connections) {
      const draw = random()
      if (connection.isClosed || draw > 0.08) continue
      if (draw < 0.02) connection.blackHole()
      else connection.cut()
    }
  }
}

/** Sends at random intervals until the end, then waits for every outcome. */
async function talk(dialogue: Dialogue, random: () => number, endsAtMs: number): Promise<number> {
  const outcomes: Promise<void>[] = []
  while (performance.now() < endsAtMs) {
    const burst = 1 + Math.floor(random() * 4)
    for (let count = 0; count < burst; count += 1)
      outcomes.push(dialogue.say("y".repeat(Math.floor(random() * 300)), quietMs))
    await delay(10 + random() * 150)
  }
  await Promise.all(outcomes)
  return outcomes.length
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
