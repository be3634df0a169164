// One process of a simulation: a page, a server. It can be frozen for a while, as by a sleeping laptop, a debugger or
// a long collection of garbage: its timers wait, and nothing reaches it, while the world goes on.
// Must not know what runs in it.
import type { Clock } from "../clock.ts"

export interface Freeze {
  /** True: the process's monotonic clock stands still meanwhile, as some do while a machine sleeps. */
  readonly stopsClock: boolean
  /** True: its network stack still answers pings and takes in bytes, as a browser does for a frozen page. */
  readonly answersPings: boolean
}

export class SimulatedProcess implements Clock {
  readonly #clock: Clock
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
    let isCancelled = false
    const cancel = this.#clock.schedule(delayMs, () => {
      if (isCancelled || this.#isDead) return
      if (this.#freeze === undefined) callback()
      else
        this.#waiting.push(() => {
          if (!isCancelled) callback()
        })
    })
    return () => {
      isCancelled = true
      cancel()
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
