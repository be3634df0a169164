// Decides in which order the timers of a test run, and what time it is: time moves only when the test says so.
// Must not know what is timed. Work that waits for real I/O or real timers is outside its reach.
import type { Clock } from "../base/clock.ts"

interface Timer {
  readonly atMs: number
  readonly callback: () => void
}

/** Turns of the microtask queue that count as "promise jobs have run": enough for 20 `await`s one after the other. */
const promiseTurns = 20
/** Timers at one and the same time after which the clock gives up: no sensible test comes near it. */
const maxTimersPerInstant = 10_000
const maxDelayMs = 2 ** 31 - 1

/** A clock of which a test moves the hands. It starts at 0. */
export class SimulatedClock implements Clock {
  #nowMs = 0
  /** Latest first, at equal times the youngest first, so that the next timer is the last. */
  readonly #timers: Timer[] = []
  #isRunning = false

  /** Simulated milliseconds since the clock was made. */
  now(): number {
    return this.#nowMs
  }

  /** Timers that have neither run nor been cancelled. */
  get pendingCount(): number {
    return this.#timers.length
  }

  /**
   * Calls back once when `delayMs` of simulated time have passed. Throws RangeError unless `delayMs` is at least 0
   * and at most 2^31 - 1, beyond which a real `setTimeout` would fire at once.
   */
  schedule(delayMs: number, callback: () => void): () => void {
    if (!(delayMs >= 0 && delayMs <= maxDelayMs)) {
      throw new RangeError(`the delay of a timer must be from 0 to ${maxDelayMs} ms, not ${delayMs}`)
    }
    const timer: Timer = { atMs: this.#nowMs + delayMs, callback }
    this.#timers.splice(this.#firstNotAfter(timer.atMs), 0, timer)
    return () => {
      const index = this.#timers.indexOf(timer, this.#firstNotAfter(timer.atMs))
      if (index !== -1) this.#timers.splice(index, 1)
    }
  }

  /**
   * Moves time on by `ms` and runs the timers that come due, in the order of their times and then of their making,
   * each at its own time; timers that these add are included. Before the first, after each and at the end it lets
   * promise jobs run (20 turns of the microtask queue: a chain of more than 20 awaits may not have ended).
   * Rejects with what a timer throws (time then stands at that timer), with an Error when 10,000 timers ran without
   * time moving on, when it is called while it still runs, and with RangeError unless `ms` is ≥ 0 and finite.
   */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0 && ms < Infinity)) throw new RangeError(`time moves on by at least 0 ms, not by ${ms}`)
    if (this.#isRunning) throw new Error("the simulated clock is already running: await the call before")
    this.#isRunning = true
    try {
      await this.#runUntil(this.#nowMs + ms)
    } finally {
      this.#isRunning = false
    }
  }

  /** Lets promise jobs run, and timers that are due without time moving on, until neither is left; as `advance(0)`. */
  settle(): Promise<void> {
    return this.advance(0)
  }

  async #runUntil(endMs: number): Promise<void> {
    let ranInInstant = 0
    await letPromiseJobsRun()
    for (
      let next = this.#timers.at(-1);
      next !== undefined && next.atMs <= endMs;
      next = this.#timers.at(-1)
    ) {
      ranInInstant = next.atMs === this.#nowMs ? ranInInstant + 1 : 1
      if (ranInInstant > maxTimersPerInstant) {
        throw new Error(
          `${maxTimersPerInstant} timers ran at ${this.#nowMs} ms and there are more: ` +
            "something schedules itself again with a delay of 0",
        )
      }
      this.#timers.pop()
      this.#nowMs = next.atMs
      next.callback()
      await letPromiseJobsRun()
    }
    this.#nowMs = endMs
  }

  /** The index of the first timer that is due at `atMs` or before; by bisection, for the timers are in order. */
  #firstNotAfter(atMs: number): number {
    let low = 0
    let high = this.#timers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#timers[middle]?.atMs ?? atMs) > atMs) low = middle + 1
      else high = middle
    }
    return low
  }
}

async function letPromiseJobsRun(): Promise<void> {
  for (let turn = 0; turn < promiseTurns; turn += 1) await Promise.resolve()
}
