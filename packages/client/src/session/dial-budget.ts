// Decides when the next dial is within the client's budget, by the generic cell rate algorithm (GCRA). Pure: the reconnect
// machine holds the state, one number.

export interface DialBudget {
  /** Dials that a client with a full budget may make at once. */
  readonly dialBurst: number
  /** Dials per minute after that. */
  readonly dialsPerMinute: number
}

/** Returns the milliseconds until a dial is within the budget; 0: now. `fullAtMs`: time at which the budget is full. */
export function dialDelayMs(budget: DialBudget, fullAtMs: number, nowMs: number): number {
  const freeAtMs = fullAtMs - (budget.dialBurst - 1) * everyMs(budget)
  if (freeAtMs <= nowMs) return 0
  const delayMs = Math.ceil(freeAtMs - nowMs)
  // The difference may be rounded down, but the next call compares the sum.
  return nowMs + delayMs < freeAtMs ? delayMs + 1 : delayMs
}

/** Spends a dial, also beyond the budget. Returns the time at which the budget is full. */
export function spendDial(budget: DialBudget, fullAtMs: number, nowMs: number): number {
  return Math.max(fullAtMs, nowMs) + everyMs(budget)
}

/** Moves the last spent dial, which has not been made yet, to the present. */
export function postponeDial(budget: DialBudget, fullAtMs: number, nowMs: number): number {
  return Math.max(fullAtMs, nowMs + everyMs(budget))
}

function everyMs({ dialsPerMinute }: DialBudget): number {
  return 60_000 / dialsPerMinute
}
