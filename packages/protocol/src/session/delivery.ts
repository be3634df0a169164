// Sends, retransmits, counts and acknowledges the messages of one session: the part that both ends of `hawser.1` share. It
// survives connections; at most one is attached. At capacity `reliable` returns `full`.
// `ServerDelivery` and `ClientDelivery` extend it, against the rule of composition: one object for a session, because each
// further object would cost every idle session of a server memory. Neither end loads the part of the other.
// Must not know handlers, tokens or timers. Invariants S1–S5 of docs/protocol.md depend on this file.
import { turnNow } from "../base/clock.ts"
import { outbound } from "../transport.ts"
import type { Connection, OutboundMessage } from "../transport.ts"
import type { Frame } from "../wire/frame.ts"
import type { DeliveryHost, DeliveryOwner, OtherEnd, ReliableOutcome } from "./delivery-host.ts"
import { ReceiveCount } from "./receive-count.ts"
import { SendBuffer } from "./send-buffer.ts"

/** Delivery of one session at one end: send buffer, counts and acknowledgements. */
export class Delivery {
  /**
   * Highest number that was sent on any connection. Sending a number up to it is a retransmission, and the peer has certainly
   * not executed a later one.
   */
  everSent = 0
  /** Dependencies that the deliveries of all sessions share. */
  protected readonly host: DeliveryHost
  /** Owner of this delivery. */
  protected readonly owner: DeliveryOwner
  /** Unacknowledged messages to the peer. */
  protected readonly buffer: SendBuffer
  /** Counts of the messages from the peer. */
  protected readonly inbound = new ReceiveCount()
  /** The attached connection. */
  protected connection: Connection | undefined
  /** Time of the last acknowledgement with progress, of messages or of state. */
  protected progressAtMs: number
  #syncedAtMs: number
  #syncedCount = 0
  /** The `handled` that was last sent to the peer on this connection. */
  #sentHandled = 0
  /** Bytes received since then. */
  #unacknowledgedBytes = 0
  #ackRequested = false
  #isDead = false

  /** Creates a delivery without messages and without a connection; `attach` binds one. */
  constructor(host: DeliveryHost, owner: DeliveryOwner) {
    this.host = host
    this.owner = owner
    this.buffer = new SendBuffer(host.limits, host.kept)
    this.progressAtMs = host.clock.now()
    this.#syncedAtMs = this.progressAtMs
  }

  // --- numbers --------------------------------------------------------------------------------------------------

  /** Number of reliable messages accepted for sending. */
  get sent(): number {
    return this.buffer.head
  }

  /** Number of reliable messages that the peer has acknowledged. */
  get acknowledged(): number {
    return this.buffer.base
  }

  /** Bytes in the send buffer. */
  get bufferedBytes(): number {
    return this.buffer.bytes
  }

  /** True if every accepted message was sent on the current connection. */
  get isFlushed(): boolean {
    return this.buffer.sent === this.buffer.head
  }

  /** Number of reliable messages received. */
  get received(): number {
    return this.inbound.received
  }

  /** Digest of the received messages (N3): 32 bits, unsigned. */
  get receivedDigest(): number {
    return this.inbound.receivedDigest
  }

  /** Number of received messages in the longest settled prefix. */
  get handled(): number {
    return this.inbound.handled
  }

  /** Digest of the handled messages (N3): 32 bits, unsigned. */
  get handledDigest(): number {
    return this.inbound.handledDigest
  }

  /** Returns the messages that were not sent on the current connection, oldest first. */
  unsent(): OutboundMessage[] {
    return this.buffer.unsent()
  }

  /** True if the peer has acknowledged everything that was sent on the current connection. */
  protected get isAcknowledged(): boolean {
    return this.buffer.base === this.buffer.sent
  }

  /** True once the current connection has refused a message. It accepts no other, with or without a `closed` event. */
  get isDead(): boolean {
    return this.#isDead
  }

  // --- connections ----------------------------------------------------------------------------------------------

  /** Returns true if the session can be resumed after `count` messages with this digest: step 7 of a resume. */
  canResumeAfter(count: number, digest: number): boolean {
    return count <= this.everSent && this.buffer.digestAt(count) === digest
  }

  /**
   * Attaches a new connection. Messages up to `handled` are acknowledged, messages up to `received` are not retransmitted.
   * The caller has checked both with `canResumeAfter`. `pump` sends.
   */
  attach(connection: Connection, { received, handled }: OtherEnd): void {
    this.connection = connection
    this.#isDead = false
    this.acknowledge(handled)
    this.buffer.rewind(received)
    this.progressAtMs = this.host.clock.now()
    // The resume has just compared counts and digests.
    this.#syncedCount = this.buffer.sent
    this.#syncedAtMs = this.progressAtMs
    // The acknowledgement on the previous connection may be lost.
    this.#sentHandled = 0
    if (this.inbound.handled > 0) this.#requestAck()
  }

  /** Detaches the connection. The messages stay for the next one. */
  detach(): void {
    this.connection = undefined
    this.#isDead = false
  }

  /** Ends the session: removes all messages. */
  end(): void {
    this.connection = undefined
    this.buffer.clear()
  }

  // --- sending --------------------------------------------------------------------------------------------------

  /** Accepts a reliable message, and sends it if the socket's buffer is below its high-water mark. */
  reliable(message: OutboundMessage): ReliableOutcome {
    if (this.buffer.isFullFor(message.bytes.length) && !this.mayExceed(message.bytes.length)) return "full"
    const number = this.buffer.append(message)
    this.#pumpReliable()
    return this.buffer.sent >= number ? "sent" : "buffered"
  }

  /** Returns true if the send buffer takes a message of this size above its bounds. */
  protected mayExceed(_bytes: number): boolean {
    return false
  }

  /** Sends a control frame: not numbered, never retransmitted. Returns false if it was not sent. */
  control(frame: Frame): boolean {
    const connection = this.connection
    return connection !== undefined && this.handOver(connection, outbound(this.host.codec.encode(frame)))
  }

  /** Sends queued messages until the socket's buffer reaches its high-water mark. Called when the socket has drained. */
  pump(): void {
    this.#pumpReliable()
  }

  /** Sends every queued reliable message regardless of the socket's buffer. Called before the connection closes. */
  flush(): void {
    this.#pumpReliable(Number.POSITIVE_INFINITY)
  }

  /** Processes an acknowledgement up to `count`. Returns false for a count above the sent messages. */
  acknowledge(count: number): boolean {
    const before = this.buffer.base
    if (!this.buffer.acknowledge(count)) return false
    if (this.buffer.base > before) this.progressAtMs = turnNow(this.host.clock)
    return true
  }

  /** Sends queued reliable messages while the socket's buffer is below the mark, in bytes. */
  #pumpReliable(highWaterBytes = this.host.limits.socketHighWaterBytes): void {
    const { counters, clock } = this.host
    const connection = this.connection
    if (connection === undefined) return
    let next = this.buffer.next
    while (next !== undefined && connection.bufferedBytes < highWaterBytes) {
      if (!this.handOver(connection, next)) return
      // An acknowledgement is outstanding from this message on.
      if (this.isAcknowledged) this.progressAtMs = turnNow(clock)
      this.buffer.markSent()
      const { sent } = this.buffer
      if (sent <= this.everSent) {
        counters.messagesReplayed += 1
        counters.bytesReplayed += next.bytes.length
      } else {
        this.everSent = sent
      }
      this.#sync(sent)
      next = this.buffer.next
    }
    if (next !== undefined) connection.awaitDrain?.()
  }

  /** Writes a message to the connection. Returns false if it refused the message. */
  protected handOver(connection: Connection, message: OutboundMessage): boolean {
    const { counters } = this.host
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
    const { limits, clock } = this.host
    const due =
      sent - this.#syncedCount >= limits.syncEveryCount ||
      (sent > this.#syncedCount && turnNow(clock) - this.#syncedAtMs >= limits.syncEveryMs)
    if (!due) return
    this.#syncedCount = sent
    this.#syncedAtMs = turnNow(clock)
    const digest = this.buffer.digestAt(sent)
    if (digest !== undefined) this.control({ kind: "sync", count: sent, digest })
  }

  // --- receiving ------------------------------------------------------------------------------------------------

  /** Counts a complete reliable message, before it is decoded. Returns its number. */
  receive(bytes: Uint8Array): number {
    this.#unacknowledgedBytes += bytes.length
    return this.inbound.receive(bytes)
  }

  /** Settles a received message: it needs no further processing. */
  settle(number: number): void {
    this.inbound.settle(number)
    this.#acknowledgeSettled()
  }

  /** Acknowledges settled messages: at once at `ackEveryCount` or `ackEveryBytes`, otherwise by a request to the owner. */
  #acknowledgeSettled(): void {
    const { limits } = this.host
    const count = this.inbound.handled - this.#sentHandled
    if (count <= 0) return
    if (count >= limits.ackEveryCount || this.#unacknowledgedBytes >= limits.ackEveryBytes) this.flushAck()
    else this.#requestAck()
  }

  /** Returns true if the peer's count and digest equal those of the received messages. */
  agreesWith(count: number, digest: number): boolean {
    return this.inbound.received === count && this.inbound.receivedDigest === digest
  }

  /** Sends an acknowledgement if one is due. */
  flushAck(): void {
    this.#ackRequested = false
    if (this.hasNews && this.owner.holdsAck?.() !== true && this.sendAck()) {
      this.host.counters.acksSent += 1
      this.toldHandled()
    }
  }

  /** True if an acknowledgement would contain news for the peer. */
  protected get hasNews(): boolean {
    return this.handled !== this.#sentHandled
  }

  /** Sends ACK. Returns false if it was not sent. */
  protected sendAck(): boolean {
    return this.control({ kind: "ack", handled: this.handled })
  }

  /** Records that `handled` was sent in another frame. */
  toldHandled(): void {
    this.#sentHandled = this.inbound.handled
    this.#unacknowledgedBytes = 0
  }

  #requestAck(): void {
    if (this.#ackRequested) return
    this.#ackRequested = true
    this.owner.requestAck()
  }
}
