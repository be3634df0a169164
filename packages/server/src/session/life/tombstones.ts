// Why sessions ended, for as long as their clients may still come back and ask. Knows no sockets.
import type { Clock } from "@hawser/protocol"
import type { EndCause } from "../../base/session.ts"

export interface Tombstone {
  readonly cause: EndCause
  readonly userId: string
  /** True when the client was sent away for good. */
  readonly isFinal: boolean
  readonly untilMs: number
}

export interface TombstoneLimits {
  readonly tombstoneMs: number
  /** Beyond: the oldest is forgotten, and its client hears `session_unknown`. */
  readonly tombstonesMax: number
}

export class Tombstones {
  readonly #clock: Clock
  readonly #limits: TombstoneLimits
  /** Oldest first: all live equally long. */
  readonly #stones = new Map<string, Tombstone>()

  constructor(clock: Clock, limits: TombstoneLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  get size(): number {
    return this.#stones.size
  }

  bury(sessionId: string, ended: Omit<Tombstone, "untilMs">): void {
    this.#stones.set(sessionId, { ...ended, untilMs: this.#clock.now() + this.#limits.tombstoneMs })
    this.#forget()
  }

  /** What became of a session, for its own user; others learn nothing. */
  find(sessionId: string, userId: string): Tombstone | undefined {
    this.#forget()
    const stone = this.#stones.get(sessionId)
    return stone?.userId === userId ? stone : undefined
  }

  #forget(): void {
    const nowMs = this.#clock.now()
    for (const [id, stone] of this.#stones) {
      if (stone.untilMs > nowMs && this.#stones.size <= this.#limits.tombstonesMax) return
      this.#stones.delete(id)
    }
  }
}
