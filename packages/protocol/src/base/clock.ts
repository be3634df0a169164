// Declares the clock port, the only source of time and timers in this package. Runners inject a real clock, simulations a
// virtual one. Must not know the deadlines.

/** Monotonic time with an arbitrary start, and timers. */
export interface Clock {
  /** Returns the time in milliseconds; fractions are allowed. */
  now(): number
  /**
   * Returns the time of the current turn of the event loop, in milliseconds: cheaper than `now` for many calls in one turn.
   * Absent: callers use `now`.
   */
  turnNow?(): number
  /** Invokes the callback once, after the current turn of the event loop. Absent: callers use `schedule(0, callback)`. */
  afterTurn?(callback: () => void): void
  /**
   * Invokes the callback once after `delayMs` (0 to 2³¹ − 1), never before `schedule` returns. Returns a function that
   * cancels; it is idempotent and has no effect afterwards.
   */
  schedule(delayMs: number, callback: () => void): () => void
}

/** Returns the time of the current turn if the clock has it, otherwise `now`. */
export function turnNow(clock: Clock): number {
  return clock.turnNow === undefined ? clock.now() : clock.turnNow()
}
