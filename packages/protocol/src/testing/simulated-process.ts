// Simulates one process: a page or a server. While it is frozen (a sleeping laptop, a debugger, a long garbage collection), its
// timers and incoming messages wait. While it is throttled (a hidden page), its timers run only at aligned times, and
// messages arrive as usual. Must not know the code that runs in it.
import type { Clock } from "../base/clock.ts"

export interface Freeze {
  /** True: the process's monotonic clock stops, as some do while a machine sleeps. */
  readonly stopsClock: boolean
  /** True: its network stack answers pings and receives bytes, as a browser does for a frozen page. */
  readonly answersPings: boolean
}

/** Alignment of a hidden page's timers, in milliseconds: a timer runs at the first multiple after it is due. */
export interface Throttle {
  /** Alignment of timers that timers set, after the fifth one of a chain; Chromium: 60,000. */
  readonly chainedMs: number
  /** Alignment of all other timers; Chromium: 1,000. */
  readonly freshMs: number
}

/** Length of a chain of timers above which `chainedMs` applies, as in the HTML standard. */
const longChain = 5

interface HeldBack {
  readonly cancel: () => void
  readonly fire: () => void
}

export class SimulatedProcess implements Clock {
  readonly #clock: Clock
  #throttle: Throttle | undefined
  readonly #heldBack = new Set<HeldBack>()
  /** Length of the chain of the running timer; 0 while none runs. */
  #chain = 0
  readonly #waiting: (() => void)[] = []
  readonly #onThaw = new Set<() => void>()
  #freeze: Freeze | undefined
  #isDead = false
  #frozenAtMs = 0
  /** Delay of the process's clock behind the simulation's, in milliseconds. */
  #lostMs = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get isDead(): boolean {
    return this.#isDead
  }

  get isFrozen(): boolean {
    return this.#isDead || this.#freeze !== undefined
  }

  get answersPings(): boolean {
    return !this.#isDead && (this.#freeze === undefined || this.#freeze.answersPings)
  }

  now(): number {
    return this.#clock.now() - this.#lostMs
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const chain = this.#chain + 1
    let isCancelled = false
    let held: HeldBack | undefined
    const runTimer = (): void => {
      if (isCancelled) return
      this.#chain = chain
      try {
        callback()
      } finally {
        this.#chain = 0
      }
    }
    const fire = (): void => {
      if (held !== undefined) this.#heldBack.delete(held)
      if (isCancelled || this.#isDead) return
      const lateMs = this.#lateMs(chain)
      if (lateMs > 0) {
        held = { cancel: this.#clock.schedule(lateMs, fire), fire }
        this.#heldBack.add(held)
      } else if (this.#freeze === undefined) runTimer()
      else this.#waiting.push(runTimer)
    }
    const cancel = this.#clock.schedule(delayMs, fire)
    return () => {
      isCancelled = true
      cancel()
      held?.cancel()
      if (held !== undefined) this.#heldBack.delete(held)
    }
  }

  /** Returns the milliseconds until a due timer may run. */
  #lateMs(chain: number): number {
    if (this.#throttle === undefined) return 0
    const { chainedMs, freshMs } = this.#throttle
    const everyMs = chain > longChain ? chainedMs : freshMs
    const sinceMs = this.#clock.now() % everyMs
    return sinceMs === 0 ? 0 : everyMs - sinceMs
  }

  get isThrottled(): boolean {
    return this.#throttle !== undefined
  }

  /** Throttles timers. Undefined: ends the throttling, and overdue timers run at once. */
  throttle(throttle: Throttle | undefined): void {
    this.#throttle = throttle
    const heldBack = [...this.#heldBack]
    this.#heldBack.clear()
    for (const { cancel, fire } of heldBack) {
      cancel()
      this.#clock.schedule(0, fire)
    }
  }

  /** Runs the work now, or after the thaw. A dead process does not run it. */
  run(work: () => void): void {
    if (this.#isDead) return
    if (this.#freeze === undefined) work()
    else this.#waiting.push(work)
  }

  /** Adds a callback for every thaw. Returns the function that removes it. */
  onThaw(callback: () => void): () => void {
    this.#onThaw.add(callback)
    return () => void this.#onThaw.delete(callback)
  }

  freeze(freeze: Freeze): void {
    if (this.#freeze !== undefined) return
    this.#freeze = freeze
    this.#frozenAtMs = this.#clock.now()
  }

  /** Ends the process: nothing runs in it any more. */
  kill(): void {
    this.#isDead = true
    this.#waiting.length = 0
  }

  /** Ends the freeze. Waiting work runs in order, each piece as a separate event. */
  thaw(): void {
    if (this.#freeze === undefined) return
    if (this.#freeze.stopsClock) this.#lostMs += this.#clock.now() - this.#frozenAtMs
    this.#freeze = undefined
    for (const work of this.#waiting.splice(0)) this.#clock.schedule(0, () => this.run(work))
    for (const callback of [...this.#onThaw]) callback()
  }
}
