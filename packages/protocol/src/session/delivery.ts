/* oxlint-disable eslint/max-lines -- one object for a session: a further object would cost every idle session memory */
// Sends, retransmits, counts and acknowledges the messages of one session, at either end of `hawser.1`. It survives
// connections; at most one is attached. At capacity `reliable` returns `full`, and volatile messages are dropped or conflated.
// Order on a connection: reliable messages by their number, volatile ones only when no reliable one is queued.
// Must not know handlers, tokens or timers. Invariants S1–S5 and S12 of docs/protocol.md depend on this file.
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

/** Delivery of one session at one end: send buffer, counts and acknowledgements. */
export class Delivery {
  /** True if the peer acknowledges state on this connection; set by `attach`. */
  countsState = false
  readonly #host: DeliveryHost
  readonly #owner: DeliveryOwner
  readonly #buffer: SendBuffer
  readonly #inbound = new ReceiveCount()
  /** Keyed volatile values. Undefined until the first one: most sessions never have any. */
  #values: LastValues | undefined
  /** State in flight to a client that acknowledges it. Undefined until the first such frame of a connection. */
  #window: StateWindow | undefined
  /** State received on this connection. Undefined until the first such frame. */
  #receipt: StateReceipt | undefined
  #connection: Connection | undefined
  /** Highest number that was sent on any connection. Sending a number up to it is a retransmission. */
  #everSent = 0
  /** Time of the last acknowledgement with progress, of messages or of state. */
  #progressAtMs: number
  #syncedAtMs: number
  #syncedCount = 0
  /** The `handled` that was last sent to the peer on this connection. */
  #sentHandled = 0
  /** Bytes received since then. */
  #unacknowledgedBytes = 0
  #ackRequested = false
  #isDead = false

  /** Creates a delivery without messages and without a connection; `attach` binds one, `restore` continues a record. */
  constructor(host: DeliveryHost, owner: DeliveryOwner) {
    this.#host = host
    this.#owner = owner
    this.#buffer = new SendBuffer(host.limits, host.kept)
    this.#progressAtMs = host.clock.now()
    this.#syncedAtMs = this.#progressAtMs
  }

  // --- numbers --------------------------------------------------------------------------------------------------

  /** Number of reliable messages accepted for sending. */
  get sent(): number {
    return this.#buffer.head
  }

  /** Number of reliable messages that the peer has acknowledged. */
  get acknowledged(): number {
    return this.#buffer.base
  }

  /** Digest of the acknowledged messages (N3): 32 bits, unsigned. */
  get acknowledgedDigest(): number {
    return this.#buffer.digestAt(this.#buffer.base) ?? 0
  }

  /** Bytes in the send buffer. */
  get bufferedBytes(): number {
    return this.#buffer.bytes
  }

  /** Returns true if the send buffer stays at most half full with `bytes` more. Used for messages that can be deferred. */
  hasRoom(bytes: number): boolean {
    const { sendBufferMaxCount, sendBufferMaxBytes } = this.#host.limits
    const count = this.sent - this.acknowledged
    if (count === 0) return true
    return count < sendBufferMaxCount / 2 && this.bufferedBytes + bytes <= sendBufferMaxBytes / 2
  }

  /** True if every accepted message was sent on the current connection. */
  get isFlushed(): boolean {
    return this.#buffer.sent === this.#buffer.head && !this.#hasValues
  }

  get #hasValues(): boolean {
    return this.#values !== undefined && this.#values.waiting > 0
  }

  /** Highest number that was sent on any connection. The peer has certainly not executed a later message. */
  get everSent(): number {
    return this.#everSent
  }

  /** Number of reliable messages received. */
  get received(): number {
    return this.#inbound.received
  }

  /** Digest of the received messages (N3): 32 bits, unsigned. */
  get receivedDigest(): number {
    return this.#inbound.receivedDigest
  }

  /** Number of received messages in the longest settled prefix. */
  get handled(): number {
    return this.#inbound.handled
  }

  /** Digest of the handled messages (N3): 32 bits, unsigned. */
  get handledDigest(): number {
    return this.#inbound.handledDigest
  }

  /** Returns the unacknowledged messages, oldest first. */
  unacknowledged(): OutboundMessage[] {
    return this.#buffer.unacknowledged()
  }

  /** Returns the messages that were not sent on the current connection, oldest first. */
  unsent(): OutboundMessage[] {
    return this.#buffer.unsent()
  }

  /** Time since which the peer has acknowledged nothing, in milliseconds; undefined: no acknowledgement is outstanding. */
  get stalledSinceMs(): number | undefined {
    return this.#isAcknowledged ? undefined : this.#progressAtMs
  }

  /** True if the peer has acknowledged everything that was sent on the current connection. */
  get #isAcknowledged(): boolean {
    return this.#buffer.base === this.#buffer.sent && this.#window?.sinceMs === undefined
  }

  /** State in flight to the peer; undefined if the peer does not acknowledge state, or none was sent. */
  get stateUnderWay(): StateUnderWay | undefined {
    return this.#window
  }

  /** True once the current connection has refused a message. It accepts no other, with or without a `closed` event. */
  get isDead(): boolean {
    return this.#isDead
  }

  // --- connections ----------------------------------------------------------------------------------------------

  /** Returns true if the session can be resumed after `count` messages with this digest: step 7 of a resume. */
  canResumeAfter(count: number, digest: number): boolean {
    return count <= this.#everSent && this.#buffer.digestAt(count) === digest
  }

  /**
   * Attaches a new connection. Messages up to `handled` are acknowledged, messages up to `received` are not retransmitted.
   * The caller has checked both with `canResumeAfter`. `pump` sends.
   */
  attach(connection: Connection, { received, handled, countsState = false }: OtherEnd): void {
    this.#connection = connection
    this.#isDead = false
    // Each connection counts state from 0, and may have another network.
    this.#window = undefined
    this.#receipt = undefined
    this.countsState = countsState
    this.acknowledge(handled)
    this.#buffer.rewind(received)
    this.#progressAtMs = this.#host.clock.now()
    // The resume has just compared counts and digests.
    this.#syncedCount = this.#buffer.sent
    this.#syncedAtMs = this.#progressAtMs
    // The acknowledgement on the previous connection may be lost, and so may the last value of a key.
    this.#sentHandled = 0
    this.#values?.offerAgain()
    if (this.#inbound.handled > 0) this.#requestAck()
  }

  /** Detaches the connection. The messages stay for the next one. */
  detach(): void {
    this.#connection = undefined
    this.#isDead = false
    this.#window = undefined
  }

  /** Ends the session: removes all messages. */
  end(): void {
    this.#connection = undefined
    this.#buffer.clear()
    this.#values = undefined
  }

  // --- lives of the process -----------------------------------------------------------------------------------

  /** Returns the delivery as plain data. */
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

  /** Accepts a reliable message, and sends it if the socket's buffer is below its high-water mark. */
  reliable(message: OutboundMessage): ReliableOutcome {
    if (this.#buffer.isFullFor(message.bytes.length)) return "full"
    const number = this.#buffer.append(message)
    this.#pumpReliable()
    return this.#buffer.sent >= number ? "sent" : "buffered"
  }

  /** Sends a volatile message if it can be sent at once. If not, it is dropped, or with a key queued (`conflated`). */
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
   * Returns true if a replica update of about `bytes` may be sent: no reliable message is queued, the socket's buffer is at or
   * below `volatileHighWaterBytes`, and the window of state in flight allows it. `isFirst`: the first one of this connection.
   */
  takesState(bytes: number, isFirst: boolean): boolean {
    if (this.#buffer.sent !== this.#buffer.head) return false
    // If the client acknowledges no state, only the socket's buffer shows its speed. Values then precede replica updates.
    if (!this.countsState && this.#hasValues) return false
    if (!this.socketTakes(this.#host.limits.volatileHighWaterBytes)) return false
    return this.#window?.takesView(bytes, isFirst, this.#hasValues, turnNow(this.#host.clock)) ?? true
  }

  /** Returns true if a volatile event or value may be sent. Does not check the queues. */
  #takesEvent({ bytes }: OutboundMessage): boolean {
    if (!this.socketTakes(this.#host.limits.volatileHighWaterBytes)) return false
    const viewsWait = this.#owner.viewsWait === true
    return this.#window?.takesEvent(bytes.length, viewsWait, turnNow(this.#host.clock)) ?? true
  }

  /** Returns true if the socket's buffer is at or below this mark. If not, requests `drained` from the connection. */
  socketTakes(highWaterBytes: number): boolean {
    const connection = this.#connection
    const takes = (connection?.bufferedBytes ?? Number.POSITIVE_INFINITY) <= highWaterBytes
    if (!takes) connection?.awaitDrain?.()
    return takes
  }

  /** Sends a state frame, of a replica (`isView`) or of an event: not numbered, never retransmitted. */
  state(message: OutboundMessage, isView = true): boolean {
    const connection = this.#connection
    if (connection === undefined || !this.#handOver(connection, message)) return false
    const { clock, stateLimits } = this.#host
    if (!this.countsState || stateLimits === undefined) return true
    const nowMs = turnNow(clock)
    if (this.#isAcknowledged) this.#progressAtMs = nowMs
    this.#window ??= new StateWindow(stateLimits)
    this.#window.sent(message.bytes.length, isView, nowMs)
    return true
  }

  /** Sends a control frame: not numbered, never retransmitted. Returns false if it was not sent. */
  control(frame: Frame): boolean {
    const connection = this.#connection
    return connection !== undefined && this.#handOver(connection, outbound(this.#host.codec.encode(frame)))
  }

  /** Sends queued messages until the socket's buffer reaches its high-water mark. Called when the socket has drained. */
  pump(): void {
    this.#pumpReliable()
    this.#pumpVolatile()
  }

  /** Sends every queued reliable message regardless of the socket's buffer. Called before the connection closes. */
  flush(): void {
    this.#pumpReliable(Number.POSITIVE_INFINITY)
  }

  /** Processes an acknowledgement up to `count`. Returns false for a count above the sent messages. */
  acknowledge(count: number): boolean {
    const before = this.#buffer.base
    if (!this.#buffer.acknowledge(count)) return false
    if (this.#buffer.base > before) this.#progressAtMs = turnNow(this.#host.clock)
    return true
  }

  /** Processes an acknowledgement of `frames` state frames on this connection. Returns false for a count above the sent ones. */
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
      // An acknowledgement is outstanding from this message on.
      if (this.#isAcknowledged) this.#progressAtMs = turnNow(clock)
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

  /** Sends SYNC with the count and the digest of the reliable messages so far, if it is due. */
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

  /** Counts a complete reliable message, before it is decoded. Returns its number. */
  receive(bytes: Uint8Array): number {
    this.#unacknowledgedBytes += bytes.length
    return this.#inbound.receive(bytes)
  }

  /** Settles a received message: it needs no further processing. */
  settle(number: number): void {
    this.#inbound.settle(number)
    this.#acknowledgeSettled()
  }

  /** Acknowledges settled messages: at once at `ackEveryCount` or `ackEveryBytes`, otherwise by a request to the owner. */
  #acknowledgeSettled(): void {
    const { limits } = this.#host
    const count = this.#inbound.handled - this.#sentHandled
    if (count <= 0) return
    if (count >= limits.ackEveryCount || this.#unacknowledgedBytes >= limits.ackEveryBytes) this.flushAck()
    else this.#requestAck()
  }

  /** Settles a message that must take effect again if it is retransmitted after a restart, such as CANCEL or CREDIT. */
  pass(number: number): void {
    this.#inbound.pass(number)
    this.#acknowledgeSettled()
  }

  /** Settles a message that a previous process settled. Returns false for any other message, which must be processed. */
  settleAgain(number: number): boolean {
    if (!this.#inbound.settleAgain(number)) return false
    this.#acknowledgeSettled()
    return true
  }

  /** Returns true if the peer's count and digest equal those of the received messages. */
  agreesWith(count: number, digest: number): boolean {
    return this.#inbound.received === count && this.#inbound.receivedDigest === digest
  }

  /** Counts a received state frame, and schedules its acknowledgement. */
  receiveState(bytes: Uint8Array): void {
    this.#receipt ??= new StateReceipt(this.#host.limits)
    this.#receipt.receive(bytes.length, turnNow(this.#host.clock))
    this.flushStateAck(this.#receipt.isAckAsked)
  }

  /** Acknowledges received state if it is due; otherwise requests a call at that time from the owner, unless requested. */
  flushStateAck(wasAsked = false): void {
    const receipt = this.#receipt
    if (receipt === undefined) return
    receipt.isAckAsked = wasAsked
    if (receipt.unacknowledged === 0) return
    const delayMs = receipt.dueInMs(turnNow(this.#host.clock))
    if (delayMs <= 0) this.flushAck()
    else if (!wasAsked) this.#owner.requestStateAck?.(delayMs)
    receipt.isAckAsked ||= delayMs > 0
  }

  /** Sends an acknowledgement of handled messages and received state, if either has grown since the last one. */
  flushAck(): void {
    this.#ackRequested = false
    const { handled } = this.#inbound
    const receipt = this.#receipt
    if (handled === this.#sentHandled && (receipt === undefined || receipt.unacknowledged === 0)) return
    const counted = receipt === undefined ? {} : { stateFrames: receipt.received }
    if (this.#owner.holdsAck?.() === true || !this.control({ kind: "ack", handled, ...counted })) return
    this.#host.counters.acksSent += 1
    receipt?.acknowledged(turnNow(this.#host.clock))
    this.toldHandled()
  }

  /** Records that `handled` was sent in another frame. */
  toldHandled(): void {
    this.#sentHandled = this.#inbound.handled
    this.#unacknowledgedBytes = 0
  }

  #requestAck(): void {
    if (this.#ackRequested) return
    this.#ackRequested = true
    this.#owner.requestAck()
  }
}
