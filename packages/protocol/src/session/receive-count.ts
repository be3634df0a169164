// Counts received reliable messages: `received` when a message is complete, before it is decoded; `handled` when it and all
// earlier ones are settled. Must not know contents or connections.
// Invariants: handled ≤ received; a number is settled once.
import type { ReceivedRecord } from "./delivery-record.ts"
import { emptyDigest, extendDigest, hashMessage } from "./digest.ts"

/** Numbers above the handled prefix. */
interface Ahead {
  /** Settled out of order; bounded by the handlers that run at once. */
  readonly settled: Set<number>
  /** Those of `settled` that must take effect again if they are retransmitted: no record contains them. */
  readonly passed: Set<number>
  /** Settled by a previous process, and not received again. */
  readonly before: Set<number>
}

const nothingAhead: Ahead = { settled: new Set(), passed: new Set(), before: new Set() }

export class ReceiveCount {
  #received = 0
  #handled = 0
  /** Digests as signed numbers: V8 stores those inside the object. */
  #receivedDigest = emptyDigest
  #handledDigest = emptyDigest
  /**
   * Digests after each received, unhandled message, oldest first, except the newest, which is `#receivedDigest`. Bounded by
   * the request queue. Undefined while empty: usually a message is handled before the next one arrives.
   */
  #openDigests: number[] | undefined
  /** Undefined while all of its sets are empty. */
  #ahead: Ahead | undefined

  /** Number of received messages. */
  get received(): number {
    return this.#received
  }

  /** Length of the longest prefix of received messages that are settled. */
  get handled(): number {
    return this.#handled
  }

  get receivedDigest(): number {
    return this.#receivedDigest >>> 0
  }

  get handledDigest(): number {
    return this.#handledDigest >>> 0
  }

  /** Counts a received message; returns its number. */
  receive(bytes: Uint8Array): number {
    if (this.#received > this.#handled) (this.#openDigests ??= []).push(this.#receivedDigest)
    this.#received += 1
    this.#receivedDigest = extendDigest(this.#receivedDigest, hashMessage(bytes)) | 0
    return this.#received
  }

  /** Returns the record of the settled messages. */
  record(): ReceivedRecord {
    const { before, settled, passed } = this.#ahead ?? nothingAhead
    const ahead = [...before, ...[...settled].filter((number) => !passed.has(number))]
    const settledAhead = ahead.toSorted((a, b) => a - b)
    return { handled: this.#handled, handledDigest: this.handledDigest, settledAhead }
  }

  /** Continues from a record: the peer retransmits everything above `handled`. Only before the first message. */
  restore({ handled, handledDigest, settledAhead }: ReceivedRecord): void {
    this.#handled = handled
    this.#received = handled
    this.#handledDigest = handledDigest | 0
    this.#receivedDigest = this.#handledDigest
    for (const number of settledAhead) this.#aheadNow().before.add(number)
  }

  /** Settles a message that a previous process settled. Returns false for any other number. */
  settleAgain(number: number): boolean {
    if (this.#ahead?.before.delete(number) !== true) return false
    this.settle(number)
    return true
  }

  /** Settles a message that must take effect again if it is retransmitted, such as CANCEL or CREDIT. */
  pass(number: number): void {
    if (number !== this.#handled + 1) this.#aheadNow().passed.add(number)
    this.settle(number)
  }

  /**
   * Settles a received message: it needs no further processing.
   * @throws RangeError for a number that was not received, or was settled before.
   */
  settle(number: number): void {
    // Messages are usually settled in order.
    if (number === this.#handled + 1 && number <= this.#received && this.#ahead === undefined) {
      this.#advance(number)
      return
    }
    const isOpen = Number.isInteger(number) && number > this.#handled && number <= this.#received
    if (!isOpen || this.#ahead?.settled.has(number) === true) {
      throw new RangeError(
        `message ${number} cannot be settled: ${this.#handled} handled, ${this.#received} received`,
      )
    }
    const { settled, passed, before } = this.#aheadNow()
    settled.add(number)
    while (settled.delete(this.#handled + 1)) {
      passed.delete(this.#handled + 1)
      this.#advance(this.#handled + 1)
    }
    if (settled.size + before.size === 0) this.#ahead = undefined
  }

  #aheadNow(): Ahead {
    this.#ahead ??= { settled: new Set(), passed: new Set(), before: new Set() }
    return this.#ahead
  }

  #advance(handled: number): void {
    this.#handled = handled
    this.#handledDigest = this.#openDigests?.shift() ?? this.#receivedDigest
    if (handled === this.#received) this.#openDigests = undefined
  }
}
