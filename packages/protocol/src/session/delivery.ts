// Counts the reliable messages of one session in both directions. Both ends count on an ordered transport, so no
// message carries its number. Invariants: handled ≤ received; a number is given out once; numbers start at 1.

export class Delivery {
  #sent = 0
  #received = 0
  #handled = 0
  /** Settled out of order; bounded by the handlers that run at once. */
  readonly #settledAhead = new Set<number>()

  /** Reliable messages sent in this session. */
  get sent(): number {
    return this.#sent
  }

  /** Reliable messages received, counted when they are complete and before they are decoded. */
  get received(): number {
    return this.#received
  }

  /** The longest prefix of received messages that are settled. */
  get handled(): number {
    return this.#handled
  }

  /** The number of the message that is being sent. */
  countOutbound(): number {
    this.#sent += 1
    return this.#sent
  }

  /** The number of the message that has just arrived. */
  countInbound(): number {
    this.#received += 1
    return this.#received
  }

  /** A received message needs nothing more. Settling one twice is a programmer's mistake. */
  settle(number: number): void {
    const isOpen = Number.isInteger(number) && number > this.#handled && number <= this.#received
    if (!isOpen || this.#settledAhead.has(number)) {
      throw new RangeError(
        `message ${number} cannot be settled: ${this.#handled} handled, ${this.#received} received`,
      )
    }
    this.#settledAhead.add(number)
    while (this.#settledAhead.delete(this.#handled + 1)) this.#handled += 1
  }
}
