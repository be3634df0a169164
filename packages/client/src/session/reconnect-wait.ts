// Decides when the reconnect machine begins its next attempt: the delay of the strategy, of the server or of the dial budget,
// whichever is longest. Must not know sockets or the cause of a failure.
import { HawserError } from "@hawser/protocol"
import { dialDelayMs, spendDial } from "./dial-budget.ts"
import type { Row } from "./reconnect-row.ts"
import type { ReconnectState, Step } from "./reconnect-state.ts"

/** Longest delay, in milliseconds: 24 days, the maximum of a system timer. */
const waitMaxMs = 2 ** 31 - 1

/** Returns the state `waiting`, or `closed` if the strategy returns undefined. */
export function wait(row: Row, error: HawserError, step: Step): ReconnectState {
  const elapsedMs = step.nowMs - (row.firstFailureAtMs ?? step.nowMs)
  // Up to a tenth is added at random, so that clients of one server do not return at the same time.
  const askedMs = Math.min(step.options.retryAfterMaxMs, error.retryAfterMs ?? 0) * (1 + step.random / 10)
  const leastMs = Math.max(askedMs, heldBackMs(row, step))
  const own = step.options.strategy({ attempt: row.failures, elapsedMs, leastMs, random: step.random })
  if (own === undefined) {
    const count = row.failures === 1 ? "1 failure" : `${row.failures} failures in a row`
    const message = `gave up after ${count}: ${error.message}`
    return { kind: "closed", row, error: new HawserError("reconnect_exhausted", { message, cause: error }) }
  }
  return waiting(row, Math.max(own, leastMs), step)
}

export function waiting(row: Row, wantedMs: number, step: Step): ReconnectState {
  const delayMs = Math.min(wantedMs, waitMaxMs)
  return { kind: "waiting", row, delayMs, dueAtMs: step.nowMs + delayMs }
}

/** Returns the milliseconds until the next dial is within the budget; 0: now. */
export function heldBackMs(row: Row, step: Step): number {
  return dialDelayMs(step.options, row.budgetFullAtMs, step.nowMs)
}

export function spent(row: Row, step: Step): Row {
  return { ...row, budgetFullAtMs: spendDial(step.options, row.budgetFullAtMs, step.nowMs) }
}
