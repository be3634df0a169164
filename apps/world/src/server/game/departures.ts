// Players who left recently, or whose progress is not in the store yet. A log-in that began before the save may have
// read older progress. Until such a log-in must have ended, a player continues with the state kept here, not with the
// stored one.
import type { PlayerState } from "./player-state.ts"

/** 40 s: twice the time limit of a log-in (`authTimeoutMs`). */
const keptTicks = 800

export class Departures {
  /** Oldest first. */
  readonly #departed = new Map<number, { readonly player: PlayerState; readonly atTick: number }>()

  add(player: PlayerState, atTick: number): void {
    this.delete(player)
    this.#departed.set(player.record.id, { player, atTick })
  }

  find(id: number): PlayerState | undefined {
    return this.#departed.get(id)?.player
  }

  delete(player: PlayerState): void {
    this.#departed.delete(player.record.id)
  }

  /** Deletes players who left 40 s ago. A player whose progress is still not stored stays for another 40 s. */
  expire(nowTick: number, isPending: (id: number) => boolean): void {
    for (const [id, { player, atTick }] of this.#departed) {
      if (nowTick - atTick < keptTicks) return
      if (isPending(id)) this.add(player, nowTick)
      else this.#departed.delete(id)
    }
  }
}
