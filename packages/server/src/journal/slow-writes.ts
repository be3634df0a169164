// Counts writes that have blocked the event loop. Must not know files.

/** Writes above this time count as slow, in milliseconds. */
const slowMs = 50
/** Number of slow writes within `slowWindowMs` after which they are too many. */
const slowMax = 3
const slowWindowMs = 10_000

export class SlowWrites {
  #slowAtMs: number[] = []
  #areTooMany = false

  /** True once `slowMax` writes within ten seconds were slow. */
  get areTooMany(): boolean {
    return this.#areTooMany
  }

  /** Notes a write by its times in milliseconds. Returns the alarm if it has made the slow ones too many. */
  note(startMs: number, nowMs: number): Error | undefined {
    if (nowMs - startMs <= slowMs) return undefined
    this.#slowAtMs = [...this.#slowAtMs.filter((atMs) => nowMs - atMs < slowWindowMs), nowMs]
    this.#areTooMany = this.#slowAtMs.length >= slowMax
    if (!this.#areTooMany) return undefined
    return new Error(
      `${slowMax} appends to the journal took more than ${slowMs} ms; the next ones are written outside the event loop`,
    )
  }
}
