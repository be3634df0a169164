// Creates the lowest layer of one server: clock, timers, limits, counters, codecs, error and warning callbacks.
import { TimerQueue, TypeTable, contractTypes, indexEvents } from "@hawser/protocol/core"
import type { ChosenLimits, Clock, Contract, ServerLimits } from "@hawser/protocol"
import { Atomic } from "./atomic.ts"
import { checkLimits } from "./check-limits.ts"
import { createCodecs } from "./codecs.ts"
import { ServerCounters } from "./counters.ts"
import { createHealth } from "./health.ts"
import { callReporting, guardedReporter } from "./hooks.ts"
import { Refusals } from "./refusals.ts"
import type { LoginRefusal } from "./refusals.ts"
import { consoleErrors, showRefusal, showWarning } from "./report.ts"
import type { ServerWarning } from "./server-warning.ts"
import { systemClock } from "./system.ts"

/** Options of `createServer` that the lowest layer uses. */
export interface BaseOptions {
  /**
   * Limits that override the defaults; groups such as `message` may be partial. Each is a number above 0, heartbeats at least
   * 100 ms. Otherwise a RangeError; a TypeError names an unknown one.
   */
  readonly limits?: ChosenLimits<ServerLimits>
  /**
   * Called with faults: errors of handlers and hooks, unsendable results, socket errors. Default: `console.error` with the call's
   * name and the stack; equal sentences ten times a minute, then with their number.
   */
  readonly onError?: (error: unknown) => unknown
  /** Called with warnings about options that are probably wrong. Default: `console.warn`. */
  readonly onWarning?: (warning: ServerWarning) => unknown
  /**
   * Called with refused log-ins and refused fresh tokens: each code and cause once a minute, with the number since. Default:
   * `console.warn`.
   */
  readonly onRefused?: (refusal: LoginRefusal) => unknown
  /** Monotonic clock and timers. Default `systemClock`. */
  readonly clock?: Clock
  /** Returns wall-clock milliseconds since 1970, for the expiry of tokens. Default `Date.now`. */
  readonly wallClockMs?: () => number
}

/** The lowest layer of one server. */
export type Base = Readonly<ReturnType<typeof createBase>>

/** Creates the lowest layer. @param callNames names of all calls, for the statistics. @throws RangeError for an invalid limit, TypeError for an unknown one. */
export function createBase(contract: Contract, callNames: Iterable<string>, options: BaseOptions) {
  const limits = checkLimits(options.limits)
  const { clock = systemClock, wallClockMs = Date.now } = options
  const onError = guardedReporter(options.onError ?? consoleErrors(clock))
  const warn = options.onWarning ?? showWarning
  const refused = options.onRefused ?? showRefusal
  const types = new TypeTable(contractTypes(contract))
  return {
    contract,
    limits,
    clock,
    wallClockMs,
    timers: new TimerQueue(clock, onError),
    counters: new ServerCounters(),
    health: createHealth(callNames, clock),
    /** Changes and messages of one function, together or not at all. */
    atomic: new Atomic(onError),
    /** Events of the contract, by key. */
    events: indexEvents(contract),
    /** Numbers of calls and events on the wire. Replaced before the first session, if at all. */
    types,
    ...createCodecs(types, limits),
    onError,
    refusals: new Refusals(clock, (refusal) => callReporting(() => refused(refusal), onError)),
    onWarning: (warning: ServerWarning) => callReporting(() => warn(warning), onError),
  }
}
