// Counts writes that have blocked the event loop. Must not know files.

/** Writes above this time count as slow, in milliseconds. */
export const slowMs = 50
/** Number of slow writes within `slowWindowMs` after which they are too many. */
export const slowMax = 3
const slowWindowMs = 10_000

export class SlowWrites {
  #slowAtMs: number[] = []
  #areTooMany = false

  /** True once `slowMax` writes within ten seconds were slow. */
  get areTooMany(): boolean {
    return this.#areTooMany
  }

  /** Notes a write by its times in milliseconds. Returns true if it has made the slow ones too many. */
  note(startMs: number, nowMs: number): boolean {
    if (nowMs - startMs <= slowMs) return false
    this.#slowAtMs = [...this.#slowAtMs.filter((atMs) => nowMs - atMs < slowWindowMs), nowMs]
    this.#areTooMany = this.#slowAtMs.length >= slowMax
    return this.#areTooMany
  }
}
