// Measures how long sessions are attached and how long they are detached, by the end of the detached time: resumed or ended.
import type { Clock } from "@hawser/protocol"
import { Histogram, attachmentBoundsMs, absenceBoundsMs } from "./histogram.ts"

interface Period {
  readonly attached: boolean
  readonly sinceMs: number
}

export class AttachmentTimes<Session extends object> {
  /** Durations of attached periods. */
  readonly attached = new Histogram(attachmentBoundsMs)
  /** Durations of detached periods that a resume ended. */
  readonly resumed = new Histogram(absenceBoundsMs)
  /** Durations of detached periods that the session's end ended. */
  readonly ended = new Histogram(absenceBoundsMs)
  readonly #clock: Clock
  /** Current period of each session. Bounded by the number of sessions. */
  readonly #periods = new Map<Session, Period>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Number of sessions with a current period. */
  get size(): number {
    return this.#periods.size
  }

  /** Begins an attached period. If the session is attached already (a takeover), the current period continues. */
  attach(session: Session): void {
    if (this.#periods.get(session)?.attached !== true) this.#begin(session, true)
  }

  /** Begins a detached period of an attached session. */
  detach(session: Session): void {
    if (this.#periods.get(session)?.attached === true) this.#begin(session, false)
  }

  /** Records the last period of a session and removes the session. */
  end(session: Session): void {
    this.#record(session, "ended")
    this.#periods.delete(session)
  }

  #begin(session: Session, attached: boolean): void {
    this.#record(session, "resumed")
    this.#periods.set(session, { attached, sinceMs: this.#clock.now() })
  }

  #record(session: Session, how: "resumed" | "ended"): void {
    const period = this.#periods.get(session)
    if (period === undefined) return
    this[period.attached ? "attached" : how].record(this.#clock.now() - period.sinceMs)
  }
}
