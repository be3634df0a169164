// Keyed volatile messages that wait for a slow connection: per key only the latest. Knows no sockets.
import type { OutboundMessage } from "../transport.ts"

export class VolatileSlots {
  readonly #maxCount: number
  readonly #slots = new Map<string, OutboundMessage>()

  constructor(maxCount: number) {
    this.#maxCount = maxCount
  }

  get size(): number {
    return this.#slots.size
  }

  /** Keeps the latest value of the key; it takes its place at the end. Returns how many values were lost to it. */
  put(key: string, message: OutboundMessage): number {
    const replaced = this.#slots.delete(key)
    this.#slots.set(key, message)
    if (replaced) return 1
    if (this.#slots.size <= this.#maxCount) return 0
    for (const oldest of this.#slots.keys()) {
      this.#slots.delete(oldest)
      return 1
    }
    return 0
  }

  /** Takes everything, oldest first. */
  take(): OutboundMessage[] {
    const messages = [...this.#slots.values()]
    this.#slots.clear()
    return messages
  }
}
