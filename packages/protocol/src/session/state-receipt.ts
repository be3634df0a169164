// Counts the state frames that a client received on its connection, and decides when it acknowledges them: soon after the
// first, then a few times a second, and after the last one. On a slow link the server waits for the acknowledgement before
// its next update. Must not know sockets or timers; its caller passes the time.

/** Time in which frames of one batch arrive, in milliseconds: the acknowledgement covers the last one. */
const gatherMs = 10
/** Time without a state frame after which the received ones are acknowledged, in milliseconds. */
const quietMs = 150
/** Least interval of acknowledgements, in milliseconds, unless `ackEveryBytes` is reached. */
const leastMs = 200

export interface StateReceiptLimits {
  /** Received bytes at which an acknowledgement is due at once. */
  readonly ackEveryBytes: number
  /** Longest delay of an acknowledgement, in milliseconds. */
  readonly ackDelayMs: number
}

export class StateReceipt {
  /** True while a call at the due time is requested from the owner. */
  isAckAsked = false
  readonly #limits: StateReceiptLimits
  #received = 0
  #acknowledged = 0
  #bytes = 0
  /** Arrival of the oldest unacknowledged frame. */
  #firstAtMs = 0
  #receivedAtMs = 0
  #acknowledgedAtMs = Number.NEGATIVE_INFINITY

  constructor(limits: StateReceiptLimits) {
    this.#limits = limits
  }

  /** Number of state frames received on this connection. */
  get received(): number {
    return this.#received
  }

  /** Number of received frames without an acknowledgement. */
  get unacknowledged(): number {
    return this.#received - this.#acknowledged
  }

  receive(bytes: number, nowMs: number): void {
    if (this.unacknowledged === 0) this.#firstAtMs = nowMs
    this.#received += 1
    this.#bytes += bytes
    this.#receivedAtMs = nowMs
  }

  /** Returns the milliseconds until the acknowledgement is due if no frame arrives; 0 or less: it is due. */
  dueInMs(nowMs: number): number {
    const { ackDelayMs, ackEveryBytes } = this.#limits
    if (this.#bytes >= ackEveryBytes) return 0
    const soonMs = Math.max(this.#receivedAtMs + quietMs, this.#acknowledgedAtMs + leastMs)
    const latestMs = Math.max(this.#firstAtMs + gatherMs, this.#acknowledgedAtMs + ackDelayMs)
    return Math.min(soonMs, latestMs) - nowMs
  }

  /** Records that an acknowledgement of all received frames was sent. */
  acknowledged(nowMs: number): void {
    this.#acknowledged = this.#received
    this.#bytes = 0
    this.#acknowledgedAtMs = nowMs
  }
}
