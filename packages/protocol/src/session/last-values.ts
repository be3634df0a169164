// Holds the last values of keyed volatile events: queued values, and values that were sent on the current connection and may
// be lost. The next connection queues the latter again. At the bound of either set the oldest is dropped. Must not know sockets.
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

  /** Number of queued values. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** The value that was queued first. */
  get next(): WaitingValue | undefined {
    return this.#waiting.first
  }

  /** Queues a value in place of the previous one of its key. Returns the number of values that were dropped for it. */
  keep(key: string, message: OutboundMessage): number {
    return this.#waiting.put(key, message)
  }

  /** Records that the value was sent on the current connection. */
  given(key: string, message: OutboundMessage): void {
    this.#waiting.delete(key)
    this.#given.put(key, message)
  }

  /** Returns all values in the order in which the next connection would send them. */
  record(): readonly ValueRecord[] {
    const waiting = [...this.#waiting.all()]
    const newer = new Set(waiting.map(({ key }) => key))
    const given = [...this.#given.all()].filter(({ key }) => !newer.has(key))
    return [...given, ...waiting].map(({ key, message: { bytes } }) => ({ key, bytes }))
  }

  restore(values: readonly ValueRecord[]): void {
    for (const { key, bytes } of values) this.keep(key, outbound(bytes))
  }

  /** Queues the values of a lost connection again, oldest first, except keys with a newer queued value. */
  offerAgain(): void {
    const given = this.#given.take()
    if (given.length === 0) return
    const waiting = this.#waiting.take()
    const newer = new Set(waiting.map(({ key }) => key))
    for (const { key, message } of given) if (!newer.has(key)) this.keep(key, message)
    for (const { key, message } of waiting) this.keep(key, message)
  }
}
