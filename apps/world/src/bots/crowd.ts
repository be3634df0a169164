// Connects many bots, lets them walk for a while, and reports once a second. Must not know the source of their tokens,
// nor the process of the world.
import { HawserError } from "@hawser/client"
import type { TokenOf } from "./accounts.ts"
import { Bot, textOf } from "./bot.ts"
import { askForTicks, countNow, figuresBetween, lineOf } from "./figures.ts"
import { Latencies } from "./latencies.ts"

/** Bots that connect concurrently: far below the server's limit of unauthenticated connections of one address. */
const enteringAtOnce = 16
const reportEveryMs = 1_000
/** One of this many bots keeps copies of the replicas. */
const lookEvery = 20

export interface CrowdOptions {
  /** `http://…` without a path. */
  readonly url: string
  readonly count: number
  readonly seconds: number
  readonly tokenOf: TokenOf
  readonly print: (line: string) => void
}

export interface CrowdOutcome {
  readonly line: string
  /** Bots that were not admitted, lost their session or met an unexpected error. */
  readonly failed: number
  readonly firstFault: string | undefined
}

/** Returns true if the world accepts this bot's token. */
export async function isAdmitted(url: string, token: string): Promise<boolean> {
  const bot = new Bot({
    url: socketUrl(url),
    token: () => Promise.resolve(token),
    latencies: [],
    looks: false,
    random: Math.random,
  })
  try {
    await bot.enter()
    return true
  } catch (error) {
    if (HawserError.is(error) && error.code.startsWith("auth_")) return false
    throw error
  } finally {
    bot.leave()
  }
}

export async function runCrowd(options: CrowdOptions): Promise<CrowdOutcome> {
  const { url, count, seconds, tokenOf, print } = options
  const [recent, whole] = [new Latencies(), new Latencies()]
  const bots = Array.from(
    { length: count },
    (_, bot) =>
      new Bot({
        url: socketUrl(url),
        token: () => tokenOf(bot),
        latencies: [recent, whole],
        looks: bot % lookEvery === 0,
        random: Math.random,
      }),
  )
  const startedAtMs = performance.now()
  let last = countNow(bots)
  const report = setInterval(() => void printReport(), reportEveryMs)

  async function printReport(): Promise<void> {
    const tick = await askForTicks(url)
    const now = countNow(bots)
    const figures = figuresBetween([last, now], bots, { latencies: recent, tick })
    recent.clear()
    last = now
    print(`${String(Math.round((now.atMs - startedAtMs) / 1_000)).padStart(4)} s  ${lineOf(figures)}`)
  }

  const refusals = await enterAll(bots)
  whole.clear()
  const begun = countNow(bots)
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
  clearInterval(report)
  const tick = await askForTicks(url)
  const figures = figuresBetween([begun, countNow(bots)], bots, { latencies: whole, tick })
  const faults = [...refusals, ...bots.flatMap(({ fault }) => fault ?? [])]
  const failed = bots.filter(
    ({ fault, client }) => fault !== undefined || client.current.state !== "open",
  ).length
  for (const bot of bots) bot.leave()
  return { line: lineOf(figures), failed, firstFault: faults[0] }
}

/** Connects all bots; each walks as soon as it has entered. Returns the errors of the others. */
async function enterAll(bots: readonly Bot[]): Promise<readonly string[]> {
  const refusals: string[] = []
  const waiting = bots.values()
  await Promise.all(
    Array.from({ length: enteringAtOnce }, async () => {
      for (const bot of waiting) {
        try {
          await bot.enter()
          bot.walk()
        } catch (error) {
          refusals.push(textOf(error))
        }
      }
    }),
  )
  return refusals
}

function socketUrl(url: string): string {
  return `${url.replace(/^http/, "ws")}/ws`
}
