// Decides when an open connection is doubtful: an answer is due and no message has arrived for a while, or the browser reports
// `offline`. Any message ends the doubt. A request may be answered late, so the doubt about it begins with a PING, whose answer
// is due. It closes no connection: the heartbeat does. Must not know sockets or frames.
import type { RunClientOptions } from "./run-client-options.ts"

export interface DoubtOptions extends Pick<RunClientOptions, "clock" | "timers" | "limits" | "roundTrip"> {
  /** Returns the bytes of unacknowledged messages: their upload delays an answer. */
  readonly unacknowledgedBytes: () => number
  /** Returns true while a PING is unanswered. */
  readonly isProbing: () => boolean
  /** Sends a PING for a message that was sent at `askedAtMs` and has no answer. */
  readonly probe: (askedAtMs: number) => void
  /** Called with the time of the last message at the begin of a doubt, and with undefined at its end. */
  readonly onDoubt: (heardAtMs: number | undefined) => void
}

/** Round trips without a message, while an answer is due, after which a connection is doubtful. */
const roundTrips = 2
/** Round trips without a message after which a PING is sent: an answer at once would have arrived. */
const roundTripsToProbe = 1.25
/** Slowest supported uplink, in bytes per millisecond: 8 kbit/s. */
const leastBytesPerMs = 1
/** Delay of a timer, in milliseconds, up to which it counts as on time. A later one gives arrived messages time to be read. */
const onTimeMs = 50

export class Doubt {
  readonly #options: DoubtOptions
  #heardAtMs: number
  /** Time of the first message with a due answer since the last received message; undefined: none. */
  #askedAtMs: number | undefined
  /** Time of the last PING. */
  #probedAtMs = 0
  #isDoubtful = false
  #cancel: (() => void) | undefined

  constructor(options: DoubtOptions) {
    this.#options = options
    this.#heardAtMs = options.clock.now()
  }

  /** Notes a sent message that an answer or acknowledgement follows. */
  asked(): void {
    this.#askedAtMs ??= this.#options.clock.now()
    this.#watch()
  }

  /** Notes a sent PING. */
  probed(): void {
    this.#probedAtMs = this.#options.clock.now()
    this.asked()
  }

  /** Notes a received message: the connection is alive. */
  heard(nowMs: number): void {
    this.#heardAtMs = nowMs
    this.#askedAtMs = undefined
    if (!this.#isDoubtful) return
    this.#isDoubtful = false
    this.#options.onDoubt(undefined)
    if (this.#options.isProbing()) this.#watch()
  }

  /** Notes that the browser has no network. */
  offline(): void {
    this.#begin()
  }

  /** Stops without a call of `onDoubt`: the connection was lost, and the status with it. */
  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#askedAtMs = undefined
    this.#isDoubtful = false
  }

  get #roundTripMs(): number {
    return this.#options.roundTrip.smoothedMs ?? 0
  }

  /** Time of the last sign of life, or of the first message without an answer since. */
  get #sinceMs(): number {
    return Math.max(this.#heardAtMs, this.#askedAtMs ?? this.#heardAtMs)
  }

  /** Time of the PING for a message without an answer. */
  get #probeAtMs(): number {
    return this.#sinceMs + Math.max(this.#options.limits.doubtMs / 2, roundTripsToProbe * this.#roundTripMs)
  }

  /** Time at which a connection with an unanswered PING is doubtful. */
  get #dueAtMs(): number {
    const { limits, unacknowledgedBytes } = this.#options
    const answerMs = roundTrips * this.#roundTripMs
    const silentAtMs = this.#sinceMs + Math.max(limits.doubtMs, answerMs)
    return Math.max(silentAtMs, this.#probedAtMs + answerMs) + unacknowledgedBytes() / leastBytesPerMs
  }

  #watch(): void {
    if (this.#cancel !== undefined || this.#isDoubtful) return
    this.#arm(this.#options.isProbing() ? this.#dueAtMs : this.#probeAtMs)
  }

  #arm(atMs: number, isExtended = false): void {
    this.#cancel = this.#options.timers.at(atMs, () => {
      this.#cancel = undefined
      this.#check(this.#options.clock.now() - atMs, isExtended)
    })
  }

  #check(lateMs: number, isExtended: boolean): void {
    const { clock, isProbing, limits, probe } = this.#options
    const nowMs = clock.now()
    if (!isProbing()) {
      if (this.#askedAtMs === undefined) return
      if (nowMs >= this.#probeAtMs) probe(this.#askedAtMs)
      this.#watch()
    } else if (nowMs < this.#dueAtMs) this.#watch()
    // The process was late, so messages may have arrived and wait to be read.
    else if (lateMs > onTimeMs && !isExtended) this.#arm(nowMs + limits.doubtMs, true)
    else this.#begin()
  }

  #begin(): void {
    if (this.#isDoubtful) return
    this.#isDoubtful = true
    this.#cancel?.()
    this.#cancel = undefined
    this.#options.onDoubt(this.#heardAtMs)
  }
}
