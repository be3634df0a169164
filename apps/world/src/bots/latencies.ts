// Counts how long replies took, in tenths of a millisecond: nothing is allocated for one, however many there are.

const bucketsPerMs = 10
/** 10 s; what took longer counts as that. */
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

  /** The time that this part of them did not exceed, to a tenth of a millisecond; 0 for none. */
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
