// Simulates time and orders timers. Time advances only in `advance`, `settle` and `step`. It cannot await real I/O or real
// timers. Must not know the purpose of timers.
import type { Clock } from "../base/clock.ts"
import { TimerHeap } from "../base/timer-heap.ts"

/** Turns of the microtask queue in which promise jobs run: enough for a chain of 20 awaits. */
const promiseTurns = 20
/** Timers at one time; above it `advance` fails. */
const maxTimersPerInstant = 10_000
const maxDelayMs = 2 ** 31 - 1
/**
 * All times are rounded up to a multiple of 1/1024 ms, which a number holds exactly. Without this, a rounding error
 * could run a timer early, and a timer that waits for the rest would schedule itself again without end.
 */
const gridPerMs = 1024

/** A clock for tests and simulations. It starts at 0. Timers with equal times run in the order of their creation. */
export class SimulatedClock implements Clock {
  #nowMs = 0
  readonly #timers = new TimerHeap()
  #isRunning = false

  /** Simulated milliseconds since the clock was created. */
  now(): number {
    return this.#nowMs
  }

  /** Number of timers that have neither run nor been cancelled. */
  get pendingCount(): number {
    return this.#timers.size
  }

  /** Time of the next timer; undefined if there is none. */
  get nextAtMs(): number | undefined {
    return this.#timers.first?.atMs
  }

  /**
   * Invokes the callback once after `delayMs` of simulated time. Throws RangeError unless `delayMs` is 0 to 2³¹ − 1; with a
   * longer delay a real `setTimeout` would fire at once.
   */
  schedule(delayMs: number, callback: () => void): () => void {
    if (!(delayMs >= 0 && delayMs <= maxDelayMs)) {
      throw new RangeError(`the delay of a timer must be from 0 to ${maxDelayMs} ms, not ${delayMs}`)
    }
    const timer = this.#timers.add(onGrid(this.#nowMs + delayMs), callback)
    return () => void this.#timers.remove(timer)
  }

  /**
   * Advances time to the next timer and runs it synchronously. The caller runs promise jobs between steps.
   * Returns false if there is no timer. Throws the timer's error.
   */
  step(): boolean {
    const { first } = this.#timers
    if (first === undefined) return false
    this.#timers.remove(first)
    this.#nowMs = first.atMs
    first.callback()
    return true
  }

  /**
   * Advances time by `ms` and runs the due timers, each at its own time, including timers that these add. Before the first,
   * after each and at the end promise jobs run (20 turns of the microtask queue).
   * Rejects with a timer's error (time then stays at that timer), with an Error when 10,000 timers have run at one
   * time or when a call is still running, and with RangeError unless `ms` is ≥ 0 and finite.
   */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0 && ms < Infinity)) throw new RangeError(`time advances by 0 ms or more, not by ${ms}`)
    if (this.#isRunning) throw new Error("the simulated clock is already running: await the previous call")
    this.#isRunning = true
    try {
      await this.#runUntil(onGrid(this.#nowMs + ms))
    } finally {
      this.#isRunning = false
    }
  }

  /** Runs promise jobs and the timers that are due now, until neither is left; the same as `advance(0)`. */
  settle(): Promise<void> {
    return this.advance(0)
  }

  async #runUntil(endMs: number): Promise<void> {
    let ranInInstant = 0
    await letPromiseJobsRun()
    for (let atMs = this.nextAtMs; atMs !== undefined && atMs <= endMs; atMs = this.nextAtMs) {
      ranInInstant = atMs === this.#nowMs ? ranInInstant + 1 : 1
      if (ranInInstant > maxTimersPerInstant) {
        throw new Error(
          `${maxTimersPerInstant} timers ran at ${this.#nowMs} ms and there are more: ` +
            "something schedules itself again with a delay of 0",
        )
      }
      this.step()
      await letPromiseJobsRun()
    }
    this.#nowMs = endMs
  }
}

function onGrid(timeMs: number): number {
  return Math.ceil(timeMs * gridPerMs) / gridPerMs
}

async function letPromiseJobsRun(): Promise<void> {
  for (let turn = 0; turn < promiseTurns; turn += 1) await Promise.resolve()
}
