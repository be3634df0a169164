// Histogram of reply times, in tenths of a millisecond. Adding a time allocates nothing.

const bucketsPerMs = 10
/** 10 s; a longer time counts as 10 s. */
const buckets = 100_000

export class Latencies {
  readonly #counts = new Uint32Array(buckets)
  #count = 0
  #highest = 0

  get count(): number {
    return this.#count
  }

  add(ms: number): void {
    const bucket = Math.min(buckets - 1, Math.max(0, Math.floor(ms * bucketsPerMs)))
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#count += 1
    this.#highest = Math.max(this.#highest, bucket)
  }

  /** Returns the time that this share of them does not exceed, to a tenth of a millisecond; 0 without times. */
  quantile(part: number): number {
    const wanted = Math.ceil(this.#count * part)
    let below = 0
    for (let bucket = 0; bucket <= this.#highest; bucket += 1) {
      below += this.#counts[bucket] ?? 0
      if (below >= wanted && below > 0) return (bucket + 1) / bucketsPerMs
    }
    return 0
  }

  clear(): void {
    this.#counts.fill(0, 0, this.#highest + 1)
    this.#count = 0
    this.#highest = 0
  }
}
