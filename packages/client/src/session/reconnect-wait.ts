// When the reconnect machine begins its next attempt: the strategy decides, the server and the dial budget may ask for
// more. Must not know sockets or what failed.
import { HawserError } from "@hawser/protocol"
import { dialDelayMs, spendDial } from "./dial-budget.ts"
import type { Row } from "./reconnect-row.ts"
import type { ReconnectOptions, ReconnectState, ReconnectStep } from "./reconnect-state.ts"

/** The longest wait that a strategy can ask for, in milliseconds: 24 days, the most that a timer of the system takes. */
const waitMaxMs = 2 ** 31 - 1

/** Waits as long as the strategy says, or the server or the budget if that is longer; closes if the strategy gives up. */
// oxlint-disable-next-line eslint/max-params -- as the functions of the machine
export function wait(
  options: ReconnectOptions,
  row: Row,
  error: HawserError,
  step: ReconnectStep,
): ReconnectState {
  const elapsedMs = step.nowMs - (row.firstFailureAtMs ?? step.nowMs)
  // Spread over a tenth more, so that those who were sent away together do not return together.
  const askedMs = Math.min(options.retryAfterMaxMs, error.retryAfterMs ?? 0) * (1 + step.random / 10)
  const leastMs = Math.max(askedMs, heldBackMs(options, row, step))
  const own = options.strategy({ attempt: row.failures, elapsedMs, leastMs, random: step.random })
  if (own === undefined) {
    const message = `gave up after ${row.failures} failures in a row: ${error.message}`
    return { kind: "closed", row, error: new HawserError("reconnect_exhausted", { message, cause: error }) }
  }
  return waiting(row, Math.max(own, leastMs), step)
}

export function waiting(row: Row, wantedMs: number, step: ReconnectStep): ReconnectState {
  const delayMs = Math.min(wantedMs, waitMaxMs)
  return { kind: "waiting", row, delayMs, dueAtMs: step.nowMs + delayMs }
}

/** Milliseconds for which the budget holds the next dial back; 0: it does not. */
export function heldBackMs(options: ReconnectOptions, row: Row, step: ReconnectStep): number {
  return dialDelayMs(options, row.budgetFullAtMs, step.nowMs)
}

export function spent(options: ReconnectOptions, row: Row, step: ReconnectStep): Row {
  return { ...row, budgetFullAtMs: spendDial(options, row.budgetFullAtMs, step.nowMs) }
}
