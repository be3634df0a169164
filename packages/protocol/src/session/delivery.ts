// What one end of a session knows of its messages: what it sent and the other end has not acknowledged, what it
// received and has not handled. Outlives connections; at most one is attached. Serves both ends of `hawser.1`.
// Order on a connection: every reliable message before any newer one, and volatile ones only when none waits.
// Knows no handlers, no tokens and no timers. Invariants S1–S5 and S12 of docs/protocol.md rest on this file.
import { turnNow } from "../clock.ts"
import type { Clock } from "../clock.ts"
import { outbound } from "../transport.ts"
import type { Connection, OutboundMessage } from "../transport.ts"
import type { Codec } from "../wire/codec.ts"
import type { Frame } from "../wire/frame.ts"
import { ReceiveCount } from "./receive-count.ts"
import { SendBuffer } from "./send-buffer.ts"
import type { KeptBytes } from "./send-buffer.ts"
import { VolatileSlots } from "./volatile-slots.ts"

export interface DeliveryLimits {
  /** Reliable messages that are not acknowledged, their number and their bytes. Beyond: `reliable` takes no more. */
  readonly sendBufferMaxCount: number
  readonly sendBufferMaxBytes: number
  /** Bytes in the socket at which reliable messages stay in the session's buffer. */
  readonly socketHighWaterBytes: number
  /** Bytes in the socket above which volatile messages wait (with a key) or are dropped (without). */
  readonly volatileHighWaterBytes: number
  /** Keyed volatile values that wait, and their bytes. Beyond: the oldest is dropped, but never the latest. */
  readonly volatileSlots: number
  readonly volatileSlotsMaxBytes: number
  /** Settled messages, or their bytes, after which an acknowledgement is sent at once. */
  readonly ackEveryCount: number
  readonly ackEveryBytes: number
  /** Reliable messages, or time with progress, after which both ends compare counts and digests. */
  readonly syncEveryCount: number
  readonly syncEveryMs: number
}

/** What a delivery counts; one object may serve many sessions. */
export interface DeliveryCounters {
  messagesSent: number
  bytesSent: number
  messagesReplayed: number
  bytesReplayed: number
  acksSent: number
  volatileDropped: number
  volatileConflated: number
}

/** What the deliveries of all sessions of a server have in common. */
export interface DeliveryHost {
  readonly limits: DeliveryLimits
  readonly clock: Clock
  readonly codec: Pick<Codec, "encode">
  readonly counters: DeliveryCounters
  readonly kept: KeptBytes
}

export interface DeliveryOwner {
  /** Asks the runner to call `flushAck` soon. Not repeated before it has. */
  requestAck(): void
}

/** `sent`: handed to the connection. `buffered`: waits for the connection. `full`: refused, nothing was taken. */
export type ReliableOutcome = "sent" | "buffered" | "full"
export type VolatileOutcome = "sent" | "conflated" | "dropped"

export class Delivery {
  readonly #host: DeliveryHost
  readonly #owner: DeliveryOwner
  readonly #buffer: SendBuffer
  readonly #inbound = new ReceiveCount()
  /**
   * Keyed volatile values that wait, and those that the connection of now was given and may lose. Undefined until there
   * are any: most sessions never have some.
   */
  #slots: VolatileSlots | undefined
  #handedOver: VolatileSlots | undefined
  #connection: Connection | undefined
  /** The highest number that any connection was given: what is below is a replay. */
  #everSent = 0
  #acknowledgedAtMs: number
  #syncedAtMs: number
  #syncedCount = 0
  /** What the other end was last told that is handled here. */
  #toldHandled = 0
  #untoldBytes = 0
  #ackRequested = false
  #isDead = false

  constructor(host: DeliveryHost, owner: DeliveryOwner) {
    this.#host = host
    this.#owner = owner
    this.#buffer = new SendBuffer(host.limits, host.kept)
    this.#acknowledgedAtMs = host.clock.now()
    this.#syncedAtMs = this.#acknowledgedAtMs
  }

  // --- numbers --------------------------------------------------------------------------------------------------

  /** Reliable messages accepted for sending. */
  get sent(): number {
    return this.#buffer.head
  }

  /** Of these, the ones that the other end has settled. */
  get acknowledged(): number {
    return this.#buffer.base
  }

  get bufferedBytes(): number {
    return this.#buffer.bytes
  }

  /** For what can wait: true while `bytes` more would leave half of the send buffer to what cannot. */
  hasRoom(bytes: number): boolean {
    const { sendBufferMaxCount, sendBufferMaxBytes } = this.#host.limits
    const count = this.sent - this.acknowledged
    if (count === 0) return true
    return count < sendBufferMaxCount / 2 && this.bufferedBytes + bytes <= sendBufferMaxBytes / 2
  }

  /** True when everything accepted was handed to the connection of now. */
  get isFlushed(): boolean {
    return this.#buffer.sent === this.#buffer.head && this.#waitingValues === 0
  }

  get #waitingValues(): number {
    return this.#slots?.size ?? 0
  }

  /** The last number that a connection was ever given: what lies beyond has certainly not been executed. */
  get everSent(): number {
    return this.#everSent
  }

  get received(): number {
    return this.#inbound.received
  }

  get receivedDigest(): number {
    return this.#inbound.receivedDigest
  }

  get handled(): number {
    return this.#inbound.handled
  }

  get handledDigest(): number {
    return this.#inbound.handledDigest
  }

  /** What is not acknowledged, oldest first. */
  unacknowledged(): OutboundMessage[] {
    return this.#buffer.unacknowledged()
  }

  /** Messages that the current connection has not been given, oldest first. */
  unsent(): OutboundMessage[] {
    return this.#buffer.unsent()
  }

  /** Since when the other end has settled nothing of what it was given; undefined when it owes nothing. */
  get stalledSinceMs(): number | undefined {
    return this.#buffer.base === this.#buffer.sent ? undefined : this.#acknowledgedAtMs
  }

  /** True once the connection of now refused a message: it will take no other, whether it says so or not. */
  get isDead(): boolean {
    return this.#isDead
  }

  // --- connections ----------------------------------------------------------------------------------------------

  /** True when a connection can go on after `count` messages with this digest: steps 7 of a resume. */
  canResumeAfter(count: number, digest: number): boolean {
    return count <= this.#everSent && this.#buffer.digestAt(count) === digest
  }

  /**
   * Goes on on a new connection: what is up to `handled` is done with, what is up to `received` need not be sent
   * again. The caller has checked both with `canResumeAfter`. `pump` sends.
   */
  attach(connection: Connection, other: { readonly received: number; readonly handled: number }): void {
    this.#connection = connection
    this.#isDead = false
    this.acknowledge(other.handled)
    this.#buffer.rewind(other.received)
    this.#acknowledgedAtMs = this.#host.clock.now()
    // Both ends have just compared counts and digests.
    this.#syncedCount = this.#buffer.sent
    this.#syncedAtMs = this.#acknowledgedAtMs
    // What was told on an old connection may have been lost with it, and so may the last value of a key.
    this.#toldHandled = 0
    this.#offerAgain()
    if (this.#inbound.handled > 0) this.#requestAck()
  }

  detach(): void {
    this.#connection = undefined
    this.#isDead = false
  }

  /** Last values that the old connection was given wait again, the oldest first, unless a newer one waits already. */
  #offerAgain(): void {
    const handedOver = this.#handedOver?.take() ?? []
    if (handedOver.length === 0) return
    this.#handedOver = undefined
    const waiting = this.#slots?.take() ?? []
    const newer = new Set(waiting.map(({ key }) => key))
    for (const { key, message } of handedOver) if (!newer.has(key)) this.#keepValue(key, message)
    for (const { key, message } of waiting) this.#keepValue(key, message)
  }

  /** The session has ended: lets go of everything. */
  end(): void {
    this.#connection = undefined
    this.#buffer.clear()
    this.#slots = undefined
    this.#handedOver = undefined
  }

  // --- sending --------------------------------------------------------------------------------------------------

  reliable(message: OutboundMessage): ReliableOutcome {
    if (this.#buffer.isFullFor(message.bytes.length)) return "full"
    const number = this.#buffer.append(message)
    this.#pumpReliable()
    return this.#buffer.sent >= number ? "sent" : "buffered"
  }

  volatile(message: OutboundMessage, key: string | undefined): VolatileOutcome {
    const { counters } = this.#host
    if (this.takesState && this.state(message)) {
      if (key !== undefined) this.#mayLose(key, message)
      return "sent"
    }
    if (key === undefined) {
      counters.volatileDropped += 1
      return "dropped"
    }
    counters.volatileConflated += this.#keepValue(key, message)
    return "conflated"
  }

  /** Returns how many values were lost to it. */
  #keepValue(key: string, message: OutboundMessage): number {
    this.#slots ??= new VolatileSlots(this.#host.limits)
    return this.#slots.put(key, message)
  }

  #mayLose(key: string, message: OutboundMessage): void {
    this.#handedOver ??= new VolatileSlots(this.#host.limits)
    this.#handedOver.put(key, message)
  }

  /** True while what stands for a moment only may be sent: nothing reliable and no last value waits, and there is room. */
  get takesState(): boolean {
    const connection = this.#connection
    if (connection === undefined || !this.isFlushed) return false
    if (connection.bufferedBytes <= this.#host.limits.volatileHighWaterBytes) return true
    connection.awaitDrain?.()
    return false
  }

  /** Sends what stands for a moment only, such as the cells of a replica: not counted, never replayed. */
  state(message: OutboundMessage): boolean {
    const connection = this.#connection
    return connection !== undefined && this.#handOver(connection, message)
  }

  /** Frames of the session layer: not counted, never replayed, sent at once or not at all. */
  control(frame: Frame): boolean {
    const connection = this.#connection
    return connection !== undefined && this.#handOver(connection, outbound(this.#host.codec.encode(frame)))
  }

  /** Sends what waits, as far as the socket takes it. Called when the socket has drained. */
  pump(): void {
    this.#pumpReliable()
    this.#pumpVolatile()
  }

  /** Hands over every reliable message that waits, however much the socket holds: the last of this connection. */
  flush(): void {
    this.#pumpReliable(Number.POSITIVE_INFINITY)
  }

  /** The other end has settled everything up to `count`. False: it claims what it was never given. */
  acknowledge(count: number): boolean {
    const before = this.#buffer.base
    if (!this.#buffer.acknowledge(count)) return false
    if (this.#buffer.base > before) this.#acknowledgedAtMs = turnNow(this.#host.clock)
    return true
  }

  #pumpReliable(highWaterBytes = this.#host.limits.socketHighWaterBytes): void {
    const { counters, clock } = this.#host
    const connection = this.#connection
    if (connection === undefined) return
    let next = this.#buffer.next
    while (next !== undefined && connection.bufferedBytes < highWaterBytes) {
      if (!this.#handOver(connection, next)) return
      // From now on the other end owes an acknowledgement.
      if (this.#buffer.base === this.#buffer.sent) this.#acknowledgedAtMs = turnNow(clock)
      this.#buffer.markSent()
      const { sent } = this.#buffer
      if (sent <= this.#everSent) {
        counters.messagesReplayed += 1
        counters.bytesReplayed += next.bytes.length
      } else {
        this.#everSent = sent
      }
      this.#sync(sent)
      next = this.#buffer.next
    }
    if (next !== undefined) connection.awaitDrain?.()
  }

  #pumpVolatile(): void {
    const connection = this.#connection
    if (connection === undefined || this.#buffer.next !== undefined) return
    const slots = this.#slots
    if (slots === undefined) return
    while (slots.size > 0 && connection.bufferedBytes <= this.#host.limits.volatileHighWaterBytes) {
      const next = slots.first
      if (next === undefined || !this.#handOver(connection, next.message)) return
      slots.delete(next.key)
      this.#mayLose(next.key, next.message)
    }
    if (slots.size > 0) connection.awaitDrain?.()
    else this.#slots = undefined
  }

  #handOver(connection: Connection, message: OutboundMessage): boolean {
    const { counters } = this.#host
    if (!connection.send(message)) {
      this.#isDead = true
      return false
    }
    counters.messagesSent += 1
    counters.bytesSent += message.bytes.length
    return true
  }

  /** Tells the other end how many reliable messages came before this moment, and their digest. */
  #sync(sent: number): void {
    const { limits, clock } = this.#host
    const due =
      sent - this.#syncedCount >= limits.syncEveryCount ||
      (sent > this.#syncedCount && turnNow(clock) - this.#syncedAtMs >= limits.syncEveryMs)
    if (!due) return
    this.#syncedCount = sent
    this.#syncedAtMs = turnNow(clock)
    const digest = this.#buffer.digestAt(sent)
    if (digest !== undefined) this.control({ kind: "sync", count: sent, digest })
  }

  // --- receiving ------------------------------------------------------------------------------------------------

  /** Counts a reliable message that is complete, before it is decoded. Returns its number. */
  receive(bytes: Uint8Array): number {
    this.#untoldBytes += bytes.length
    return this.#inbound.receive(bytes)
  }

  /** Nothing more is to be done for this message. */
  settle(number: number): void {
    const { limits } = this.#host
    this.#inbound.settle(number)
    const untold = this.#inbound.handled - this.#toldHandled
    if (untold <= 0) return
    if (untold >= limits.ackEveryCount || this.#untoldBytes >= limits.ackEveryBytes) this.flushAck()
    else this.#requestAck()
  }

  /** True when the other end counted the same messages. */
  agreesWith(count: number, digest: number): boolean {
    return this.#inbound.received === count && this.#inbound.receivedDigest === digest
  }

  /** Acknowledges what is handled, if the other end does not know of it. */
  flushAck(): void {
    this.#ackRequested = false
    const { handled } = this.#inbound
    if (handled === this.#toldHandled) return
    if (!this.control({ kind: "ack", handled })) return
    this.#host.counters.acksSent += 1
    this.toldHandled()
  }

  /** `handled` went along with another frame. */
  toldHandled(): void {
    this.#toldHandled = this.#inbound.handled
    this.#untoldBytes = 0
  }

  #requestAck(): void {
    if (this.#ackRequested) return
    this.#ackRequested = true
    this.#owner.requestAck()
  }
}
