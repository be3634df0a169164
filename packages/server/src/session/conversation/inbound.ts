// Receives the messages of one session: counts, charges the user's message and byte buckets, holds, decodes. Survives connections.
// Order: count → bucket → guard and decode → owner. Above the inbox's high-water marks it stops reading the socket (backpressure).
// Must not know handlers.
import { frameByte, turnNow } from "@hawser/protocol/core"
import type { RateLimit, ServerLimits } from "@hawser/protocol"
import type {
  BadFrame,
  Codec,
  Connection,
  ServerDelivery,
  Frame,
  FrameClass,
  HeldBucket,
  RateLimiter,
} from "@hawser/protocol/core"
import type { Base } from "../../base/create-base.ts"
import { ownBytes } from "../../base/own-bytes.ts"
import type { HeldLimits } from "./dialect.ts"

/** Parts of a server that all inbounds share. */
export interface InboundHost extends Pick<Base, "limits" | "counters" | "clock" | "timers"> {
  readonly limiter: RateLimiter
  readonly userRates: UserRates
}

/** Session of an `Inbound`. */
export interface InboundOwner {
  readonly dialect: { readonly codec: Codec; readonly held: HeldLimits }
  readonly delivery: ServerDelivery
  readonly userId: string
  /** True while no further request may start or wait. */
  readonly isFull: boolean
  onFrame(frame: Frame | BadFrame, count: number): void
  /** Called when the CANCEL of a held request has arrived. The frame itself stays behind the request. */
  onHeldCancel(reference: number): void
  /** Called when messages are delayed for `forMs` by the limit of this name. */
  onThrottled(limit: ThrottleLimit, forMs: number): void
  /** Called when the user has exceeded a rate for `throttledMaxMs`. */
  onFlood(waitMs: number): void
}

/** Limit of a user's messages that delays them. */
export type ThrottleLimit = "userMessagesPerSecond" | "userBytesPerSecond"

/** Message and byte rate of a user. */
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

/** Longest wait before the user's buckets are checked again, in milliseconds. */
const longestThrottleMs = 1_000

/** Least duration of a row of pauses that the client is notified of, and interval of the notices, in milliseconds. */
const throttleNoticeMs = 500

/** Pauses of a session whose user exceeds a rate. */
interface Throttle {
  /** Start of an uninterrupted row of pauses; undefined without one. */
  sinceMs: number | undefined
  /** End of the last pause, if the socket was not read during it and the inbox was empty. */
  readAgainAtMs: number | undefined
  /** Time of the last notice to the client; -Infinity before. */
  noticedAtMs: number
  /** Cancels the pause; undefined between pauses. */
  cancel: (() => void) | undefined
}

export class Inbound {
  readonly #host: InboundHost
  readonly #owner: InboundOwner
  /** Bucket of the user, shared with the user's other sessions. Undefined before the first message. */
  #messageBucket: HeldBucket | undefined
  /** Likewise. */
  #byteBucket: HeldBucket | undefined
  /** Inbox: messages that wait for the request queue or the user's buckets, oldest first. Undefined while empty. */
  #held: Held[] | undefined
  #heldBytes = 0
  /** Time of arrival of the held message in process. Undefined while no held message is processed. */
  #heldSinceMs: number | undefined
  /** True while the socket is not read. */
  #isPaused = false
  #connection: Connection | undefined
  /** Undefined until the user has exceeded a rate. */
  #throttle: Throttle | undefined
  #ended = false

  constructor(host: InboundHost, owner: InboundOwner) {
    this.#host = host
    this.#owner = owner
  }

  /** True while the server does not read the socket. Silence is no sign of a dead peer then. */
  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Time of arrival of the message in process. */
  get arrivedAtMs(): number {
    return this.#heldSinceMs ?? turnNow(this.#host.clock)
  }

  /** True while a held message has this number. */
  holds(count: number): boolean {
    return this.#held?.some((held) => held.count === count) === true
  }

  /** Reads from a connection; a pause continues on it. */
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
    if (this.#mustHold() && !this.#isAhead(kind, bytes)) {
      this.#held ??= []
      this.#held.push({ bytes: ownBytes(bytes), count, arrivedAtMs: turnNow(this.#host.clock) })
      this.#heldBytes += bytes.length
      if (this.#holdsTooMuch()) this.#pause()
      return
    }
    this.#process(bytes, count)
  }

  /**
   * True above the inbox's high-water marks. A paused socket delivers no acknowledgements either, and the send buffer then fills
   * with messages that the client has handled. The marks therefore allow all messages that a client within its own bounds may
   * have in flight. A dialect without acknowledgements has marks of 0: its messages wait in the network.
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

  /** Processes held messages while the owner has space, then reads the socket again. */
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
    if (this.#ended || !this.#isPaused || this.#holdsTooMuch() || this.#throttle?.cancel !== undefined) return
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
    this.#throttle?.cancel?.()
    this.#throttle = undefined
  }

  /**
   * True for a message that is processed ahead of held ones: frames of the session layer, and CANCEL or CREDIT for a request that
   * is not held. CANCEL and CREDIT of a held request stay behind it; the CANCEL is noted, so that the request is not started.
   */
  #isAhead(kind: FrameClass, bytes: Uint8Array): boolean {
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
      this.#throttle?.cancel !== undefined ||
      this.#owner.isFull ||
      (this.#held !== undefined && !this.#isDraining)
    )
  }

  #process(bytes: Uint8Array, count: number): void {
    const waitMs = this.#charge(bytes.length)
    // Only a message that leaves the user without debt ends the row of pauses.
    if (waitMs > 0) this.#pauseFor(waitMs)
    else if (this.#throttle !== undefined) this.#throttle.sinceMs = undefined
    if (this.#ended) return
    this.#owner.onFrame(this.#owner.dialect.codec.decode(bytes, count), count)
  }

  /**
   * Debits the user's buckets, whose names no call can have. Returns the milliseconds until they are out of debt. The message is
   * processed in any case.
   */
  #charge(bytes: number): number {
    const { clock, limiter, userRates: rates } = this.#host
    const { userId } = this.#owner
    const nowMs = turnNow(clock)
    this.#messageBucket ??= limiter.hold(`${userId}\n$messages`, rates.messages, nowMs)
    this.#byteBucket ??= limiter.hold(`${userId}\n$bytes`, rates.bytes, nowMs)
    return Math.max(this.#messageBucket.debit(nowMs, 1), this.#byteBucket.debit(nowMs, bytes))
  }

  #pauseFor(waitMs: number): void {
    const { timers, clock, limits, counters } = this.#host
    const nowMs = clock.now()
    const throttle = (this.#throttle ??= {
      sinceMs: undefined,
      readAgainAtMs: undefined,
      noticedAtMs: -Infinity,
      cancel: undefined,
    })
    if (this.#isAfterPause(throttle)) throttle.sinceMs = undefined
    throttle.readAgainAtMs = undefined
    throttle.sinceMs ??= nowMs
    if (nowMs - throttle.sinceMs >= limits.throttledMaxMs) {
      this.#owner.onFlood(waitMs)
      return
    }
    counters.throttledPauses += 1
    this.#notice(throttle, { nowMs, waitMs })
    // More than a second of debt comes from frames of the session layer, which are not held, so the socket pauses.
    if (this.#owner.dialect.held.heldMaxCount === 0 || waitMs > longestThrottleMs) this.#pause()
    throttle.cancel?.()
    throttle.cancel = timers.after(Math.min(waitMs, longestThrottleMs), () => {
      throttle.cancel = undefined
      if (this.#held === undefined) {
        // No message waited for the buckets: the next one does not belong to the same flood.
        if (!this.#isPaused) throttle.sinceMs = undefined
        // Messages may wait in the socket.
        else throttle.readAgainAtMs = clock.now()
      }
      this.resume()
    })
  }

  /** Notifies the client of a row of pauses that may exceed the deadlines of its requests. */
  #notice(throttle: Throttle, { nowMs, waitMs }: { readonly nowMs: number; readonly waitMs: number }): void {
    const { sinceMs = nowMs, noticedAtMs } = throttle
    if (nowMs + waitMs - sinceMs < throttleNoticeMs || nowMs - noticedAtMs < throttleNoticeMs) return
    throttle.noticedAtMs = nowMs
    const byMessages = this.#messageBucket?.debit(nowMs, 0) === waitMs
    // A pause that begins before the next notice is due belongs to this one.
    this.#owner.onThrottled(
      byMessages ? "userMessagesPerSecond" : "userBytesPerSecond",
      Math.max(waitMs, 2 * throttleNoticeMs),
    )
  }

  /** True for a message that arrived more than `longestThrottleMs` after the last pause, so that it did not wait in the socket. */
  #isAfterPause({ readAgainAtMs }: Throttle): boolean {
    return readAgainAtMs !== undefined && this.arrivedAtMs - readAgainAtMs > longestThrottleMs
  }
}
