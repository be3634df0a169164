// Counts outcomes by error code, at both ends. Codes outside the error table are bounded by `foreignMax`, because each costs
// memory here and a time series in the metrics. At the bound they count as `other`.
import { isErrorCode } from "./errors.ts"

/** Options of a `CodeTally`. */
export interface CodeTallyOptions {
  /** Codes outside the error table that always have their own count. Default: none. */
  readonly known?: readonly string[]
  /** Number of other codes with their own count, in the order of arrival; default 0. Later codes count as `other`. */
  readonly foreignMax?: number
}

/** Form of a code that can be a metric label without quoting. */
const plainCode = /^[a-z][a-zA-Z0-9_]{0,63}$/

/** Counters by error code. */
export class CodeTally {
  readonly #counts = new Map<string, number>()
  readonly #known: ReadonlySet<string>
  readonly #foreignMax: number
  #foreignCount = 0

  constructor({ known = [], foreignMax = 0 }: CodeTallyOptions = {}) {
    this.#known = new Set(known)
    this.#foreignMax = foreignMax
  }

  /** Counts one outcome with this code. */
  add(code: string): void {
    const label = this.#counts.has(code) ? code : this.#label(code)
    this.#counts.set(label, (this.#counts.get(label) ?? 0) + 1)
  }

  /** Returns the count of each code; a code without counts is absent. */
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
