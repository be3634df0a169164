// What arrives in one session: the count, the user's message and byte bucket, pausing, decoding. Outlives connections.
// Order of checks: count → bucket → guard and decode → owner. Knows no handlers.
import { frameByte, turnNow } from "@hawser/protocol/core"
import type { Clock, RateLimit, ServerLimits } from "@hawser/protocol"
import type {
  BadFrame,
  Codec,
  Connection,
  Delivery,
  Frame,
  FrameClass,
  HeldBucket,
  RateLimiter,
  TimerQueue,
} from "@hawser/protocol/core"
import type { ServerCounters } from "../../base/counters.ts"
import type { HeldLimits } from "./dialect.ts"

export interface InboundHost {
  readonly limits: ServerLimits
  readonly counters: ServerCounters
  readonly clock: Clock
  readonly timers: TimerQueue
  readonly limiter: RateLimiter
  readonly userRates: UserRates
}

export interface InboundOwner {
  readonly dialect: { readonly codec: Codec; readonly held: HeldLimits }
  readonly delivery: Delivery
  readonly userId: string
  /** True while there is no room for another request. */
  readonly isFull: boolean
  onFrame(frame: Frame | BadFrame, count: number): void
  /** CANCEL of a held request has arrived; the frame itself stays behind the request. */
  onHeldCancel(reference: number): void
  /** The user kept sending too much for `throttledMaxMs`. */
  onFlood(waitMs: number): void
}

/** How much a user may send. */
interface UserRates {
  readonly messages: RateLimit
  readonly bytes: RateLimit
}

export function userRates(limits: ServerLimits): UserRates {
  return {
    messages: { everyMs: 1000 / limits.userMessagesPerSecond, burst: limits.userMessageBurst },
    bytes: { everyMs: 1000 / limits.userBytesPerSecond, burst: limits.userByteBurst },
  }
}

interface Held {
  readonly bytes: Uint8Array
  readonly count: number
  readonly arrivedAtMs: number
}

/** After this time of waiting the user's bucket is looked at again. */
const longestThrottleMs = 1_000

export class Inbound {
  readonly #host: InboundHost
  readonly #owner: InboundOwner
  /** The user's, shared with their other sessions. Undefined before the first message. */
  #messageBucket: HeldBucket | undefined
  #byteBucket: HeldBucket | undefined
  /** Messages that wait for room or for the user's bucket, oldest first. Undefined while there are none. */
  #held: Held[] | undefined
  #heldBytes = 0
  /** Arrival of the held message that is processed now. Undefined while none is being taken out. */
  #heldSinceMs: number | undefined
  /** True while the socket is not read. */
  #isPaused = false
  #connection: Connection | undefined
  /** Begin of the row of pauses for the user's bucket; undefined while there is none. */
  #throttledSinceMs: number | undefined
  /** End of the last of them, if the socket was not read during it and nothing was held. */
  #readAgainAtMs: number | undefined
  #cancelThrottle: (() => void) | undefined
  #ended = false

  constructor(host: InboundHost, owner: InboundOwner) {
    this.#host = host
    this.#owner = owner
  }

  /** True while this end has stopped reading; the peer's silence then means nothing. */
  get isPaused(): boolean {
    return this.#isPaused
  }

  /** When the message that is processed now arrived. */
  get arrivedAtMs(): number {
    return this.#heldSinceMs ?? turnNow(this.#host.clock)
  }

  /** True while a held message has this number. */
  holds(count: number): boolean {
    return this.#held?.some((held) => held.count === count) === true
  }

  /** A connection is bound; reading goes on as it stood. */
  attach(connection: Connection): void {
    this.#connection = connection
    if (this.#isPaused) connection.pause()
  }

  detach(): void {
    this.#connection = undefined
  }

  receive(bytes: Uint8Array): void {
    if (this.#ended) return
    const { dialect, delivery } = this.#owner
    const { counters } = this.#host
    counters.messagesReceived += 1
    counters.bytesReceived += bytes.length
    const kind = dialect.codec.classify(bytes)
    const count = kind === "reliable" ? delivery.receive(bytes) : 0
    if (count > 0 && delivery.settleAgain(count)) return
    if (this.#mustHold() && !this.#goesAhead(kind, bytes)) {
      this.#held ??= []
      this.#held.push({ bytes, count, arrivedAtMs: turnNow(this.#host.clock) })
      this.#heldBytes += bytes.length
      if (this.#holdsTooMuch()) this.#pause()
      return
    }
    this.#process(bytes, count)
  }

  /**
   * A socket that is not read brings no acknowledgements either, and then the buffer fills with what the client has
   * long handled. So as much is held as a client may have under way that keeps to its own bounds. Without
   * acknowledgements nothing need be held: the limits of the dialect are 0, and the network does the holding.
   */
  #holdsTooMuch(): boolean {
    const heldCount = this.#held?.length ?? 0
    const { heldMaxCount, heldMaxBytes } = this.#owner.dialect.held
    return heldCount > heldMaxCount || this.#heldBytes > heldMaxBytes
  }

  #pause(): void {
    if (this.#isPaused) return
    this.#isPaused = true
    this.#connection?.pause()
  }

  /** The owner has room again. */
  resume(): void {
    if (this.#isDraining) return
    this.#heldSinceMs = turnNow(this.#host.clock)
    while (!this.#ended && !this.#mustHold()) {
      const next = this.#held?.shift()
      if (next === undefined) break
      if (this.#held?.length === 0) this.#held = undefined
      this.#heldBytes -= next.bytes.length
      this.#heldSinceMs = next.arrivedAtMs
      this.#process(next.bytes, next.count)
    }
    this.#heldSinceMs = undefined
    if (this.#ended || !this.#isPaused || this.#holdsTooMuch() || this.#cancelThrottle !== undefined) return
    this.#isPaused = false
    this.#connection?.resume()
  }

  get #isDraining(): boolean {
    return this.#heldSinceMs !== undefined
  }

  end(): void {
    this.#ended = true
    this.#messageBucket?.release()
    this.#byteBucket?.release()
    this.#held = undefined
    this.#heldBytes = 0
    this.#cancelThrottle?.()
    this.#cancelThrottle = undefined
  }

  /**
   * Frames of the session layer say something about this very moment, and a request that runs may wait for its CANCEL
   * or CREDIT: none of them waits behind other requests. What concerns a held request stays behind it; a CANCEL is
   * noted, so that its request is not started first.
   */
  #goesAhead(kind: FrameClass, bytes: Uint8Array): boolean {
    if (kind === "control") return true
    if (bytes[0] !== frameByte.cancel && bytes[0] !== frameByte.credit) return false
    const frame = this.#owner.dialect.codec.decode(bytes, 0)
    if (frame.kind !== "cancel" && frame.kind !== "credit") return false
    const { kind: what, reference } = frame
    if (typeof reference !== "number" || !this.holds(reference)) return true
    if (what === "cancel") this.#owner.onHeldCancel(reference)
    return false
  }

  #mustHold(): boolean {
    return (
      this.#cancelThrottle !== undefined ||
      this.#owner.isFull ||
      (this.#held !== undefined && !this.#isDraining)
    )
  }

  #process(bytes: Uint8Array, count: number): void {
    const waitMs = this.#charge(bytes.length)
    // Only a message that found the user out of debt ends the row of pauses.
    if (waitMs === 0) this.#throttledSinceMs = undefined
    else this.#throttle(waitMs)
    if (this.#ended) return
    this.#owner.onFrame(this.#owner.dialect.codec.decode(bytes, count), count)
  }

  /** Milliseconds until the user is out of debt; the message itself is let through, so nothing is lost. */
  #charge(bytes: number): number {
    const { clock, limiter, userRates: rates } = this.#host
    const { userId } = this.#owner
    const nowMs = turnNow(clock)
    this.#messageBucket ??= limiter.hold(`${userId}\nmessages`, rates.messages, nowMs)
    this.#byteBucket ??= limiter.hold(`${userId}\nbytes`, rates.bytes, nowMs)
    return Math.max(this.#messageBucket.debit(nowMs, 1), this.#byteBucket.debit(nowMs, bytes))
  }

  #throttle(waitMs: number): void {
    const { timers, clock, limits, counters } = this.#host
    const nowMs = clock.now()
    if (this.#comesLater) this.#throttledSinceMs = undefined
    this.#readAgainAtMs = undefined
    this.#throttledSinceMs ??= nowMs
    if (nowMs - this.#throttledSinceMs >= limits.throttledMaxMs) {
      this.#owner.onFlood(waitMs)
      return
    }
    counters.throttledPauses += 1
    // Beyond a second of debt it is frames of the session layer that are too many, and those are not held.
    if (this.#owner.dialect.held.heldMaxCount === 0 || waitMs > longestThrottleMs) this.#pause()
    this.#cancelThrottle?.()
    this.#cancelThrottle = timers.after(Math.min(waitMs, longestThrottleMs), () => {
      this.#cancelThrottle = undefined
      if (this.#held === undefined) {
        // Nothing waited for the user's bucket: whatever comes next is not part of the same flood.
        if (!this.#isPaused) this.#throttledSinceMs = undefined
        // Something may wait in the socket.
        else this.#readAgainAtMs = clock.now()
      }
      this.resume()
    })
  }

  /** True for a message that came so long after the last pause that it did not wait for its end. */
  get #comesLater(): boolean {
    return this.#readAgainAtMs !== undefined && this.arrivedAtMs - this.#readAgainAtMs > longestThrottleMs
  }
}
