// Runs the game's tick twenty times a second, and measures its duration.
import { performance } from "node:perf_hooks"

const tickMs = 50
/** Weight of the newest tick in the average. */
const averageWeight = 0.05
/** One minute of ticks. */
const rememberedTicks = 1_200

export interface TickOptions {
  /** `count` starts at 1; `nowMs` is monotonic. */
  readonly onTick: (count: number, nowMs: number) => void
  readonly onError: (error: unknown) => void
}

/** Durations of ticks, in milliseconds; null before the first. */
export interface TickTimes {
  /** Moving average. */
  readonly averageMs: number | null
  /** Median of the last minute. */
  readonly p50Ms: number | null
  readonly p99Ms: number | null
}

/** Times before the first tick. */
export const noTimes: TickTimes = { averageMs: null, p50Ms: null, p99Ms: null }

export interface Tick {
  times(): TickTimes
  stop(): void
}

export function startTick(options: TickOptions): Tick {
  const recent = new RecentTimes(rememberedTicks)
  let count = 0
  let averageMs: number | null = null
  let dueAtMs = performance.now() + tickMs
  let timer = setTimeout(run, tickMs)

  function run(): void {
    const startedAtMs = performance.now()
    count += 1
    try {
      options.onTick(count, startedAtMs)
    } catch (error) {
      options.onError(error)
    }
    const nowMs = performance.now()
    const tookMs = nowMs - startedAtMs
    recent.add(tookMs)
    averageMs = averageMs === null ? tookMs : averageMs + (tookMs - averageMs) * averageWeight
    // After a stall the schedule continues from the current time; missed ticks are not repeated.
    dueAtMs = Math.max(dueAtMs + tickMs, nowMs)
    timer = setTimeout(run, dueAtMs - nowMs)
  }

  return {
    times: () => ({ averageMs, p50Ms: recent.quantile(0.5), p99Ms: recent.quantile(0.99) }),
    stop: () => clearTimeout(timer),
  }
}

/** The last `size` durations. Adding one has a negligible cost; `quantile` sorts them. */
export class RecentTimes {
  readonly #times: Float64Array
  #count = 0

  constructor(size: number) {
    this.#times = new Float64Array(size)
  }

  add(ms: number): void {
    this.#times[this.#count % this.#times.length] = ms
    this.#count += 1
  }

  /** Returns the duration that this share of them does not exceed; null if there is none. */
  quantile(part: number): number | null {
    const sorted = this.#times.slice(0, this.#count).toSorted()
    return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? null
  }
}
