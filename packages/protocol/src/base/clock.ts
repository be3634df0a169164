// Decides nothing: it is the one way in which this package hears of time. Runners hand in a real clock, the
// simulator a virtual one. Must not know what is timed.

/** Time as the protocol sees it: monotonic, in milliseconds, from an arbitrary start. */
export interface Clock {
  /** Monotonic milliseconds, fractions allowed. */
  now(): number
  /**
   * The same for what happens many times in one turn of the event loop: it may be as old as the turn. Where it is
   * absent, `now` serves.
   */
  turnNow?(): number
  /**
   * Calls back once after delayMs (≥ 0, at most 2^31 - 1), never before `schedule` has returned; returns a function
   * that cancels and may be called at any time, also twice.
   */
  schedule(delayMs: number, callback: () => void): () => void
}

/** Of the turn, where the clock knows it. */
export function turnNow(clock: Clock): number {
  return clock.turnNow === undefined ? clock.now() : clock.turnNow()
}
