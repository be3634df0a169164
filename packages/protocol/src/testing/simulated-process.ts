// One process of a simulation: a page, a server. It can be frozen for a while, as by a sleeping laptop, a debugger or
// a long collection of garbage: its timers wait, and nothing reaches it, while the world goes on. It can be throttled,
// as a hidden page: its timers run at certain times only, and messages reach it as before.
// Must not know what runs in it.
import type { Clock } from "../base/clock.ts"

export interface Freeze {
  /** True: the process's monotonic clock stands still meanwhile, as some do while a machine sleeps. */
  readonly stopsClock: boolean
  /** True: its network stack still answers pings and takes in bytes, as a browser does for a frozen page. */
  readonly answersPings: boolean
}

/** Alignment of a hidden page's timers, in milliseconds: a timer runs at the first multiple after it is due. */
export interface Throttle {
  /** For timers that timers set, from the fifth one of a chain on; Chromium: 60,000. */
  readonly chainedMs: number
  /** For all others; Chromium: 1,000. */
  readonly freshMs: number
}

/** The length of a chain of timers from which `chainedMs` holds, as in the HTML standard. */
const longChain = 5

interface HeldBack {
  readonly cancel: () => void
  readonly fire: () => void
}

export class SimulatedProcess implements Clock {
  readonly #clock: Clock
  #throttle: Throttle | undefined
  readonly #heldBack = new Set<HeldBack>()
  /** Length of the chain of timers whose last one runs; 0 while none does. */
  #chain = 0
  readonly #waiting: (() => void)[] = []
  readonly #onThaw = new Set<() => void>()
  #freeze: Freeze | undefined
  #isDead = false
  #frozenAtMs = 0
  /** How much the process's clock lags behind the world's. */
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

  /** Milliseconds from now to the time at which a timer that is due may run. */
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

  /** Holds timers back from now on. Undefined: no longer, and those that are overdue run at once. */
  throttle(throttle: Throttle | undefined): void {
    this.#throttle = throttle
    const heldBack = [...this.#heldBack]
    this.#heldBack.clear()
    for (const { cancel, fire } of heldBack) {
      cancel()
      this.#clock.schedule(0, fire)
    }
  }

  /** Runs now, or after the thaw. */
  run(work: () => void): void {
    if (this.#isDead) return
    if (this.#freeze === undefined) work()
    else this.#waiting.push(work)
  }

  /** Called after every thaw. Returns how to stop. */
  onThaw(callback: () => void): () => void {
    this.#onThaw.add(callback)
    return () => void this.#onThaw.delete(callback)
  }

  freeze(freeze: Freeze): void {
    if (this.#freeze !== undefined) return
    this.#freeze = freeze
    this.#frozenAtMs = this.#clock.now()
  }

  /** The process is gone: nothing runs in it any more. */
  kill(): void {
    this.#isDead = true
    this.#waiting.length = 0
  }

  /** What had to wait comes in its order, each piece as an event of its own. */
  thaw(): void {
    if (this.#freeze === undefined) return
    if (this.#freeze.stopsClock) this.#lostMs += this.#clock.now() - this.#frozenAtMs
    this.#freeze = undefined
    for (const work of this.#waiting.splice(0)) this.#clock.schedule(0, () => this.run(work))
    for (const callback of [...this.#onThaw]) callback()
  }
}
