// What happened last, and what must never happen.
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

/** The last lines of a run. Words are joined only when somebody reads them. */
export class Trace {
  readonly #clock: Clock
  readonly #lines: { readonly atMs: number; readonly words: readonly Word[] }[] = []
  readonly #isKept: boolean
  #next = 0

  /** @param isKept false: nothing is. A run repeats exactly, so that only the second one of a failing seed need keep it. */
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
