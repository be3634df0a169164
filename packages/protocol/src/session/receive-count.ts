// Counts the reliable messages that come in: `received` when a message is complete, before it is decoded; `handled`
// when nothing more is to be done for it. Invariants: handled ≤ received; a number is settled once.
import { emptyDigest, extendDigest, hashMessage } from "./digest.ts"

export class ReceiveCount {
  #received = 0
  #handled = 0
  /** Digests are kept as signed numbers: V8 keeps those in the object itself. */
  #receivedDigest = emptyDigest
  #handledDigest = emptyDigest
  /**
   * Digests of what is received and not handled, oldest first, but for the newest, which is `#receivedDigest`; bounded
   * by what may wait for handlers. Undefined while there are none: almost always a message is handled before the next.
   */
  #openDigests: number[] | undefined
  /** Settled out of order; bounded by the handlers that run at once. Undefined until it first happens. */
  #settledAhead: Set<number> | undefined

  get received(): number {
    return this.#received
  }

  /** The longest prefix of received messages that are settled. */
  get handled(): number {
    return this.#handled
  }

  get receivedDigest(): number {
    return this.#receivedDigest >>> 0
  }

  get handledDigest(): number {
    return this.#handledDigest >>> 0
  }

  /** Counts a message that has just arrived; returns its number. */
  receive(bytes: Uint8Array): number {
    if (this.#received > this.#handled) (this.#openDigests ??= []).push(this.#receivedDigest)
    this.#received += 1
    this.#receivedDigest = extendDigest(this.#receivedDigest, hashMessage(bytes)) | 0
    return this.#received
  }

  /** A received message needs nothing more. Settling one twice is a programmer's mistake. */
  settle(number: number): void {
    // Almost always they are settled in order.
    if (number === this.#handled + 1 && number <= this.#received && this.#settledAhead === undefined) {
      this.#advance(number)
      return
    }
    const isOpen = Number.isInteger(number) && number > this.#handled && number <= this.#received
    if (!isOpen || this.#settledAhead?.has(number) === true) {
      throw new RangeError(
        `message ${number} cannot be settled: ${this.#handled} handled, ${this.#received} received`,
      )
    }
    this.#settledAhead ??= new Set()
    this.#settledAhead.add(number)
    while (this.#settledAhead.delete(this.#handled + 1)) this.#advance(this.#handled + 1)
    if (this.#settledAhead.size === 0) this.#settledAhead = undefined
  }

  #advance(handled: number): void {
    this.#handled = handled
    this.#handledDigest = this.#openDigests?.shift() ?? this.#receivedDigest
    if (handled === this.#received) this.#openDigests = undefined
  }
}
