// Queues keyed volatile messages for a slow connection, one slot per key with the latest value. At the bounds the oldest slot
// is dropped. Must not know sockets.
import type { OutboundMessage } from "../transport.ts"

/** A queued value with its key. */
export interface WaitingValue {
  readonly key: string
  readonly message: OutboundMessage
}

/** Bounds of the queue. */
export interface VolatileSlotsLimits {
  /** Number of slots. */
  readonly volatileSlots: number
  /** Bytes of all slots. */
  readonly volatileSlotsMaxBytes: number
}

/** Queue of keyed volatile messages. */
export class VolatileSlots {
  readonly #limits: VolatileSlotsLimits
  /** Undefined until the first value: most sessions never have any. */
  #slots: Map<string, OutboundMessage> | undefined
  #bytes = 0

  constructor(limits: VolatileSlotsLimits) {
    this.#limits = limits
  }

  /** Number of queued values. */
  get size(): number {
    return this.#slots?.size ?? 0
  }

  /** The value of the oldest slot. */
  get first(): WaitingValue | undefined {
    for (const [key, message] of this.#slots ?? []) return { key, message }
    return undefined
  }

  /** Yields all values, oldest slot first. */
  *all(): IterableIterator<WaitingValue> {
    for (const [key, message] of this.#slots ?? []) yield { key, message }
  }

  /** Bytes of the queued values. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Queues a value. It replaces the previous value of its key in the same slot, so that a key with frequent changes does not
   * wait behind all others. Returns the number of values that were dropped for it.
   */
  put(key: string, message: OutboundMessage): number {
    this.#slots ??= new Map()
    const replaced = this.#slots.get(key)
    let lost = replaced === undefined ? 0 : 1
    this.#slots.set(key, message)
    this.#bytes += message.bytes.length - (replaced?.bytes.length ?? 0)
    for (const oldest of this.#slots.keys()) {
      if (!this.#isOver()) break
      // The latest value is never dropped: if its slot is the oldest, the next one is dropped.
      if (oldest === key && this.size > 1) continue
      this.delete(oldest)
      lost += 1
    }
    return lost
  }

  /** Removes the value of a key. Returns false if there is none. */
  delete(key: string): boolean {
    this.#bytes -= this.#slots?.get(key)?.bytes.length ?? 0
    return this.#slots?.delete(key) ?? false
  }

  /** Removes and returns all values, oldest first. */
  take(): WaitingValue[] {
    const values = [...(this.#slots ?? [])].map(([key, message]) => ({ key, message }))
    this.#slots = undefined
    this.#bytes = 0
    return values
  }

  /** Returns true if a bound is exceeded. A single value of any size is allowed. */
  #isOver(): boolean {
    const { volatileSlots, volatileSlotsMaxBytes } = this.#limits
    return this.size > volatileSlots || (this.size > 1 && this.#bytes > volatileSlotsMaxBytes)
  }
}
