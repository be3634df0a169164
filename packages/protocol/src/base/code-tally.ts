// Counts things by a code: of the error table, or foreign. Foreign codes have a bound, because each one that is kept
// costs memory here and a time series wherever the counts are read. Both ends count with it.
import { isErrorCode } from "./errors.ts"

export interface CodeTallyOptions {
  /** Codes beside those of the error table that are always counted by themselves. Default none. */
  readonly known?: readonly string[]
  /** Other codes that get a count of their own, in the order of their arrival. Beyond: they count as `other`. Default 0. */
  readonly foreignMax?: number
}

/** A code that may become a label: nothing that has to be quoted anywhere. */
const plainCode = /^[a-z][a-z0-9_]{0,63}$/

export class CodeTally {
  readonly #counts = new Map<string, number>()
  readonly #known: ReadonlySet<string>
  readonly #foreignMax: number
  #foreignCount = 0

  constructor({ known = [], foreignMax = 0 }: CodeTallyOptions = {}) {
    this.#known = new Set(known)
    this.#foreignMax = foreignMax
  }

  add(code: string): void {
    const label = this.#counts.has(code) ? code : this.#label(code)
    this.#counts.set(label, (this.#counts.get(label) ?? 0) + 1)
  }

  /** How often each code was counted; codes that never came are left out. */
  read(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts)
  }

  #label(code: string): string {
    if (isErrorCode(code) || this.#known.has(code)) return code
    if (this.#foreignCount >= this.#foreignMax || !plainCode.test(code)) return "other"
    this.#foreignCount += 1
    return code
  }
}
