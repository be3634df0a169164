// Decides which of many deadlines is due, and keeps one timer of the clock for the earliest of them.
// Must not know what the deadlines are for, or whether the clock is real.
// Browsers hold back the timers of a hidden page, timers set by timers for up to a minute. A held-back timer delays no
// other deadline: `at` replaces a late one, and `runDue` runs what is overdue when a message arrives.
//
// Invariants:
//  1. While no callback runs, one timer of the clock is armed if there are entries and none if there are none, and
//     it is armed for the earliest entry.
//  2. Entries fire in the order of their times, at equal times in the order in which they were added.
//  3. An entry fires at most once, never before its time, and never after it was cancelled.
//  4. What a callback adds waits for the next wake-up, even when it is due at once: callbacks that add themselves
//     again cannot hold up the event loop.
//  5. `at` runs no callback. It replaces the timer of the clock once for each `lateMs` that the timer is late, so that
//     a busy event loop cannot postpone the timer for ever.
//
// It has no bound of its own: each entry belongs to something that is bounded (a request, a connection).
import { turnNow } from "./clock.ts"
import type { Clock } from "./clock.ts"
import { TimerHeap } from "./timer-heap.ts"

/** The longest delay that setTimeout takes; longer waits are split. */
const maxDelayMs = 2 ** 31 - 1

/** Delay of a timer of the clock, in milliseconds, beyond which `at` replaces it: more than a busy event loop causes. */
const lateMs = 100

/** Many deadlines on one timer: adding and cancelling cost O(log n), and a cancelled entry is gone at once. */
export class TimerQueue {
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  readonly #heap = new TimerHeap()
  /** While callbacks run: the time of this wake-up. */
  #firingAtMs: number | undefined
  /** Time of the entry that the timer of the clock is armed for. */
  #armedAtMs: number | undefined
  /** Time at which that timer was to fire. */
  #firesAtMs = 0
  /** True if `runDue` armed it: not from a timer, so no browser counts it as part of a chain of timers. */
  #isFresh = false
  #disarm: () => void = () => {}

  /** `onError` hears of what a callback throws; the other callbacks run all the same. It must not throw itself. */
  constructor(clock: Clock, onError: (error: unknown) => void) {
    this.#clock = clock
    this.#onError = onError
  }

  /** Entries that have neither fired nor been cancelled. */
  get size(): number {
    return this.#heap.size
  }

  /**
   * Calls back once when the clock reads `atMs` or later; a time that has passed means as soon as possible, never
   * before this returns. Returns a function that cancels, harmless when called twice or too late.
   * Throws RangeError unless `atMs` is finite.
   */
  at(atMs: number, callback: () => void): () => void {
    if (!Number.isFinite(atMs)) throw new RangeError(`the time of a timer must be finite, not ${atMs}`)
    const entry = this.#heap.add(
      this.#firingAtMs === undefined ? atMs : Math.max(atMs, this.#firingAtMs),
      callback,
    )
    if (this.#isLate()) this.#forgetTimer()
    this.#arm()
    return () => {
      if (this.#heap.remove(entry)) this.#arm()
    }
  }

  /** Calls back once after `delayMs`; else as `at`. */
  after(delayMs: number, callback: () => void): () => void {
    return this.at(this.#clock.now() + delayMs, callback)
  }

  /**
   * Runs what is overdue, as a wake-up of the clock does, and arms a fresh timer for the rest. Called when a message
   * has arrived. Does nothing while callbacks run.
   */
  runDue(): void {
    const { first } = this.#heap
    if (first === undefined || this.#firingAtMs !== undefined) return
    const isDue = first.atMs <= this.#clock.now()
    if (this.#isFresh && !isDue) return
    this.#forgetTimer()
    if (isDue) this.#wake()
    else this.#arm()
    this.#isFresh = this.#armedAtMs !== undefined
  }

  /** Cancels every entry and the timer of the clock. The queue can be used again. */
  clear(): void {
    this.#heap.clear()
    this.#arm()
  }

  #arm(): void {
    if (this.#firingAtMs !== undefined) return
    const wakeAtMs = this.#heap.first?.atMs
    if (wakeAtMs === this.#armedAtMs) return
    this.#forgetTimer()
    if (wakeAtMs === undefined) return
    const nowMs = this.#clock.now()
    const delayMs = Math.min(Math.max(wakeAtMs - nowMs, 0), maxDelayMs)
    this.#armedAtMs = wakeAtMs
    this.#firesAtMs = nowMs + delayMs
    this.#disarm = this.#clock.schedule(delayMs, () => {
      this.#armedAtMs = undefined
      this.#wake()
    })
  }

  #forgetTimer(): void {
    this.#disarm()
    this.#disarm = () => {}
    this.#armedAtMs = undefined
    this.#isFresh = false
  }

  #isLate(): boolean {
    return this.#armedAtMs !== undefined && turnNow(this.#clock) - this.#firesAtMs > lateMs
  }

  #wake(): void {
    const nowMs = this.#clock.now()
    const addedBefore = this.#heap.added
    this.#firingAtMs = nowMs
    try {
      let entry = this.#heap.first
      while (entry !== undefined && entry.atMs <= nowMs && entry.order < addedBefore) {
        this.#heap.remove(entry)
        this.#run(entry.callback)
        entry = this.#heap.first
      }
    } finally {
      this.#firingAtMs = undefined
      this.#arm()
    }
  }

  #run(callback: () => void): void {
    try {
      callback()
    } catch (error) {
      this.#onError(error)
    }
  }
}
