// Reconnection strategies: the delay before the next attempt, and the end of the attempts. Pure: random numbers are arguments.
// The client's dial budget (`limits.dialBurst`, `limits.dialsPerMinute`) bounds every strategy.
import { assertOptions } from "@hawser/protocol/core"
import type { OptionTable } from "@hawser/protocol/core"
import { isThenable } from "../base/report.ts"

/** Arguments of a strategy. */
export interface ReconnectContext {
  /** Number of the attempt, from 1. It restarts after a resume, and after a session that lasted for `limits.stableAfterMs`. */
  readonly attempt: number
  /** Time since the first failure of this row of failures, in milliseconds. */
  readonly elapsedMs: number
  /** Least delay by the server or the dial budget, in milliseconds; 0: none. The client raises a shorter delay to it. */
  readonly leastMs: number
  /** Random number from 0 up to 1. */
  readonly random: number
}

/**
 * Returns the delay in milliseconds, at most 24 days, or undefined to close the client. If it throws or returns another value,
 * the error goes to `onError`, and the default strategy decides.
 */
export type ReconnectStrategy = (context: ReconnectContext) => number | undefined

/** `full`: a random delay from 0 to the computed one, so that clients do not return at the same time. `none`: the computed one. */
export type Jitter = "full" | "none"

/** Options of the built-in strategies. */
export interface StrategyOptions {
  /** First delay, in milliseconds. Default 250 for `exponential`, else 1,000. */
  readonly baseMs?: number
  /** Longest delay, in milliseconds. Default 10,000. */
  readonly maxMs?: number
  /** Most attempts in a row; the client then closes with `reconnect_exhausted`. Default: no limit. */
  readonly attempts?: number
  /** Time since the first failure after which no attempt begins, in milliseconds. Default: no limit. */
  readonly totalMs?: number
  /** Randomisation of the delay. Default `full`. */
  readonly jitter?: Jitter
}

const strategyOptions: OptionTable<StrategyOptions> = {
  baseMs: "ms",
  maxMs: "any",
  attempts: "any",
  totalMs: "any",
  jitter: "any",
}

/**
 * Returns the strategy base, base·factor, base·factor², … Default: 250 ms, factor 2, at most 10 s, full jitter, no limit.
 * @throws TypeError for an unknown option, RangeError for a delay that is not a time; so do `linear` and `fixed`.
 */
export function exponential(
  options: StrategyOptions & {
    /** Factor between two delays. Default 2. */
    readonly factor?: number
  } = {},
): ReconnectStrategy {
  assertOptions("exponential", options, { ...strategyOptions, factor: "any" })
  const { baseMs = 250, factor = 2 } = options
  return bounded(options, (attempt) => baseMs * Math.min(factor ** (attempt - 1), Number.MAX_VALUE))
}

/** Returns the strategy base, 2·base, 3·base, … Default: 1 s, at most 10 s, full jitter, no limit. */
export function linear(options: StrategyOptions = {}): ReconnectStrategy {
  assertOptions("linear", options, strategyOptions)
  const { baseMs = 1_000 } = options
  return bounded(options, (attempt) => baseMs * attempt)
}

/** Returns the strategy with the constant delay base. Default: 1 s, full jitter, no limit. */
export function fixed(options: StrategyOptions = {}): ReconnectStrategy {
  assertOptions("fixed", options, strategyOptions)
  const { baseMs = 1_000 } = options
  return bounded(options, () => baseMs)
}

/** Closes the client at the first failure. */
export const noReconnect: ReconnectStrategy = () => undefined

/** Returns a guarded strategy: its faults go to `onError`, and the default strategy decides instead. */
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
