// Records the last steps of a run. Defines the error of a violated invariant.
import type { Clock } from "@hawser/protocol"

/** An invariant of docs/protocol.md does not hold. */
export class Violation extends Error {
  override readonly name = "Violation"
  readonly invariant: string

  constructor(invariant: string, text: string) {
    super(`${invariant}: ${text}`)
    this.invariant = invariant
  }
}

type Word = string | number | boolean | undefined

const keptLines = 400

/** The last lines of a run. Words are joined only when the trace is read. */
export class Trace {
  readonly #clock: Clock
  readonly #lines: { readonly atMs: number; readonly words: readonly Word[] }[] = []
  readonly #isKept: boolean
  #next = 0

  /**
   * @param isKept false records nothing. A run is deterministic, so only the second run of a failing seed needs a
   * trace.
   */
  constructor(clock: Clock, isKept: boolean) {
    this.#clock = clock
    this.#isKept = isKept
  }

  add(...words: readonly Word[]): void {
    if (!this.#isKept) return
    this.#lines[this.#next % keptLines] = { atMs: this.#clock.now(), words }
    this.#next += 1
  }

  lines(): string[] {
    const first = this.#next % keptLines
    return [...this.#lines.slice(first), ...this.#lines.slice(0, first)].map(
      ({ atMs, words }) => `${atMs.toFixed(1).padStart(10)}  ${words.join(" ")}`,
    )
  }
}
