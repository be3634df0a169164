// Estimates the round trip of a peer from measured samples, and derives deadlines from it. Smoothing and deviation follow RFC
// 6298, section 2, except that the deviation shrinks more slowly. An owner keeps one estimate across the connections to a
// peer. Must not know clocks.

/** Bounds and factors of a deadline. */
export interface RoundTripBounds {
  /** Lower bound of the result, in milliseconds; also the result before the first sample. */
  readonly leastMs: number
  /** Upper bound of the result, in milliseconds. */
  readonly mostMs: number
  /** Round trips until the answer, such as 4 for TCP, TLS and an upgrade. Default 1. */
  readonly roundTrips?: number
  /** Factor on the estimate. Default 1, which suits deadlines that are repeated when they pass. */
  readonly patience?: number
}

/**
 * Factors for deadlines that close a connection. TCP retransmits a lost segment after 0.2, 0.4, 0.8 … s, and later segments
 * wait for it: on a link that loses a fifth, one answer in a hundred takes ten times the usual time. With 24, one probe in
 * 50,000 closes a live connection there. After a wake a dead connection is likely and a page waits, hence a smaller factor.
 */
export const probePatience = 24
export const wakePatience = 8

/** Weights of a new sample, from RFC 6298. */
const smoothedShare = 1 / 8
const deviationShare = 1 / 4
const deviations = 4
/**
 * Weight of a sample that deviates less than the estimate; in RFC 6298 a quarter. Samples are rare here, one in several
 * seconds, and with a quarter eight lucky ones made a link that loses a fifth look like a link without losses.
 */
const calmShare = 1 / 16

/** Upper bound of a sample, in milliseconds. A longer one measures a sleep of the process or a delay of the peer. */
const sampleMaxMs = 60_000

/** Estimate of one peer's round trip. */
export class RoundTrip {
  #smoothedMs: number | undefined
  #deviationMs = 0
  #lengthenedBy = 1

  /** The smoothed round trip in milliseconds; undefined before the first sample. */
  get smoothedMs(): number | undefined {
    return this.#smoothedMs
  }

  /** Adds a sample in milliseconds, and undoes `lengthen`. Ignores a negative or non-finite sample. */
  observe(ms: number): void {
    if (!Number.isFinite(ms) || ms < 0) return
    const sampleMs = Math.min(ms, sampleMaxMs)
    this.#lengthenedBy = 1
    if (this.#smoothedMs === undefined) {
      this.#smoothedMs = sampleMs
      this.#deviationMs = sampleMs / 2
      return
    }
    const missMs = Math.abs(this.#smoothedMs - sampleMs)
    const growthMs = missMs - this.#deviationMs
    this.#deviationMs += growthMs * (growthMs > 0 ? deviationShare : calmShare)
    this.#smoothedMs += (sampleMs - this.#smoothedMs) * smoothedShare
  }

  /** Doubles every `timeoutMs` until the next sample, after a missed answer, which may only be late. */
  lengthen(): void {
    this.#lengthenedBy = Math.min(this.#lengthenedBy * 2, 2 ** 16)
  }

  /** Returns the usual time of an answer, without bounds and `lengthen`, in milliseconds; 0 before the first sample. */
  expectedMs(roundTrips = 1): number {
    return (this.#smoothedMs ?? 0) * roundTrips + this.#deviationMs * deviations
  }

  /** Returns the time limit of an answer, in milliseconds: `expectedMs`, at least `leastMs`, lengthened, at most `mostMs`. */
  timeoutMs({ leastMs, mostMs, roundTrips = 1, patience = 1 }: RoundTripBounds): number {
    return Math.min(Math.max(leastMs, patience * this.expectedMs(roundTrips)) * this.#lengthenedBy, mostMs)
  }
}
