// What arrives on one session's connection: the count, the user's message and byte bucket, pausing, decoding.
// Order of checks: count → bucket → guard and decode → owner. Knows no handlers.
import type {
  BadFrame,
  Clock,
  Codec,
  Connection,
  Delivery,
  Frame,
  RateLimiter,
  ServerLimits,
  TimerQueue,
} from "@hawser/protocol"
import type { ServerCounters } from "../counters.ts"

export interface InboundOptions {
  readonly connection: Connection
  readonly codec: Codec
  readonly delivery: Delivery
  readonly limits: ServerLimits
  readonly counters: ServerCounters
  readonly clock: Clock
  readonly timers: TimerQueue
  readonly limiter: RateLimiter
  readonly userId: string
  /** True while the owner has no room for another request. */
  readonly isFull: () => boolean
  readonly onFrame: (frame: Frame | BadFrame, count: number) => void
  /** The user kept sending too much for `throttledMaxMs`. */
  readonly onFlood: (waitMs: number) => void
}

interface Held {
  readonly bytes: Uint8Array
  readonly count: number
}

export class Inbound {
  readonly #options: InboundOptions
  /** What arrived while reading was being paused: at most what one read of the socket held. */
  readonly #held: Held[] = []
  #throttledSinceMs: number | undefined
  #cancelThrottle: (() => void) | undefined
  #ended = false
  #draining = false

  constructor(options: InboundOptions) {
    this.#options = options
  }

  /** True while this end has stopped reading; the peer's silence then means nothing. */
  get isPaused(): boolean {
    return this.#cancelThrottle !== undefined || this.#held.length > 0
  }

  receive(bytes: Uint8Array): void {
    if (this.#ended) return
    const { codec, delivery, counters, connection } = this.#options
    counters.messagesReceived += 1
    counters.bytesReceived += bytes.length
    const count = codec.counts && codec.classify(bytes) === "reliable" ? delivery.countInbound() : 0
    if (this.#mustHold()) {
      this.#held.push({ bytes, count })
      connection.pause()
      return
    }
    this.#process(bytes, count)
  }

  /** The owner has room again. */
  resume(): void {
    if (this.#draining) return
    this.#draining = true
    while (!this.#ended && !this.#mustHold()) {
      const next = this.#held.shift()
      if (next === undefined) break
      this.#process(next.bytes, next.count)
    }
    this.#draining = false
    if (this.#ended || this.#held.length > 0 || this.#cancelThrottle !== undefined) return
    this.#options.connection.resume()
  }

  end(): void {
    this.#ended = true
    this.#held.length = 0
    this.#cancelThrottle?.()
    this.#cancelThrottle = undefined
  }

  #mustHold(): boolean {
    return (
      this.#cancelThrottle !== undefined ||
      this.#options.isFull() ||
      (this.#held.length > 0 && !this.#draining)
    )
  }

  #process(bytes: Uint8Array, count: number): void {
    const waitMs = this.#charge(bytes.length)
    // Only a message that found the user out of debt ends the row of pauses.
    if (waitMs === 0) this.#throttledSinceMs = undefined
    else this.#throttle(waitMs)
    if (this.#ended) return
    this.#options.onFrame(this.#options.codec.decode(bytes, count), count)
  }

  /** Milliseconds until the user is out of debt; the message itself is let through, so nothing is lost. */
  #charge(bytes: number): number {
    const { limiter, limits, clock, userId } = this.#options
    const nowMs = clock.now()
    const messages = { everyMs: 1000 / limits.userMessagesPerSecond, burst: limits.userMessageBurst }
    const size = { everyMs: 1000 / limits.userBytesPerSecond, burst: limits.userByteBurst }
    return Math.max(
      limiter.debit(`${userId}\nmessages`, messages, nowMs, 1),
      limiter.debit(`${userId}\nbytes`, size, nowMs, bytes),
    )
  }

  #throttle(waitMs: number): void {
    const { timers, clock, limits, counters, connection, onFlood } = this.#options
    const nowMs = clock.now()
    this.#throttledSinceMs ??= nowMs
    if (nowMs - this.#throttledSinceMs >= limits.throttledMaxMs) {
      onFlood(waitMs)
      return
    }
    counters.throttledPauses += 1
    connection.pause()
    this.#cancelThrottle = timers.after(Math.min(waitMs, 1_000), () => {
      this.#cancelThrottle = undefined
      this.resume()
    })
  }
}
