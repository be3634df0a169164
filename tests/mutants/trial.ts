// The trial of one mutant: the check that kills it, and when.
import type { SourceCopy } from "./copy.ts"
import type { Mutant } from "./mutant.ts"
import { huntIn, testIn } from "./processes.ts"
import type { Finding } from "./processes.ts"

export type Verdict =
  | { readonly kind: "bySeed"; readonly seed: number; readonly by: string; readonly text: string }
  | { readonly kind: "byTest"; readonly by: string }
  | { readonly kind: "survived" }
  /** The mutant itself is faulty: nothing follows about the checks. */
  | { readonly kind: "broken"; readonly text: string }

export interface Budget {
  readonly seeds: number
  readonly steps: number
  /** Seeds 1 to this number are known to pass without a mistake. */
  readonly provenSeeds: number
  /** Also runs the simulator on mutants that it is known not to kill. */
  readonly alwaysSimulates: boolean
}

/** Tries one mutant after the other on one copy. */
export class Trials {
  readonly #copy: SourceCopy
  readonly #budget: Budget

  constructor(copy: SourceCopy, budget: Budget) {
    this.#copy = copy
    this.#budget = budget
  }

  async try(mutant: Mutant): Promise<Verdict> {
    const { killedBy } = mutant
    if (killedBy === undefined || this.#budget.alwaysSimulates) {
      const verdict = await this.#simulate(mutant)
      if (verdict.kind !== "survived" || killedBy === undefined) return verdict
    }
    const finding = await this.#mutated(mutant, () => testIn(this.#copy.root, killedBy.tests))
    switch (finding.kind) {
      case "failed":
        return { kind: "byTest", by: finding.by }
      case "passed":
        return { kind: "survived" }
      case "broken":
        return finding
    }
  }

  /** A seed that also fails without the mistake proves nothing about the mutant. */
  async #simulate(mutant: Mutant): Promise<Verdict> {
    const { seeds, steps, provenSeeds } = this.#budget
    for (let first = 1; first <= seeds;) {
      const rest = { first, count: seeds - first + 1, steps }
      const finding = await this.#mutated(mutant, () => huntIn(this.#copy.root, rest))
      if (finding.kind === "broken") return finding
      if (finding.kind === "passed") break
      const { seed, by, text } = finding
      if (seed <= provenSeeds || (await this.#passesUnchanged(seed)))
        return { kind: "bySeed", seed, by, text }
      first = seed + 1
    }
    return { kind: "survived" }
  }

  async #passesUnchanged(seed: number): Promise<boolean> {
    const { kind } = await huntIn(this.#copy.root, { first: seed, count: 1, steps: this.#budget.steps })
    return kind === "passed"
  }

  async #mutated(mutant: Mutant, check: () => Promise<Finding>): Promise<Finding> {
    const restore = await this.#copy.mutate(mutant)
    try {
      return await check()
    } finally {
      await restore()
    }
  }
}
