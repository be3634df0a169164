// Remembers the causes of ended sessions for `tombstoneMs`, so that a late claim gets the cause. Must not know sockets.
import type { Clock, ServerLimits } from "@hawser/protocol"
import type { EndCause } from "../../base/session.ts"

/** User of a session that could not be read. No user has an empty id. A claim's token has shown that the claimant is the right one. */
export const unknownUser = ""

/** End of one session. */
export interface Tombstone {
  readonly cause: EndCause
  /** Id of the user; `unknownUser` if it is not known. */
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
  readonly #onBuried: ((sessionId: string, stone: Tombstone) => void) | undefined
  /** Tombstones in the order of their expiry. */
  readonly #stones = new Map<string, Tombstone>()

  /** @param onBuried called with each end. */
  constructor(
    clock: Clock,
    limits: TombstoneLimits,
    onBuried?: (sessionId: string, stone: Tombstone) => void,
  ) {
    this.#clock = clock
    this.#limits = limits
    this.#onBuried = onBuried
  }

  get size(): number {
    return this.#stones.size
  }

  /** Adds the end of a session. */
  bury(sessionId: string, ended: Omit<Tombstone, "untilMs">): void {
    const stone = { ...ended, untilMs: this.#clock.now() + this.#limits.tombstoneMs }
    this.restore(sessionId, stone)
    this.#onBuried?.(sessionId, stone)
  }

  /** Adds the end of a session of an earlier process. Called in the order of expiry. */
  restore(sessionId: string, stone: Tombstone): void {
    this.#stones.set(sessionId, stone)
    this.#expire()
  }

  /** Yields all ends by session id, in the order of their expiry. */
  all(): Iterable<readonly [string, Tombstone]> {
    return this.#stones
  }

  /** Returns the end of a session; undefined for another user. */
  find(sessionId: string, userId: string): Tombstone | undefined {
    this.#expire()
    const stone = this.#stones.get(sessionId)
    return stone?.userId === userId || stone?.userId === unknownUser ? stone : undefined
  }

  #expire(): void {
    const nowMs = this.#clock.now()
    for (const [id, stone] of this.#stones) {
      if (stone.untilMs > nowMs && this.#stones.size <= this.#limits.tombstonesMax) return
      this.#stones.delete(id)
    }
  }
}
