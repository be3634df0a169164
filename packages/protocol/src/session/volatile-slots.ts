// Keyed volatile messages that wait for a slow connection: per key only the latest. Knows no sockets.
import type { OutboundMessage } from "../transport.ts"

export interface WaitingValue {
  readonly key: string
  readonly message: OutboundMessage
}

export class VolatileSlots {
  readonly #maxCount: number
  readonly #slots = new Map<string, OutboundMessage>()

  constructor(maxCount: number) {
    this.#maxCount = maxCount
  }

  get size(): number {
    return this.#slots.size
  }

  /** The value that has waited longest. */
  get first(): WaitingValue | undefined {
    for (const [key, message] of this.#slots) return { key, message }
    return undefined
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

  delete(key: string): void {
    this.#slots.delete(key)
  }

  /** Takes everything, oldest first. */
  take(): WaitingValue[] {
    const values = [...this.#slots].map(([key, message]) => ({ key, message }))
    this.#slots.clear()
    return values
  }
}
