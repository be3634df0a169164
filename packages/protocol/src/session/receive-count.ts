// Counts received reliable messages: `received` when a message is complete, before it is decoded; `handled` when it and all
// earlier ones are settled. Must not know contents or connections.
// Invariants: handled ≤ received; a number is settled once.
import { emptyDigest, extendDigest, hashMessage } from "./digest.ts"

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
  /** Numbers above `handled` that are settled; bounded by the handlers that run at once. Undefined while there is none. */
  #ahead: Set<number> | undefined

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

  /** Settled numbers above `handled`. */
  get ahead(): Iterable<number> {
    return this.#ahead ?? []
  }

  /** Continues after `handled` messages with this digest. Only before the first message. */
  startAt(handled: number, digest: number): void {
    this.#handled = handled
    this.#received = handled
    this.#handledDigest = digest | 0
    this.#receivedDigest = this.#handledDigest
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
    if (!isOpen || this.#ahead?.has(number) === true) {
      throw new RangeError(
        `message ${number} cannot be settled: ${this.#handled} handled, ${this.#received} received`,
      )
    }
    const ahead = (this.#ahead ??= new Set())
    ahead.add(number)
    while (ahead.delete(this.#handled + 1)) this.#advance(this.#handled + 1)
    if (ahead.size === 0) this.#ahead = undefined
  }

  #advance(handled: number): void {
    this.#handled = handled
    this.#handledDigest = this.#openDigests?.shift() ?? this.#receivedDigest
    if (handled === this.#received) this.#openDigests = undefined
  }
}
