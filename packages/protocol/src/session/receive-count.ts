// Counts the reliable messages that come in: `received` when a message is complete, before it is decoded; `handled`
// when nothing more is to be done for it. Invariants: handled ≤ received; a number is settled once.
import type { ReceivedRecord } from "./delivery-record.ts"
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
  /** Of these, the messages that take effect again when they are sent again: no record holds them. */
  #passedAhead: Set<number> | undefined
  /** Settled in an earlier life of the process, and not received again yet. Undefined while there are none. */
  #settledBefore: Set<number> | undefined

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

  /** Returns the record of what is settled. */
  record(): ReceivedRecord {
    const ahead = [...(this.#settledBefore ?? []), ...(this.#settledAhead ?? [])]
    const settledAhead = ahead
      .filter((number) => this.#passedAhead?.has(number) !== true)
      .toSorted((a, b) => a - b)
    return { handled: this.#handled, handledDigest: this.handledDigest, settledAhead }
  }

  /** Continues from a record: everything above `handled` is received again. Only before the first message. */
  restore({ handled, handledDigest, settledAhead }: ReceivedRecord): void {
    this.#handled = handled
    this.#received = handled
    this.#handledDigest = handledDigest | 0
    this.#receivedDigest = this.#handledDigest
    this.#settledBefore = settledAhead.length === 0 ? undefined : new Set(settledAhead)
  }

  /** True for the number of a message that was settled before its process ended: it is settled again now. */
  settleAgain(number: number): boolean {
    if (this.#settledBefore?.delete(number) !== true) return false
    if (this.#settledBefore.size === 0) this.#settledBefore = undefined
    this.settle(number)
    return true
  }

  /** Settles a message that must take effect again if it is sent again, such as CANCEL or CREDIT. */
  pass(number: number): void {
    if (number !== this.#handled + 1) (this.#passedAhead ??= new Set()).add(number)
    this.settle(number)
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
    if (this.#passedAhead?.delete(handled) === true && this.#passedAhead.size === 0)
      this.#passedAhead = undefined
  }
}
