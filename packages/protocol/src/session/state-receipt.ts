// Counts the frames of state that a client received on its connection, and decides when it acknowledges them: soon after
// the first, then a few times a second, and once more when no further one comes. A server sends a slow link its next
// update when this one is acknowledged. Must not know sockets and timers; its caller passes the time.

/** Frames that were sent together arrive within this time: the acknowledgement covers the last one. */
const gatherMs = 10
/** Time without a frame of state after which the received ones are acknowledged. */
const quietMs = 150
/** Least time between two acknowledgements, unless the bytes ask for one. */
const leastMs = 200

export interface StateReceiptLimits {
  readonly ackEveryBytes: number
  readonly ackDelayMs: number
}

export class StateReceipt {
  /** True while its owner has been asked for a call when the acknowledgement is due. */
  isAckAsked = false
  readonly #limits: StateReceiptLimits
  #received = 0
  #acknowledged = 0
  #bytes = 0
  #firstOwedAtMs = 0
  #receivedAtMs = 0
  #acknowledgedAtMs = Number.NEGATIVE_INFINITY

  constructor(limits: StateReceiptLimits) {
    this.#limits = limits
  }

  /** Frames received on this connection. */
  get received(): number {
    return this.#received
  }

  /** Received and not acknowledged. */
  get owed(): number {
    return this.#received - this.#acknowledged
  }

  receive(bytes: number, nowMs: number): void {
    if (this.owed === 0) this.#firstOwedAtMs = nowMs
    this.#received += 1
    this.#bytes += bytes
    this.#receivedAtMs = nowMs
  }

  /** Milliseconds until the acknowledgement is due, if nothing more arrives; 0 or less: it is due. */
  dueInMs(nowMs: number): number {
    const { ackDelayMs, ackEveryBytes } = this.#limits
    if (this.#bytes >= ackEveryBytes) return 0
    const soonMs = Math.max(this.#receivedAtMs + quietMs, this.#acknowledgedAtMs + leastMs)
    const latestMs = Math.max(this.#firstOwedAtMs + gatherMs, this.#acknowledgedAtMs + ackDelayMs)
    return Math.min(soonMs, latestMs) - nowMs
  }

  /** An acknowledgement with the count was sent. */
  acknowledged(nowMs: number): void {
    this.#acknowledged = this.#received
    this.#bytes = 0
    this.#acknowledgedAtMs = nowMs
  }
}
