// Players who have just left. A login that began before they left may have read the store before their progress was in
// it; until such a login must have ended, what they take up again is their last state and not the store's.
import type { PlayerState } from "./player-state.ts"

/** 10 s: twice the time that a login may take, and far longer than a save does. */
const keptTicks = 200

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

  /** Lets go of those who left long enough ago. */
  forget(nowTick: number): void {
    for (const [id, { atTick }] of this.#departed) {
      if (nowTick - atTick < keptTicks) return
      this.#departed.delete(id)
    }
  }
}
