// Histogram with fixed bounds: one number per bucket, no allocation per measurement.

/** Counts of a histogram at one moment. */
export interface HistogramReading {
  /** Inclusive upper bound of each bucket, in milliseconds, ascending. One more bucket holds all larger values. */
  readonly boundsMs: readonly number[]
  /** Measurements in each bucket, not cumulative; one number more than `boundsMs`. */
  readonly counts: readonly number[]
  /** Number of all measurements. */
  readonly count: number
  /** Sum of all measurements, in milliseconds. */
  readonly sumMs: number
}

/** Bounds of request latencies: from a reply without I/O to the usual deadline of a caller. */
export const latencyBoundsMs: readonly number[] = [
  1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000,
]

/** Bounds of attached times: from a connection that breaks at once to one of a day. */
export const attachmentBoundsMs: readonly number[] = [
  1_000, 10_000, 60_000, 300_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 86_400_000,
]

/** Bounds of detached times: from a change of radio cells to a suspended tab. The resume window lies within them. */
export const absenceBoundsMs: readonly number[] = [
  100, 250, 500, 1_000, 2_500, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000,
]

export class Histogram {
  readonly #boundsMs: readonly number[]
  readonly #counts: Float64Array
  #count = 0
  #sumMs = 0

  /** @param boundsMs ascending; a value equal to a bound belongs to the bucket of that bound. */
  constructor(boundsMs: readonly number[]) {
    this.#boundsMs = boundsMs
    this.#counts = new Float64Array(boundsMs.length + 1)
  }

  get count(): number {
    return this.#count
  }

  /** Counts one measurement. */
  record(valueMs: number): void {
    const bounds = this.#boundsMs
    let bucket = 0
    while (bucket < bounds.length && valueMs > (bounds[bucket] ?? 0)) bucket += 1
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#count += 1
    this.#sumMs += valueMs
  }

  /** Returns a copy of the counts. */
  read(): HistogramReading {
    return {
      boundsMs: this.#boundsMs,
      counts: [...this.#counts],
      count: this.#count,
      sumMs: this.#sumMs,
    }
  }
}
