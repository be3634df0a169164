// How long to wait before the next attempt, and when to give up. Pure: chance comes in as a number. The client's dial
// budget (`dialBurst`, `dialsPerMinute`) bounds every strategy.
import { isThenable } from "../base/report.ts"

export interface ReconnectContext {
  /** 1 for the first attempt of an outage. Starts over after a resume, or after a session that held for `stableAfterMs`. */
  readonly attempt: number
  /** Milliseconds since the first failure of this row. */
  readonly elapsedMs: number
  /** Milliseconds that the server or the dial budget asks to wait at least; a shorter answer is raised to it. Else 0. */
  readonly leastMs: number
  /** From [0, 1). */
  readonly random: number
}

/**
 * Milliseconds to wait, or undefined to give up. More than 24 days count as 24 days. A strategy that throws, or returns
 * anything else, is reported to `onError`; the default one answers instead.
 */
export type ReconnectStrategy = (context: ReconnectContext) => number | undefined

/** `full`: anywhere from 0 to the delay, so that clients do not come back all at once. `none`: exactly the delay. */
export type Jitter = "full" | "none"

export interface StrategyOptions {
  /** The first delay. */
  readonly baseMs?: number
  /** The longest delay. Default 10 s. */
  readonly maxMs?: number
  /** Attempts in a row before giving up. Default: no limit. */
  readonly attempts?: number
  /** Time since the first failure after which no attempt is started. Default: no limit. */
  readonly totalMs?: number
  /** Default `full`. */
  readonly jitter?: Jitter
}

/** base, base·factor, base·factor², … Default: 250 ms, factor 2, at most 10 s, full jitter, for ever. */
export function exponential(options: StrategyOptions & { readonly factor?: number } = {}): ReconnectStrategy {
  const { baseMs = 250, factor = 2 } = options
  return bounded(options, (attempt) => baseMs * Math.min(factor ** (attempt - 1), Number.MAX_VALUE))
}

/** base, 2·base, 3·base, … Default: 1 s, at most 10 s, full jitter, for ever. */
export function linear(options: StrategyOptions = {}): ReconnectStrategy {
  const { baseMs = 1_000 } = options
  return bounded(options, (attempt) => baseMs * attempt)
}

/** Always base. Default: 1 s, full jitter, for ever. */
export function fixed(options: StrategyOptions = {}): ReconnectStrategy {
  const { baseMs = 1_000 } = options
  return bounded(options, () => baseMs)
}

/** Never tries again. */
export const noReconnect: ReconnectStrategy = () => undefined

/** A strategy that always answers: its faults are reported, and the default strategy stands in. */
export function guarded(strategy: ReconnectStrategy, onError: (error: unknown) => void): ReconnectStrategy {
  const fallback = exponential()
  return (context) => {
    try {
      const delayMs: unknown = strategy(context)
      if (delayMs === undefined || (typeof delayMs === "number" && !Number.isNaN(delayMs))) return delayMs
      const answer = typeof delayMs === "number" ? "NaN" : typeof delayMs
      if (isThenable(delayMs)) Promise.resolve(delayMs).catch(onError)
      onError(new TypeError(`the reconnect strategy returned ${answer}, not milliseconds or undefined`))
    } catch (error) {
      onError(error)
    }
    return fallback(context)
  }
}

function bounded(options: StrategyOptions, delayOf: (attempt: number) => number): ReconnectStrategy {
  const { attempts = Infinity, totalMs = Infinity, maxMs = 10_000, jitter = "full" } = options
  return ({ attempt, elapsedMs, leastMs, random }) => {
    if (attempt > attempts) return undefined
    const delayMs = Math.min(maxMs, delayOf(attempt)) * (jitter === "full" ? random : 1)
    return elapsedMs + Math.max(delayMs, leastMs) > totalMs ? undefined : delayMs
  }
}
