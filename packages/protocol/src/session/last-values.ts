// Last values of keyed volatile events: those that wait for a connection, and those that the current connection was given
// and may lose. The latter wait again on the next connection. Must not know sockets.
import { outbound } from "../transport.ts"
import type { OutboundMessage } from "../transport.ts"
import type { ValueRecord } from "./delivery-record.ts"
import { VolatileSlots } from "./volatile-slots.ts"
import type { VolatileSlotsLimits, WaitingValue } from "./volatile-slots.ts"

export class LastValues {
  readonly #waiting: VolatileSlots
  readonly #given: VolatileSlots

  constructor(limits: VolatileSlotsLimits) {
    this.#waiting = new VolatileSlots(limits)
    this.#given = new VolatileSlots(limits)
  }

  /** Values that wait. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** The value that has waited longest. */
  get next(): WaitingValue | undefined {
    return this.#waiting.first
  }

  /** Keeps the latest value of the key until a connection takes it. Returns how many values were lost to it. */
  keep(key: string, message: OutboundMessage): number {
    return this.#waiting.put(key, message)
  }

  /** The connection was given this value. */
  given(key: string, message: OutboundMessage): void {
    this.#waiting.delete(key)
    this.#given.put(key, message)
  }

  /** Returns all values, as they would wait for the next connection. */
  record(): readonly ValueRecord[] {
    this.offerAgain()
    return [...this.#waiting.all()].map(({ key, message: { bytes } }) => ({ key, bytes }))
  }

  restore(values: readonly ValueRecord[]): void {
    for (const { key, bytes } of values) this.keep(key, outbound(bytes))
  }

  /** The connection is gone: its values wait again, the oldest first, unless a newer one waits already. */
  offerAgain(): void {
    const given = this.#given.take()
    if (given.length === 0) return
    const waiting = this.#waiting.take()
    const newer = new Set(waiting.map(({ key }) => key))
    for (const { key, message } of given) if (!newer.has(key)) this.keep(key, message)
    for (const { key, message } of waiting) this.keep(key, message)
  }
}
