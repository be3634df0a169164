// How long the clients of sessions were away before they came back, or before their session ended without them.
import type { Clock } from "@hawser/protocol"
import { Histogram, absenceBoundsMs } from "./histogram.ts"

export class Absences<Session extends object> {
  readonly resumed = new Histogram(absenceBoundsMs)
  readonly ended = new Histogram(absenceBoundsMs)
  readonly #clock: Clock
  /** One entry per detached session; they are bounded like the sessions themselves. */
  readonly #sinceMs = new Map<Session, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Sessions whose client is away now. */
  get size(): number {
    return this.#sinceMs.size
  }

  begin(session: Session): void {
    if (!this.#sinceMs.has(session)) this.#sinceMs.set(session, this.#clock.now())
  }

  /** Without effect for a session whose client was not away. */
  end(session: Session, how: "resumed" | "ended"): void {
    const sinceMs = this.#sinceMs.get(session)
    if (sinceMs === undefined) return
    this.#sinceMs.delete(session)
    this[how].record(this.#clock.now() - sinceMs)
  }
}
