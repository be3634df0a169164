// Measurements of the bots, per second and in total, and the line that prints them.
import { z } from "zod"
import type { Bot } from "./bot.ts"
import type { Latencies } from "./latencies.ts"

interface Counts {
  readonly atMs: number
  readonly moves: number
  readonly updates: number
  readonly bytes: number
}

/** Median and 99th percentile of the world's ticks in the last minute. */
interface TickFigures {
  readonly p50Ms: number
  readonly p99Ms: number
}

export interface Figures {
  readonly connected: number
  /** Bots that keep copies of the replicas; the updates are theirs. */
  readonly looking: number
  readonly movesPerSecond: number
  readonly updatesPerSecond: number
  readonly bytesPerSecond: number
  readonly replyP50Ms: number
  readonly replyP99Ms: number
  readonly tick: TickFigures | undefined
}

const status = z.object({
  performance: z.object({
    tick_time_p50_ms: z.number().nullable(),
    tick_time_p99_ms: z.number().nullable(),
  }),
})

/** Returns the tick times that the world reports; undefined if it reports none. */
export async function askForTicks(url: string): Promise<TickFigures | undefined> {
  try {
    const reply = await fetch(`${url}/status`)
    const read = status.parse(await reply.json()).performance
    return { p50Ms: read.tick_time_p50_ms ?? 0, p99Ms: read.tick_time_p99_ms ?? 0 }
  } catch {
    return undefined
  }
}

export function countNow(bots: readonly Bot[]): Counts {
  let [moves, updates, bytes] = [0, 0, 0]
  for (const bot of bots) {
    moves += bot.moves
    updates += bot.updates
    bytes += bot.client.stats().bytesReceived
  }
  return { atMs: performance.now(), moves, updates, bytes }
}

export function figuresBetween(
  [from, to]: readonly [Counts, Counts],
  bots: readonly Bot[],
  measured: { readonly latencies: Latencies; readonly tick: TickFigures | undefined },
): Figures {
  const seconds = Math.max(0.001, (to.atMs - from.atMs) / 1_000)
  return {
    connected: bots.filter(({ client }) => client.current.state === "open").length,
    looking: bots.filter(({ looks }) => looks).length,
    movesPerSecond: (to.moves - from.moves) / seconds,
    updatesPerSecond: (to.updates - from.updates) / seconds,
    bytesPerSecond: (to.bytes - from.bytes) / seconds,
    replyP50Ms: measured.latencies.quantile(0.5),
    replyP99Ms: measured.latencies.quantile(0.99),
    tick: measured.tick,
  }
}

export function lineOf(figures: Figures): string {
  const { connected, movesPerSecond, updatesPerSecond, bytesPerSecond, tick } = figures
  return [
    `${connected} connected`,
    `${rounded(movesPerSecond)} moves/s`,
    `replies p50 ${figures.replyP50Ms.toFixed(1)} p99 ${figures.replyP99Ms.toFixed(1)} ms`,
    `${rounded(updatesPerSecond)} updates/s at ${figures.looking} who look`,
    `${(bytesPerSecond / 1_048_576).toFixed(2)} MiB/s`,
    ...(tick === undefined ? [] : [`tick p50 ${tick.p50Ms.toFixed(1)} p99 ${tick.p99Ms.toFixed(1)} ms`]),
  ].join(" · ")
}

function rounded(value: number): string {
  return Math.round(value).toLocaleString("en-GB")
}
