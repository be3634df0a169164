// Keyed volatile messages that wait for a slow connection: per key only the latest. Knows no sockets.
import type { OutboundMessage } from "../transport.ts"

export interface WaitingValue {
  readonly key: string
  readonly message: OutboundMessage
}

export interface VolatileSlotsLimits {
  readonly volatileSlots: number
  readonly volatileSlotsMaxBytes: number
}

export class VolatileSlots {
  readonly #limits: VolatileSlotsLimits
  /** Undefined until there is one: most sessions never have any. */
  #slots: Map<string, OutboundMessage> | undefined
  #bytes = 0

  constructor(limits: VolatileSlotsLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#slots?.size ?? 0
  }

  /** The value whose key has waited longest. */
  get first(): WaitingValue | undefined {
    for (const [key, message] of this.#slots ?? []) return { key, message }
    return undefined
  }

  /** All values, the one that has waited longest first. */
  *all(): IterableIterator<WaitingValue> {
    for (const [key, message] of this.#slots ?? []) yield { key, message }
  }

  /** Bytes of the values that wait. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Keeps the latest value of the key. It takes the place of the one before: a key that changes all the time must not wait
   * behind every other. Returns how many values were lost to it.
   */
  put(key: string, message: OutboundMessage): number {
    this.#slots ??= new Map()
    const replaced = this.#slots.get(key)
    let lost = replaced === undefined ? 0 : 1
    this.#slots.set(key, message)
    this.#bytes += message.bytes.length - (replaced?.bytes.length ?? 0)
    for (const oldest of this.#slots.keys()) {
      if (!this.#isOver()) break
      // Where it is the oldest itself, the next one goes.
      if (oldest === key && this.size > 1) continue
      this.delete(oldest)
      lost += 1
    }
    return lost
  }

  /** True when there was a value of this key. */
  delete(key: string): boolean {
    this.#bytes -= this.#slots?.get(key)?.bytes.length ?? 0
    return this.#slots?.delete(key) ?? false
  }

  /** Takes everything, oldest first. */
  take(): WaitingValue[] {
    const values = [...(this.#slots ?? [])].map(([key, message]) => ({ key, message }))
    this.#slots = undefined
    this.#bytes = 0
    return values
  }

  /** The latest value stays, whatever its size. */
  #isOver(): boolean {
    const { volatileSlots, volatileSlotsMaxBytes } = this.#limits
    return this.size > volatileSlots || (this.size > 1 && this.#bytes > volatileSlotsMaxBytes)
  }
}
