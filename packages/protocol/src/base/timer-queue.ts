// Runs deadlines in order, on one timer of the clock for the earliest of them.
// Must not know the purpose of a deadline, or whether the clock is real.
// Browsers delay the timers of a hidden page, timers set by timers for up to a minute. A delayed timer delays no other
// deadline: `at` replaces a late timer, and `runDue` runs the overdue deadlines when a message arrives.
//
// Invariants:
//  1. While no callback runs, one timer of the clock is armed if there are entries and none if there are none, and
//     it is armed for the earliest entry.
//  2. Entries fire in the order of their times, at equal times in the order in which they were added.
//  3. An entry fires at most once, never before its time, and never after it was cancelled.
//  4. An entry that a callback adds waits for the next wake-up, even if it is due at once: a callback that adds itself
//     again cannot block the event loop.
//  5. `at` runs no callback. It replaces the timer of the clock once for each `lateMs` that the timer is late, so that
//     a busy event loop cannot postpone the timer for ever.
//
// The queue has no bound: each entry belongs to an object that has one (a request, a connection).
import { turnNow } from "./clock.ts"
import type { Clock } from "./clock.ts"
import { TimerHeap } from "./timer-heap.ts"

/** Maximum delay of setTimeout, in milliseconds; longer waits are split. */
const maxDelayMs = 2 ** 31 - 1

/** Delay of a timer of the clock, in milliseconds, beyond which `at` replaces it: more than a busy event loop causes. */
const lateMs = 100

/** Many deadlines on one timer. Adding and cancelling cost O(log n); a cancelled entry is removed at once. */
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

  /**
   * Creates an empty queue, without a timer of the clock.
   * @param onError receives each error that a callback throws; the other callbacks still run. It must not throw.
   */
  constructor(clock: Clock, onError: (error: unknown) => void) {
    this.#clock = clock
    this.#onError = onError
  }

  /** Number of entries that have neither fired nor been cancelled. */
  get size(): number {
    return this.#heap.size
  }

  /**
   * Invokes the callback once at `atMs` or later; if that time has passed, as soon as possible, but never before `at`
   * returns. Returns a function that cancels; it is idempotent and has no effect after the callback has run.
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

  /** Invokes the callback once after `delayMs`, in milliseconds; otherwise as `at`. */
  after(delayMs: number, callback: () => void): () => void {
    return this.at(this.#clock.now() + delayMs, callback)
  }

  /**
   * Runs the overdue entries, as a wake-up of the clock does, and arms a fresh timer for the rest. Called when a message
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
