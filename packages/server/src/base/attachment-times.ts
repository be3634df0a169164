// How long sessions had a connection, and how long their clients were away: until they came back, or until the session
// ended without them.
import type { Clock } from "@hawser/protocol"
import { Histogram, attachmentBoundsMs, absenceBoundsMs } from "./histogram.ts"

interface Stay {
  readonly attached: boolean
  readonly sinceMs: number
}

export class AttachmentTimes<Session extends object> {
  readonly attached = new Histogram(attachmentBoundsMs)
  readonly resumed = new Histogram(absenceBoundsMs)
  readonly ended = new Histogram(absenceBoundsMs)
  readonly #clock: Clock
  /** One entry per session; they are bounded like the sessions themselves. */
  readonly #stays = new Map<Session, Stay>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#stays.size
  }

  /** It has a connection. A newer one in place of another goes on with the same time. */
  attach(session: Session): void {
    if (this.#stays.get(session)?.attached !== true) this.#begin(session, true)
  }

  detach(session: Session): void {
    if (this.#stays.get(session)?.attached === true) this.#begin(session, false)
  }

  end(session: Session): void {
    this.#record(session, "ended")
    this.#stays.delete(session)
  }

  #begin(session: Session, attached: boolean): void {
    this.#record(session, "resumed")
    this.#stays.set(session, { attached, sinceMs: this.#clock.now() })
  }

  #record(session: Session, how: "resumed" | "ended"): void {
    const stay = this.#stays.get(session)
    if (stay !== undefined) this[stay.attached ? "attached" : how].record(this.#clock.now() - stay.sinceMs)
  }
}
