// Decides whether a dial is within the client's budget, and if not, when the next one is. Pure; the reconnect machine
// keeps the one number of the state. The generic cell rate algorithm, as in the server's rate limits.

export interface DialBudget {
  /** Dials that a rested client may make at once. */
  readonly dialBurst: number
  /** Dials a minute after that. */
  readonly dialsPerMinute: number
}

/** Milliseconds until a dial is within the budget; 0: now. `fullAtMs` is the time at which the whole burst is back. */
export function dialDelayMs(budget: DialBudget, fullAtMs: number, nowMs: number): number {
  const freeAtMs = fullAtMs - (budget.dialBurst - 1) * everyMs(budget)
  if (freeAtMs <= nowMs) return 0
  const delayMs = Math.ceil(freeAtMs - nowMs)
  // The difference may round down; the sum is what the next call compares.
  return nowMs + delayMs < freeAtMs ? delayMs + 1 : delayMs
}

/** Spends a dial, whether it is within the budget or not. Returns the time at which the whole burst is back. */
export function spendDial(budget: DialBudget, fullAtMs: number, nowMs: number): number {
  return Math.max(fullAtMs, nowMs) + everyMs(budget)
}

/** Moves a dial that was spent last, but not made yet, to the present. */
export function postponeDial(budget: DialBudget, fullAtMs: number, nowMs: number): number {
  return Math.max(fullAtMs, nowMs + everyMs(budget))
}

function everyMs({ dialsPerMinute }: DialBudget): number {
  return 60_000 / dialsPerMinute
}
