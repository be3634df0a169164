// Measures the appends of a journal. Plain numbers: an append costs two readings of the clock. Must not know engines and records.
import { Histogram } from "../base/histogram.ts"
import type { HistogramReading } from "../base/histogram.ts"

/** Bounds of append times: from a write that the system's memory takes to a disk that is busy or full. */
const appendBoundsMs: readonly number[] = [
  0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000,
]
/** Time above which an append counts as a stall, in milliseconds. */
const stallMs = 50

/** Appends of a journal since its server was created. */
export interface AppendStats {
  /** Records that were kept: one for each turn in which something has happened. */
  readonly records: number
  /** Bytes of these records. */
  readonly bytes: number
  /** Appends that took more than 50 ms. */
  readonly stalls: number
  /** Time for which output has waited for appends outside the event loop, in milliseconds; with the current wait. */
  readonly heldMs: number
  /** Age of the append that output waits for now, in milliseconds; 0 for none. */
  readonly pendingMs: number
  /** Times from an append to the moment at which its record was kept. */
  readonly appends: HistogramReading
}

export class JournalMeter {
  readonly #now: () => number
  readonly #appends = new Histogram(appendBoundsMs)
  #bytes = 0
  #stalls = 0
  #heldMs = 0
  #startMs = 0
  /** True while output waits for an append. */
  #isHeld = false

  /** @param now monotonic time in milliseconds. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** An append begins; the one before has ended. */
  begin(): void {
    this.#startMs = this.#now()
  }

  /** The append goes on outside the event loop. */
  hold(): void {
    this.#isHeld = true
  }

  /** A record of this length was kept. */
  end(bytes: number): void {
    const tookMs = this.#now() - this.#startMs
    this.#appends.record(tookMs)
    this.#bytes += bytes
    if (tookMs > stallMs) this.#stalls += 1
    if (this.#isHeld) this.#heldMs += tookMs
    this.#isHeld = false
  }

  read(): AppendStats {
    const pendingMs = this.#isHeld ? this.#now() - this.#startMs : 0
    return {
      records: this.#appends.count,
      bytes: this.#bytes,
      stalls: this.#stalls,
      heldMs: this.#heldMs + pendingMs,
      pendingMs,
      appends: this.#appends.read(),
    }
  }
}
