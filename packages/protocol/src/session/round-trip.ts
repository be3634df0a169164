// Estimates the round trip of a peer from measured samples, and derives deadlines from it. Smoothing and deviation
// follow RFC 6298, section 2, but that the deviation shrinks more slowly. Pure: it reads no clock; an owner keeps one
// estimate across the connections to a peer.

export interface RoundTripBounds {
  /** The result is never below this, in milliseconds; also the result before the first sample. */
  readonly leastMs: number
  /** The result is never above this, in milliseconds, whatever was measured or lost. */
  readonly mostMs: number
  /** Round trips that the awaited answer takes, such as 4 for TCP, TLS and an upgrade. Default 1. */
  readonly roundTrips?: number
  /** Factor on the estimate. Default 1, which is for deadlines that are repeated when they pass. */
  readonly patience?: number
}

/**
 * Factors for deadlines whose end closes a connection. TCP repeats a lost segment after 0.2, 0.4, 0.8 … s, and what
 * was sent after it waits: on a link that loses a fifth, one answer of a hundred takes ten times the usual. With 24, a
 * probe in 50,000 kills a live connection there. After a wake a dead connection is likely, and a page waits.
 */
export const probePatience = 24
export const wakePatience = 8

/** Weights of a new sample, from RFC 6298. */
const smoothedShare = 1 / 8
const deviationShare = 1 / 4
const deviations = 4
/**
 * Weight of a sample that deviates less than the estimate: RFC 6298 has a quarter here, too. Samples are rare here, one in
 * several seconds, and after eight lucky ones a link that loses a fifth looked like one that loses nothing.
 */
const calmShare = 1 / 16

/** A round trip above this is no round trip: the process slept, or the peer took its time. */
const sampleMaxMs = 60_000

export class RoundTrip {
  #smoothedMs: number | undefined
  #deviationMs = 0
  #lengthenedBy = 1

  /** The smoothed round trip in milliseconds; undefined before the first sample. */
  get smoothedMs(): number | undefined {
    return this.#smoothedMs
  }

  /** Adds a sample in milliseconds, and takes back what `lengthen` added. A sample below 0 or without end is ignored. */
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

  /** Doubles every `timeoutMs` until the next sample: an answer did not come in time, and may have been late only. */
  lengthen(): void {
    this.#lengthenedBy = Math.min(this.#lengthenedBy * 2, 2 ** 16)
  }

  /** The time within which an answer comes as a rule, without bounds and without `lengthen`; 0 before the first sample. */
  expectedMs(roundTrips = 1): number {
    return (this.#smoothedMs ?? 0) * roundTrips + this.#deviationMs * deviations
  }

  /** The time after which an answer is missed: `expectedMs`, at least `leastMs`, lengthened; `mostMs` at most. */
  timeoutMs({ leastMs, mostMs, roundTrips = 1, patience = 1 }: RoundTripBounds): number {
    return Math.min(Math.max(leastMs, patience * this.expectedMs(roundTrips)) * this.#lengthenedBy, mostMs)
  }
}
