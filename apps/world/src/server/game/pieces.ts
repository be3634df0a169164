// The ledger of wood and ore: no piece appears or vanishes without an entry. Where the pieces are is in the other replicas.
import type { Ledger } from "../../contract.ts"
import type { Shown } from "./shown.ts"

const key = "all"
const nothing: Ledger = { grown: 0, decayed: 0, stored: 0 }

export class Pieces {
  readonly #ledger: Shown<Ledger>

  constructor(ledger: Shown<Ledger>) {
    this.#ledger = ledger
  }

  get entries(): Readonly<Ledger> {
    return this.#ledger.get(key) ?? nothing
  }

  /** Adds pieces to an entry. */
  add(entry: keyof Ledger, count: number): void {
    if (count === 0) return
    const entries = this.entries
    this.#ledger.set(key, { ...entries, [entry]: entries[entry] + count })
  }
}
