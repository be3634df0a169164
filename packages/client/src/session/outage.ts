// Measures the time without a connection, and emits `prolonged` once per outage after `limits.prolongedOutageMs`. Must not
// know sockets.
import type { RunClientOptions } from "./run-client-options.ts"

export type OutageOptions = Pick<RunClientOptions, "clock" | "timers" | "limits" | "counters" | "onSession">

export class Outage {
  readonly #options: OutageOptions
  #sinceMs: number | undefined
  #cancel: () => void = () => {}

  constructor(options: OutageOptions) {
    this.#options = options
  }

  /** Begins an outage. A loss during an outage belongs to the same outage. */
  begin(): void {
    const { clock, timers, limits, counters, onSession } = this.#options
    if (this.#sinceMs !== undefined) return
    this.#sinceMs = clock.now()
    counters.outages += 1
    this.#cancel = timers.after(limits.prolongedOutageMs, () =>
      onSession({ kind: "prolonged", outageMs: limits.prolongedOutageMs }),
    )
  }

  /** Milliseconds since the current outage began; 0 without one. */
  get lastsMs(): number {
    return this.#sinceMs === undefined ? 0 : this.#options.clock.now() - this.#sinceMs
  }

  /** Ends the outage: a connection is open. Returns its length in milliseconds; 0 without one. */
  end(): number {
    if (this.#sinceMs !== undefined) this.#options.counters.reconnections += 1
    return this.giveUp()
  }

  /** Ends the outage without a connection: the client has closed. Returns its length in milliseconds; 0 without one. */
  giveUp(): number {
    const { counters } = this.#options
    const outageMs = this.lastsMs
    this.#cancel()
    if (this.#sinceMs === undefined) return 0
    this.#sinceMs = undefined
    counters.outagesMs += outageMs
    counters.longestOutageMs = Math.max(counters.longestOutageMs, outageMs)
    return outageMs
  }
}
