// Players who left recently, or whose progress is not in the store yet. A log-in that began before the save may have
// read older progress. Until such a log-in must have ended, a player continues with the record kept here, not with the
// stored one.
import type { Departed } from "../../contract.ts"
import type { Shown } from "./shown.ts"

/** 40 s: twice the time limit of a log-in (`authTimeoutMs`). */
const keptTicks = 800

export interface DeparturesOptions {
  readonly departed: Shown<Departed>
  /** True while a player's progress is newer than the store. */
  readonly isUnsaved: (id: number) => boolean
  /** Called before the record of a player is removed: the store has it. */
  readonly onStored: (standing: Departed) => void
}

export class Departures {
  readonly #options: DeparturesOptions
  /** Ticks of the departures, the oldest first. */
  readonly #atTick = new Map<string, number>()

  constructor(options: DeparturesOptions) {
    this.#options = options
  }

  /** Notes a departure whose record has been set. */
  add(id: string, atTick: number): void {
    this.#atTick.delete(id)
    this.#atTick.set(id, atTick)
  }

  /** Removes the records of players who left 40 s ago. A player whose progress is still not stored stays for another 40 s. */
  expire(nowTick: number): void {
    const { departed, isUnsaved, onStored } = this.#options
    for (const [id, atTick] of this.#atTick) {
      if (nowTick - atTick < keptTicks) return
      const standing = departed.get(id)
      if (standing !== undefined && isUnsaved(Number(id))) {
        this.add(id, nowTick)
        continue
      }
      this.#atTick.delete(id)
      // One who has returned has no record here.
      if (standing === undefined) continue
      onStored(standing)
      departed.remove(id)
    }
  }
}
