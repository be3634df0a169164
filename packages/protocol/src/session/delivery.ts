/* oxlint-disable eslint/max-lines -- one object for a session: each more would cost every idle session its memory */
// What one end of a session knows of its messages: what it sent and the other end has not acknowledged, what it
// received and has not handled. Outlives connections; at most one is attached. Serves both ends of `hawser.1`.
// Order on a connection: every reliable message before any newer one, and volatile ones only when none waits.
// Knows no handlers, no tokens and no timers. Invariants S1–S5 and S12 of docs/protocol.md rest on this file.
import { turnNow } from "../base/clock.ts"
import { outbound } from "../transport.ts"
import type { Connection, OutboundMessage } from "../transport.ts"
import type { Frame } from "../wire/frame.ts"
import type { DeliveryRecord } from "./delivery-record.ts"
import type { DeliveryHost, DeliveryOwner, OtherEnd } from "./delivery-host.ts"
import type { ReliableOutcome, VolatileOutcome } from "./delivery-host.ts"
import { LastValues } from "./last-values.ts"
import { ReceiveCount } from "./receive-count.ts"
import { SendBuffer } from "./send-buffer.ts"
import { StateReceipt } from "./state-receipt.ts"
import { StateWindow } from "./state-window.ts"
import type { StateUnderWay } from "./state-window.ts"

export class Delivery {
  /** True if the other end acknowledges state on this connection; set by `attach`. */
  countsState = false
  readonly #host: DeliveryHost
  readonly #owner: DeliveryOwner
  readonly #buffer: SendBuffer
  readonly #inbound = new ReceiveCount()
  /** Undefined until there are any: most sessions never have some. */
  #values: LastValues | undefined
  /** State under way to a client that acknowledges it, and state received on this connection. Undefined until there is some. */
  #window: StateWindow | undefined
  #receipt: StateReceipt | undefined
  #connection: Connection | undefined
  /** The highest number that any connection was given: what is below is a replay. */
  #everSent = 0
  /** Time of the last acknowledgement that brought progress, of messages or of state. */
  #progressAtMs: number
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
    this.#progressAtMs = host.clock.now()
    this.#syncedAtMs = this.#progressAtMs
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
    return this.#buffer.sent === this.#buffer.head && !this.#hasValues
  }

  get #hasValues(): boolean {
    return this.#values !== undefined && this.#values.waiting > 0
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

  /** Since when the other end has acknowledged nothing of what it was given; undefined when it owes nothing. */
  get stalledSinceMs(): number | undefined {
    return this.#owesNothing ? undefined : this.#progressAtMs
  }

  get #owesNothing(): boolean {
    return this.#buffer.base === this.#buffer.sent && this.#window?.sinceMs === undefined
  }

  /** State under way to the other end; undefined where it does not acknowledge state, or was sent none. */
  get stateUnderWay(): StateUnderWay | undefined {
    return this.#window
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
  attach(connection: Connection, { received, handled, countsState = false }: OtherEnd): void {
    this.#connection = connection
    this.#isDead = false
    // State is counted anew on each connection, and another network carries it.
    this.#window = undefined
    this.#receipt = undefined
    this.countsState = countsState
    this.acknowledge(handled)
    this.#buffer.rewind(received)
    this.#progressAtMs = this.#host.clock.now()
    // Both ends have just compared counts and digests.
    this.#syncedCount = this.#buffer.sent
    this.#syncedAtMs = this.#progressAtMs
    // What was told on an old connection may have been lost with it, and so may the last value of a key.
    this.#toldHandled = 0
    this.#values?.offerAgain()
    if (this.#inbound.handled > 0) this.#requestAck()
  }

  detach(): void {
    this.#connection = undefined
    this.#isDead = false
    this.#window = undefined
  }

  /** The session has ended: lets go of everything. */
  end(): void {
    this.#connection = undefined
    this.#buffer.clear()
    this.#values = undefined
  }

  // --- lives of the process -----------------------------------------------------------------------------------

  /** Returns the delivery as plain data. No connection may be attached. */
  record(): DeliveryRecord {
    const values = this.#values?.record() ?? []
    return { sent: this.#buffer.record(), received: this.#inbound.record(), values }
  }

  /** Continues from a record. Only before the first message and the first connection; bounds are not enforced. */
  restore({ sent, received, values }: DeliveryRecord): void {
    this.#buffer.restore(sent)
    this.#everSent = this.#buffer.head
    this.#inbound.restore(received)
    if (values.length > 0) this.#lastValues.restore(values)
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
    if (this.isFlushed && this.#takesEvent(message) && this.state(message, false)) {
      if (key !== undefined) this.#lastValues.given(key, message)
      return "sent"
    }
    if (key === undefined) {
      counters.volatileDropped += 1
      return "dropped"
    }
    counters.volatileConflated += this.#lastValues.keep(key, message)
    return "conflated"
  }

  get #lastValues(): LastValues {
    this.#values ??= new LastValues(this.#host.limits)
    return this.#values
  }

  /**
   * True if an update of views may be sent, of about `bytes`: no reliable message is queued, the socket's buffer is at or below
   * `volatileHighWaterBytes`, and the state under way leaves room. `isFirst`: this connection was sent no such update yet.
   */
  takesState(bytes: number, isFirst: boolean): boolean {
    if (this.#buffer.sent !== this.#buffer.head) return false
    // A client that acknowledges no state shows by its socket alone how fast it is: values go before views.
    if (!this.countsState && this.#hasValues) return false
    if (!this.socketTakes(this.#host.limits.volatileHighWaterBytes)) return false
    return this.#window?.takesView(bytes, isFirst, this.#hasValues, turnNow(this.#host.clock)) ?? true
  }

  /** The same of a volatile event or value, whether or not others wait. */
  #takesEvent({ bytes }: OutboundMessage): boolean {
    if (!this.socketTakes(this.#host.limits.volatileHighWaterBytes)) return false
    const viewsWait = this.#owner.viewsWait === true
    return this.#window?.takesEvent(bytes.length, viewsWait, turnNow(this.#host.clock)) ?? true
  }

  /** True if the socket's buffer is at or below this mark. If not, the owner is notified when it has drained. */
  socketTakes(highWaterBytes: number): boolean {
    const connection = this.#connection
    const takes = (connection?.bufferedBytes ?? Number.POSITIVE_INFINITY) <= highWaterBytes
    if (!takes) connection?.awaitDrain?.()
    return takes
  }

  /** Sends a frame of state, of views or of an event: not counted, never replayed. */
  state(message: OutboundMessage, isView = true): boolean {
    const connection = this.#connection
    if (connection === undefined || !this.#handOver(connection, message)) return false
    const { clock, stateLimits } = this.#host
    if (!this.countsState || stateLimits === undefined) return true
    const nowMs = turnNow(clock)
    if (this.#owesNothing) this.#progressAtMs = nowMs
    this.#window ??= new StateWindow(stateLimits)
    this.#window.sent(message.bytes.length, isView, nowMs)
    return true
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
    if (this.#buffer.base > before) this.#progressAtMs = turnNow(this.#host.clock)
    return true
  }

  /** The other end has received `frames` frames of state on this connection. False: it claims what it was never sent. */
  acknowledgeState(frames: number): boolean {
    if (!this.countsState || frames <= (this.#window?.acknowledgedFrames ?? 0)) return true
    this.#progressAtMs = turnNow(this.#host.clock)
    return this.#window?.acknowledge(frames, this.#progressAtMs) === true
  }

  #pumpReliable(highWaterBytes = this.#host.limits.socketHighWaterBytes): void {
    const { counters, clock } = this.#host
    const connection = this.#connection
    if (connection === undefined) return
    let next = this.#buffer.next
    while (next !== undefined && connection.bufferedBytes < highWaterBytes) {
      if (!this.#handOver(connection, next)) return
      // From now on the other end owes an acknowledgement.
      if (this.#owesNothing) this.#progressAtMs = turnNow(clock)
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
    const values = this.#values
    for (let next = values?.next; next !== undefined; next = values?.next) {
      if (!this.#takesEvent(next.message) || !this.state(next.message, false)) return
      values?.given(next.key, next.message)
    }
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
    this.#inbound.settle(number)
    this.#owe()
  }

  /** Acknowledges what was settled: at once beyond a bound, else soon. */
  #owe(): void {
    const { limits } = this.#host
    const untold = this.#inbound.handled - this.#toldHandled
    if (untold <= 0) return
    if (untold >= limits.ackEveryCount || this.#untoldBytes >= limits.ackEveryBytes) this.flushAck()
    else this.#requestAck()
  }

  /** Settles a message that takes effect again if it is sent again after a restart, such as CANCEL or CREDIT. */
  pass(number: number): void {
    this.#inbound.pass(number)
    this.#owe()
  }

  /** True for a message that was settled in an earlier life of the process: it is settled again, and not run. */
  settleAgain(number: number): boolean {
    if (!this.#inbound.settleAgain(number)) return false
    this.#owe()
    return true
  }

  /** True when the other end counted the same messages. */
  agreesWith(count: number, digest: number): boolean {
    return this.#inbound.received === count && this.#inbound.receivedDigest === digest
  }

  /** Counts a frame of state that has arrived, and acknowledges it soon. */
  receiveState(bytes: Uint8Array): void {
    this.#receipt ??= new StateReceipt(this.#host.limits)
    this.#receipt.receive(bytes.length, turnNow(this.#host.clock))
    this.flushStateAck(this.#receipt.isAckAsked)
  }

  /** Acknowledges received state if it is due, and otherwise asks the owner for a call at that time, unless it was asked. */
  flushStateAck(wasAsked = false): void {
    const receipt = this.#receipt
    if (receipt === undefined) return
    receipt.isAckAsked = wasAsked
    if (receipt.owed === 0) return
    const delayMs = receipt.dueInMs(turnNow(this.#host.clock))
    if (delayMs <= 0) this.flushAck()
    else if (!wasAsked) this.#owner.requestStateAck?.(delayMs)
    receipt.isAckAsked ||= delayMs > 0
  }

  /** Acknowledges what is handled, and the state that was received, if the other end does not know of it. */
  flushAck(): void {
    this.#ackRequested = false
    const { handled } = this.#inbound
    const receipt = this.#receipt
    if (handled === this.#toldHandled && (receipt === undefined || receipt.owed === 0)) return
    const counted = receipt === undefined ? {} : { stateFrames: receipt.received }
    if (this.#owner.holdsAck?.() === true || !this.control({ kind: "ack", handled, ...counted })) return
    this.#host.counters.acksSent += 1
    receipt?.acknowledged(turnNow(this.#host.clock))
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
