// Remembers the causes of ended sessions for `tombstoneMs`, so that a late claim gets the cause. Must not know sockets.
import type { Clock, ServerLimits } from "@hawser/protocol"
import type { EndCause } from "../../base/session.ts"

/** End of one session. */
export interface Tombstone {
  readonly cause: EndCause
  readonly userId: string
  /** True if the client must not reconnect. */
  readonly isFinal: boolean
  /** Time of expiry. */
  readonly untilMs: number
}

/** Bounds of `Tombstones`. Above `tombstonesMax` the oldest is evicted, and a claim of its session gets `session_unknown`. */
type TombstoneLimits = Pick<ServerLimits, "tombstoneMs" | "tombstonesMax">

export class Tombstones {
  readonly #clock: Clock
  readonly #limits: TombstoneLimits
  /** Tombstones in the order of their expiry. */
  readonly #stones = new Map<string, Tombstone>()

  constructor(clock: Clock, limits: TombstoneLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  get size(): number {
    return this.#stones.size
  }

  /** Adds the end of a session. */
  bury(sessionId: string, ended: Omit<Tombstone, "untilMs">): void {
    this.#stones.set(sessionId, { ...ended, untilMs: this.#clock.now() + this.#limits.tombstoneMs })
    this.#expire()
  }

  /** Returns the end of a session; undefined for another user. */
  find(sessionId: string, userId: string): Tombstone | undefined {
    this.#expire()
    const stone = this.#stones.get(sessionId)
    return stone?.userId === userId ? stone : undefined
  }

  #expire(): void {
    const nowMs = this.#clock.now()
    for (const [id, stone] of this.#stones) {
      if (stone.untilMs > nowMs && this.#stones.size <= this.#limits.tombstonesMax) return
      this.#stones.delete(id)
    }
  }
}
