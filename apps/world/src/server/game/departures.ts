// Players who left a moment ago, or whose progress is not in the store yet. A log-in that began before the progress was
// stored may have read an older one, so until such a log-in must have ended a player resumes from here, not from the store.
import type { PlayerState } from "./player-state.ts"

/** 40 s: twice the time that a log-in may take (`authTimeoutMs`). */
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

  /** Deletes those who left 40 s ago. If their progress is still not stored, the 40 s begin again. */
  forget(nowTick: number, isPending: (id: number) => boolean): void {
    for (const [id, { player, atTick }] of this.#departed) {
      if (nowTick - atTick < keptTicks) return
      if (isPending(id)) this.add(player, nowTick)
      else this.#departed.delete(id)
    }
  }
}
