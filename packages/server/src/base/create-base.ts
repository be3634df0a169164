// Creates the lowest layer of one server: clock, timers, limits, counters, codecs, error and warning callbacks.
import { TimerQueue, contractTypes, indexEvents } from "@hawser/protocol/core"
import type { Clock, Contract, EventSpec, ServerLimits } from "@hawser/protocol"
import { checkLimits } from "./check-limits.ts"
import { createCodecs } from "./codecs.ts"
import type { Codecs } from "./codecs.ts"
import { createCounters } from "./counters.ts"
import type { ServerCounters } from "./counters.ts"
import { createHealth } from "./health.ts"
import type { Health } from "./health.ts"
import { callReporting, guardedReporter } from "./hooks.ts"
import { debugError, showWarning } from "./report.ts"
import type { ServerWarning } from "./server-warning.ts"
import { systemClock } from "./system.ts"

/** Options of `createServer` that the lowest layer uses. */
export interface BaseOptions {
  readonly limits?: Partial<ServerLimits>
  readonly clock?: Clock
  readonly wallClockMs?: () => number
  readonly onError?: (error: unknown) => unknown
  readonly onWarning?: (warning: ServerWarning) => unknown
}

/** The lowest layer of one server. */
export interface Base extends Codecs {
  readonly contract: Contract
  readonly limits: ServerLimits
  readonly clock: Clock
  readonly wallClockMs: () => number
  readonly timers: TimerQueue
  readonly counters: ServerCounters
  readonly health: Health
  /** Events of the contract, by key. */
  readonly events: ReadonlyMap<string, EventSpec>
  /** Names of calls and events. The wire number of a name is its index. */
  readonly types: readonly string[]
  readonly onError: (error: unknown) => void
  readonly onWarning: (warning: ServerWarning) => void
}

/** @param callNames names of all calls, for the statistics. @throws RangeError for an invalid or unknown limit. */
export function createBase(contract: Contract, callNames: Iterable<string>, options: BaseOptions): Base {
  const limits = checkLimits(options.limits)
  const { clock = systemClock, wallClockMs = Date.now } = options
  const onError = guardedReporter(options.onError ?? debugError)
  const warn = options.onWarning ?? showWarning
  const types = contractTypes(contract)
  return {
    contract,
    limits,
    clock,
    wallClockMs,
    timers: new TimerQueue(clock, onError),
    counters: createCounters(),
    health: createHealth(callNames, clock),
    events: indexEvents(contract),
    types,
    ...createCodecs(types, limits),
    onError,
    onWarning: (warning) => callReporting(() => warn(warning), onError),
  }
}
