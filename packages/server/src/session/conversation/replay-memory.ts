// What all sessions of a server keep for their clients, against one bound: each of them alone keeps to its own, and
// thousands of clients that are away at once would still be too much.
import type { ServerLimits } from "@hawser/protocol"
import type { KeptBytes, TimerQueue } from "@hawser/protocol/core"
import type { EndCause } from "../../base/session.ts"

/** Between looks at a memory that is over its bound: one look goes through every session. */
const lookEveryMs = 100

interface Keeper {
  readonly attached: boolean
  readonly buffered: { readonly bytes: number }
  finish(cause: EndCause): void
}

export interface ReplayMemoryOptions {
  readonly sessions: Iterable<Keeper>
  readonly timers: TimerQueue
  readonly limits: Pick<ServerLimits, "replayMaxBytes">
}

export class ReplayMemory implements KeptBytes {
  readonly #options: ReplayMemoryOptions
  #isLookDue = false
  /** Kept up to date by the send buffers. */
  bytes = 0

  constructor(options: ReplayMemoryOptions) {
    this.#options = options
  }

  get isOver(): boolean {
    return this.bytes > this.#options.limits.replayMaxBytes
  }

  /** Something was added. Not here and now: whoever adds is in the middle of sending to many sessions. */
  check(): void {
    if (!this.isOver || this.#isLookDue) return
    this.#isLookDue = true
    this.#options.timers.after(lookEveryMs, () => this.#look())
  }

  /** Who is connected is bounded by what the connection takes in time; who is away ends, the largest first. */
  #look(): void {
    this.#isLookDue = false
    const away = [...this.#options.sessions].filter(({ attached }) => !attached)
    for (const session of away.toSorted((a, b) => b.buffered.bytes - a.buffered.bytes)) {
      if (!this.isOver) return
      session.finish("session_overflow")
    }
  }
}
