// How long the client has been without a connection, and who is told when that becomes long.
import type { ClientLimits, Clock } from "@hawser/protocol"
import type { TimerQueue } from "@hawser/protocol/core"
import type { ClientCounters } from "../base/counters.ts"
import type { SessionEvent } from "./session-event.ts"

export interface OutageOptions {
  readonly clock: Clock
  readonly timers: TimerQueue
  readonly limits: ClientLimits
  readonly counters: ClientCounters
  readonly onProlonged: (event: SessionEvent) => void
}

export class Outage {
  readonly #options: OutageOptions
  #sinceMs: number | undefined
  #cancel: () => void = () => {}

  constructor(options: OutageOptions) {
    this.#options = options
  }

  /** The connection was lost. One that follows another without a connection between them is the same outage. */
  begin(): void {
    const { clock, timers, limits, counters, onProlonged } = this.#options
    if (this.#sinceMs !== undefined) return
    this.#sinceMs = clock.now()
    counters.outages += 1
    this.#cancel = timers.after(limits.prolongedOutageMs, () =>
      onProlonged({ kind: "prolonged", outageMs: limits.prolongedOutageMs }),
    )
  }

  /** How long the outage of now lasts already; 0 without one. */
  get lastsMs(): number {
    return this.#sinceMs === undefined ? 0 : this.#options.clock.now() - this.#sinceMs
  }

  /** A connection is open again. Returns the outage's length in milliseconds, 0 without one. */
  end(): number {
    if (this.#sinceMs !== undefined) this.#options.counters.reconnections += 1
    return this.#stop()
  }

  /** Nobody waits for a connection any more. */
  giveUp(): void {
    this.#stop()
  }

  #stop(): number {
    const { clock, counters } = this.#options
    this.#cancel()
    if (this.#sinceMs === undefined) return 0
    const outageMs = clock.now() - this.#sinceMs
    this.#sinceMs = undefined
    counters.outagesMs += outageMs
    counters.longestOutageMs = Math.max(counters.longestOutageMs, outageMs)
    return outageMs
  }
}
