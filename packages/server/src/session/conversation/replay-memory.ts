// Bounds the send buffers of all sessions together (`replayMaxBytes`). Above the bound detached sessions end with
// `session_overflow`, the largest first. Each session also has a bound of its own, which does not limit thousands of them.
import type { ServerLimits } from "@hawser/protocol"
import type { KeptBytes, TimerQueue } from "@hawser/protocol/core"
import type { EndCause } from "../../base/session.ts"

/** Time between evictions, in milliseconds: each walks over all sessions. */
const evictEveryMs = 100

interface Buffering {
  readonly attached: boolean
  readonly buffered: { readonly bytes: number }
  finish(cause: EndCause): void
}

/** Dependencies of `ReplayMemory`. */
export interface ReplayMemoryOptions {
  readonly sessions: Iterable<Buffering>
  readonly timers: TimerQueue
  readonly limits: Pick<ServerLimits, "replayMaxBytes">
}

export class ReplayMemory implements KeptBytes {
  readonly #options: ReplayMemoryOptions
  #isEvictionDue = false
  /** Bytes in all send buffers, which update it. A broadcast counts once. */
  bytes = 0

  constructor(options: ReplayMemoryOptions) {
    this.#options = options
  }

  get isOver(): boolean {
    return this.bytes > this.#options.limits.replayMaxBytes
  }

  /** Schedules an eviction above the bound. It is not synchronous, because the caller may be in the middle of a fan-out. */
  check(): void {
    if (!this.isOver || this.#isEvictionDue) return
    this.#isEvictionDue = true
    this.#options.timers.after(evictEveryMs, () => this.#evict())
  }

  /** Ends detached sessions, the largest first. Attached ones are bounded by the time for acknowledgements. */
  #evict(): void {
    this.#isEvictionDue = false
    const away = [...this.#options.sessions].filter(({ attached }) => !attached)
    for (const session of away.toSorted((a, b) => b.buffered.bytes - a.buffered.bytes)) {
      if (!this.isOver) return
      session.finish("session_overflow")
    }
  }
}
