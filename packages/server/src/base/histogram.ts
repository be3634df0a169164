// Counts measurements by size: fixed bounds, one number per bucket, nothing allocated per measurement.

export interface HistogramReading {
  /** The highest value of each bucket, in milliseconds; one more bucket holds what is above the last. */
  readonly boundsMs: readonly number[]
  /** Measurements per bucket, not cumulative: one more than there are bounds. */
  readonly counts: readonly number[]
  readonly count: number
  readonly sumMs: number
}

/** From a reply out of memory to one that nobody waited for. */
export const latencyBoundsMs: readonly number[] = [
  1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000,
]

/** From a connection that breaks at once to one that lasts for a day. */
export const attachmentBoundsMs: readonly number[] = [
  1_000, 10_000, 60_000, 300_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 86_400_000,
]

/** From a change of cells to a tab that slept; the resume window ends in the midst of it. */
export const absenceBoundsMs: readonly number[] = [
  100, 250, 500, 1_000, 2_500, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000,
]

export class Histogram {
  readonly #boundsMs: readonly number[]
  readonly #counts: Float64Array
  #count = 0
  #sumMs = 0

  /** @param boundsMs ascending; a value on a bound belongs to the bucket below it. */
  constructor(boundsMs: readonly number[]) {
    this.#boundsMs = boundsMs
    this.#counts = new Float64Array(boundsMs.length + 1)
  }

  get count(): number {
    return this.#count
  }

  record(valueMs: number): void {
    const bounds = this.#boundsMs
    let bucket = 0
    while (bucket < bounds.length && valueMs > (bounds[bucket] ?? 0)) bucket += 1
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#count += 1
    this.#sumMs += valueMs
  }

  read(): HistogramReading {
    return {
      boundsMs: this.#boundsMs,
      counts: [...this.#counts],
      count: this.#count,
      sumMs: this.#sumMs,
    }
  }
}
