// Delivery of one session at a server: adds volatile messages, state, the check of room for messages that can be deferred, and
// records for another process. At capacity volatile messages are dropped or conflated.
// Order on a connection: reliable messages by their number, volatile ones only when no reliable one is queued.
// Must not know handlers, tokens or timers. Invariants S1–S5 and S12 of docs/protocol.md depend on this file.
import { turnNow } from "../base/clock.ts"
import { outbound } from "../transport.ts"
import type { Connection, OutboundMessage } from "../transport.ts"
import type { Frame } from "../wire/frame.ts"
import { Delivery } from "./delivery.ts"
import type { DeliveryRecord } from "./delivery-record.ts"
import type { OtherEnd, VolatileOutcome } from "./delivery-host.ts"
import { emptyDigest } from "./digest.ts"
import { LastValues } from "./last-values.ts"
import { StateWindow } from "./state-window.ts"
import type { StateUnderWay } from "./state-window.ts"

/** Received numbers above the handled prefix whose settlement is not the same for every process. */
interface OtherLives {
  /** Settled here, but must take effect again if they are retransmitted: no record contains them. */
  readonly passed: Set<number>
  /** Settled by a previous process, and not received again. */
  readonly before: Set<number>
  /** Restored messages, until the client resumes: it may have acknowledged them. Undefined after that. */
  restored: { readonly count: number; readonly bytes: number } | undefined
}

const nothing: OtherLives = { passed: new Set(), before: new Set(), restored: undefined }

/** Delivery of one session at a server. */
export class ServerDelivery extends Delivery {
  /** True if the peer acknowledges state on this connection; set by `attach`. */
  countsState = false
  /** Keyed volatile values. Undefined until the first one: most sessions never have any. */
  #values: LastValues | undefined
  /** State in flight to a client that acknowledges it. Undefined until the first such frame of a connection. */
  #window: StateWindow | undefined
  /** Undefined until the first such number: most sessions never have any. */
  #otherLives: OtherLives | undefined

  // --- numbers --------------------------------------------------------------------------------------------------

  /** Digest of the acknowledged messages (N3): 32 bits, unsigned. */
  get acknowledgedDigest(): number {
    return this.buffer.digestAt(this.buffer.base) ?? emptyDigest
  }

  /** Returns true if the send buffer stays at most half full with `bytes` more. Used for messages that can be deferred. */
  hasRoom(bytes: number): boolean {
    const { sendBufferMaxCount, sendBufferMaxBytes } = this.host.limits
    const count = this.sent - this.acknowledged
    if (count === 0) return true
    return count < sendBufferMaxCount / 2 && this.bufferedBytes + bytes <= sendBufferMaxBytes / 2
  }

  /** True if every accepted message was sent on the current connection. */
  override get isFlushed(): boolean {
    return super.isFlushed && !this.#hasValues
  }

  get #hasValues(): boolean {
    return this.#values !== undefined && this.#values.waiting > 0
  }

  /** Returns the unacknowledged messages, oldest first. */
  unacknowledged(): OutboundMessage[] {
    return this.buffer.unacknowledged()
  }

  /** Time since which the peer has acknowledged nothing, in milliseconds; undefined: no acknowledgement is outstanding. */
  get stalledSinceMs(): number | undefined {
    return this.isAcknowledged ? undefined : this.progressAtMs
  }

  /** True if the peer has acknowledged everything that was sent on the current connection, state included. */
  protected override get isAcknowledged(): boolean {
    return super.isAcknowledged && this.#window?.sinceMs === undefined
  }

  /** State in flight to the peer; undefined if the peer does not acknowledge state, or none was sent. */
  get stateUnderWay(): StateUnderWay | undefined {
    return this.#window
  }

  // --- connections ----------------------------------------------------------------------------------------------

  /** Attaches a new connection, as `Delivery.attach`. The last value of each key may be lost, and is queued again. */
  override attach(connection: Connection, otherEnd: OtherEnd): void {
    // Each connection counts state from 0, and may have another network.
    this.#window = undefined
    this.countsState = otherEnd.countsState ?? false
    if (this.#otherLives !== undefined) this.#otherLives.restored = undefined
    super.attach(connection, otherEnd)
    this.#values?.offerAgain()
  }

  /** Detaches the connection. The messages stay for the next one. */
  override detach(): void {
    super.detach()
    this.#window = undefined
  }

  /** Ends the session: removes all messages. */
  override end(): void {
    super.end()
    this.#values = undefined
  }

  // --- lives of the process -----------------------------------------------------------------------------------

  /** Returns the delivery as plain data. */
  record(): DeliveryRecord {
    const { base } = this.buffer
    const messages = this.unacknowledged().map(({ bytes }) => bytes)
    const sent = { base, baseDigest: this.buffer.digestAt(base) ?? emptyDigest, messages }
    const { before, passed } = this.#otherLives ?? nothing
    const settled = [...this.inbound.ahead].filter((number) => !passed.has(number))
    const settledAhead = [...before, ...settled].toSorted((one, other) => one - other)
    const received = { handled: this.handled, handledDigest: this.handledDigest, settledAhead }
    return { sent, received, values: this.#values?.record() ?? [] }
  }

  /**
   * Continues from a record. Only before the first message and the first connection. The messages of the record do not count
   * against the bounds before the first resume: the client may have acknowledged them.
   * @param messageOf returns the message of some bytes; the same one for the same bytes, so that they count once in all buffers.
   */
  restore(
    { sent, received, values }: DeliveryRecord,
    messageOf: (bytes: Uint8Array) => OutboundMessage,
  ): void {
    this.buffer.startAt(sent.base, sent.baseDigest)
    for (const bytes of sent.messages) this.buffer.append(messageOf(bytes))
    if (sent.messages.length > 0)
      this.#otherLivesNow().restored = { count: sent.messages.length, bytes: this.buffer.bytes }
    this.buffer.rewind(this.sent)
    this.everSent = this.sent
    this.inbound.startAt(received.handled, received.handledDigest)
    for (const number of received.settledAhead) this.#otherLivesNow().before.add(number)
    if (values.length > 0) this.#lastValues.restore(values)
  }

  /** Returns true for a message that would fit without the restored ones. Before the first resume only. */
  protected override mayExceed(bytes: number): boolean {
    const restored = this.#otherLives?.restored
    return restored !== undefined && !this.buffer.isFullWithout(restored.count, restored.bytes, bytes)
  }

  // --- sending --------------------------------------------------------------------------------------------------

  /** Sends a volatile message if it can be sent at once. If not, it is dropped, or with a key queued (`conflated`). */
  volatile(message: OutboundMessage, key: string | undefined): VolatileOutcome {
    const { counters } = this.host
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
    this.#values ??= new LastValues(this.host.limits)
    return this.#values
  }

  /**
   * Returns true if a replica update of about `bytes` may be sent: no reliable message is queued, the socket's buffer is at or
   * below `volatileHighWaterBytes`, and the window of state in flight allows it. `isFirst`: the first one of this connection.
   */
  takesState(bytes: number, isFirst: boolean): boolean {
    if (this.buffer.sent !== this.buffer.head) return false
    // If the client acknowledges no state, only the socket's buffer shows its speed. Values then precede replica updates.
    if (!this.countsState && this.#hasValues) return false
    if (!this.socketTakes(this.host.limits.volatileHighWaterBytes)) return false
    return this.#window?.takesView(bytes, isFirst, this.#hasValues, turnNow(this.host.clock)) ?? true
  }

  /** Returns true if a volatile event or value may be sent. Does not check the queues. */
  #takesEvent({ bytes }: OutboundMessage): boolean {
    if (!this.socketTakes(this.host.limits.volatileHighWaterBytes)) return false
    const viewsWait = this.owner.viewsWait === true
    return this.#window?.takesEvent(bytes.length, viewsWait, turnNow(this.host.clock)) ?? true
  }

  /** Returns true if the socket's buffer is at or below this mark. If not, requests `drained` from the connection. */
  socketTakes(highWaterBytes: number): boolean {
    const { connection } = this
    const takes = (connection?.bufferedBytes ?? Number.POSITIVE_INFINITY) <= highWaterBytes
    if (!takes) connection?.awaitDrain?.()
    return takes
  }

  /** Sends a state frame, of a replica (`isView`) or of an event: not numbered, never retransmitted. */
  state(message: OutboundMessage, isView = true): boolean {
    const { connection } = this
    if (connection === undefined || !this.handOver(connection, message)) return false
    const { clock, stateLimits } = this.host
    if (!this.countsState || stateLimits === undefined) return true
    const nowMs = turnNow(clock)
    if (this.isAcknowledged) this.progressAtMs = nowMs
    this.#window ??= new StateWindow(stateLimits)
    this.#window.sent(message.bytes.length, isView, nowMs)
    return true
  }

  /** Sends a control frame that tells of no state ahead of output that may wait for the journal. Returns false if none can wait. */
  ahead(frame: Frame): boolean {
    const { codec } = this.host
    return this.connection?.sendAhead?.(() => outbound(codec.encode(frame))) === true
  }

  /** Sends queued messages until the socket's buffer reaches its high-water mark. Called when the socket has drained. */
  override pump(): void {
    super.pump()
    this.#pumpVolatile()
  }

  #pumpVolatile(): void {
    if (this.connection === undefined || this.buffer.next !== undefined) return
    const values = this.#values
    for (let next = values?.next; next !== undefined; next = values?.next) {
      if (!this.#takesEvent(next.message) || !this.state(next.message, false)) return
      values?.given(next.key, next.message)
    }
  }

  /** Processes an acknowledgement of `frames` state frames on this connection. Returns false for a count above the sent ones. */
  acknowledgeState(frames: number): boolean {
    if (!this.countsState || frames <= (this.#window?.acknowledgedFrames ?? 0)) return true
    this.progressAtMs = turnNow(this.host.clock)
    return this.#window?.acknowledge(frames, this.progressAtMs) === true
  }

  // --- receiving ------------------------------------------------------------------------------------------------

  /** Settles a message that must take effect again if it is retransmitted after a restart, such as CANCEL or CREDIT. */
  pass(number: number): void {
    if (number === this.handled + 1) {
      this.settle(number)
      return
    }
    const { passed } = this.#otherLivesNow()
    passed.add(number)
    this.settle(number)
    for (const other of passed) if (other <= this.handled) passed.delete(other)
  }

  /** Settles a message that a previous process settled. Returns false for any other message, which must be processed. */
  settleAgain(number: number): boolean {
    if (this.#otherLives?.before.delete(number) !== true) return false
    this.settle(number)
    return true
  }

  #otherLivesNow(): OtherLives {
    this.#otherLives ??= { passed: new Set(), before: new Set(), restored: undefined }
    return this.#otherLives
  }
}
