// Calls the game twenty times a second, evenly, and measures what that costs.
import { performance } from "node:perf_hooks"

const tickMs = 50
/** Weight of the newest tick in the average. */
const averageWeight = 0.05

export interface TickOptions {
  /** `count` starts at 1; `nowMs` is monotonic. */
  readonly onTick: (count: number, nowMs: number) => void
  readonly onError: (error: unknown) => void
}

export interface Tick {
  /** Milliseconds a tick takes, as a moving average; null before the first. */
  averageMs(): number | null
  stop(): void
}

export function startTick(options: TickOptions): Tick {
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
    averageMs = averageMs === null ? tookMs : averageMs + (tookMs - averageMs) * averageWeight
    // After a stall the world goes on from now; it does not catch up tick by tick.
    dueAtMs = Math.max(dueAtMs + tickMs, nowMs)
    timer = setTimeout(run, dueAtMs - nowMs)
  }

  return {
    averageMs: () => averageMs,
    stop: () => clearTimeout(timer),
  }
}
