// A session whose messages both ends number: encodes and numbers requests, keeps them until they are acknowledged, replays
// them on the next connection, counts and decodes received messages. It begins at WELCOME and survives its connections.
// Must not know listeners, promises or the supervisor.
import { HawserError } from "@hawser/protocol"
import { ClientDelivery, outbound, voidMaxCount } from "@hawser/protocol/core"
import type { MessageLimits } from "@hawser/protocol"
import type {
  CancelFrame,
  ClientCodec,
  ClientFrame,
  CommonFrame,
  Connection,
  CreditFrame,
  OutboundMessage,
  Reference,
  ResumeClaim,
  WelcomeFrame,
} from "@hawser/protocol/core"
import type { OutgoingRequest, RequestOutcome } from "../calls/carrier.ts"
import type {
  ClientSession,
  ClientSessionOptions,
  CountsFrame,
  Received,
  SessionCounts,
} from "./client-session.ts"
import { requestMessage } from "./request-message.ts"
import { SocketPoll } from "./socket-poll.ts"

export class NumberedSession implements ClientSession {
  readonly id: string
  readonly codec: ClientCodec
  readonly #options: ClientSessionOptions
  readonly #delivery: ClientDelivery
  #connection: Connection | undefined
  #resumeToken: string | null
  readonly #poll: SocketPoll
  /** CANCEL and CREDIT frames that a full send buffer did not take, by request. CANCEL replaces CREDIT; credit adds up. */
  readonly #owed = new Map<Reference, CancelFrame | CreditFrame>()
  /** Requests that the CANCEL frames of the send buffer cancel. */
  readonly #cancelled = new WeakMap<OutboundMessage, Reference>()
  #cancelAck: () => void = () => {}
  #cancelStateAck: () => void = () => {}

  constructor(options: ClientSessionOptions) {
    const { codec, connection, welcome } = options
    this.id = welcome.sessionId
    this.codec = codec
    this.#options = options
    this.#connection = connection
    this.#resumeToken = welcome.resumeToken
    this.#delivery = new ClientDelivery({ ...options, kept: { bytes: 0 } }, this)
    this.#poll = new SocketPoll(options, () => this.drained())
    this.#delivery.attach(connection, { received: 0, handled: 0 })
  }

  get attached(): boolean {
    return this.#connection !== undefined
  }

  /** True once its connection refused a message. */
  get isDead(): boolean {
    return this.#delivery.isDead
  }

  /** Limits of the server's reader, from WELCOME. */
  get serverLimits(): MessageLimits {
    return this.#options.welcome.limits
  }

  get counts(): SessionCounts {
    const { sent, acknowledged, bufferedBytes, received, handled } = this.#delivery
    return { sent, received, handled, bufferedMessages: sent - acknowledged, bufferedBytes }
  }

  // --- connections ----------------------------------------------------------------------------------------------

  /** The resume claim for HELLO; undefined if the server gave no resume token. */
  claim(): ResumeClaim | undefined {
    if (this.#resumeToken === null) return undefined
    const { handled, handledDigest: digest, everSent: sent } = this.#delivery
    return { sessionId: this.id, token: this.#resumeToken, handled, digest, sent }
  }

  /**
   * Attaches a new connection and replays unacknowledged messages on it. Returns false, and changes nothing, if the
   * server's count or digest of this client's messages differs from this end's.
   */
  resume(connection: Connection, welcome: WelcomeFrame): boolean {
    const { received, handled, digest } = welcome
    if (welcome.sessionId !== this.id || handled > received) return false
    if (!this.#delivery.canResumeAfter(received, digest)) return false
    this.#connection = connection
    this.#resumeToken = welcome.resumeToken
    this.#delivery.attach(connection, { received, handled })
    // Any message confirms the new resume token; ACK also frees the server's send buffer.
    this.sendControl({ kind: "ack", handled: this.#delivery.handled })
    this.#delivery.toldHandled()
    this.#sendVoid()
    this.pump()
    return true
  }

  /**
   * Sends VOID with the requests that the replay cancels (W19), so that the server runs none of them before its CANCEL
   * arrives. Names the oldest `voidMaxCount` at most.
   */
  #sendVoid(): void {
    const unsent = this.#delivery.unsent().map((message) => this.#cancelled.get(message))
    const owed = [...this.#owed.values()].map(({ kind, reference }) => (kind === "cancel" ? reference : null))
    const references = [...unsent, ...owed].filter((reference) => typeof reference === "number")
    if (references.length > 0)
      this.sendControl({ kind: "void", references: references.slice(0, voidMaxCount) })
  }

  /** Detaches the connection. Accepted messages wait for the next one. */
  detach(): void {
    this.#connection = undefined
    this.#delivery.detach()
    this.#poll.stop()
  }

  end(): void {
    this.detach()
    this.#cancelAck()
    this.#cancelStateAck()
    this.#delivery.end()
  }

  /** Returns true for a request that no connection has taken. The server has certainly not executed it. */
  neverLeft(reference: Reference): boolean {
    return typeof reference === "number" && reference > this.#delivery.everSent
  }

  // --- sending --------------------------------------------------------------------------------------------------

  /**
   * Sends a request, or buffers it for the next connection.
   * @throws HawserError `not_available`, `invalid_input` or `message_too_large`; then nothing was sent.
   */
  request(request: OutgoingRequest): RequestOutcome {
    const { name } = request
    if (!this.#options.types.has(name))
      throw new HawserError("not_available", { message: `the server's contract has no "${name}"` })
    const reference = this.#delivery.sent + 1
    const message = requestMessage(this.codec, request, reference)
    const bytes = message.bytes.length
    if (this.#delivery.reliable(message) === "full") return { outcome: "full", reference: undefined, bytes }
    this.#taken()
    return { outcome: "taken", reference, bytes }
  }

  /** Sends CANCEL: the server can stop this request. */
  cancel(reference: Reference): void {
    this.#advise({ kind: "cancel", reference })
  }

  /** Sends CREDIT: the reader of a stream takes more items. */
  credit(reference: Reference, items: number): void {
    const owed = this.#owed.get(reference)
    if (owed?.kind === "cancel") return
    this.#advise({ kind: "credit", reference, items: items + (owed?.items ?? 0) })
  }

  /** Sends a frame of the session layer. Ignores a failed write: the heartbeat detects a dead connection. */
  sendControl(frame: ClientFrame | CommonFrame): void {
    this.#delivery.control(frame)
  }

  sendPing(number: number): void {
    this.sendControl({ kind: "ping", number, handled: this.#delivery.handled })
    this.#delivery.toldHandled()
  }

  /** Sends waiting messages as far as the socket takes them. */
  pump(): void {
    this.#delivery.pump()
    for (const frame of [...this.#owed.values()]) this.#advise(frame)
    this.#pollUntilFlushed()
  }

  /** Sends waiting messages, then reports room to waiting requests. */
  drained(): void {
    this.pump()
    this.#options.onRoom()
  }

  /** Sends CANCEL or CREDIT. If the send buffer is full, it keeps the frame and retries: a stream must not stall or run on. */
  #advise(frame: CancelFrame | CreditFrame): void {
    const { reference } = frame
    const message = outbound(this.codec.encode(frame))
    if (this.#delivery.reliable(message) === "full") {
      this.#owed.set(reference, frame)
      return
    }
    if (frame.kind === "cancel") this.#cancelled.set(message, reference)
    this.#owed.delete(reference)
    this.#taken()
  }

  /** Notes that a reliable message was accepted. */
  #taken(): void {
    if (this.attached) this.#options.onAsked()
    this.#pollUntilFlushed()
  }

  #pollUntilFlushed(): void {
    if (!this.#delivery.isFlushed && this.attached) this.#poll.start()
  }

  // --- receiving ------------------------------------------------------------------------------------------------

  /** Counts a message, then decodes it. */
  receive(bytes: Uint8Array): Received {
    const { codec } = this
    const kind = codec.classify(bytes)
    const count = kind === "reliable" ? this.#delivery.receive(bytes) : 0
    if (kind === "volatile") this.#delivery.receiveState(bytes)
    return { frame: codec.decode(bytes, count), count }
  }

  /** Schedules an acknowledgement of received messages after `limits.ackDelayMs`. */
  requestAck(): void {
    const { timers, limits } = this.#options
    // An acknowledgement that a count triggered does not cancel its timer.
    this.#cancelAck()
    this.#cancelAck = timers.after(limits.ackDelayMs, () => this.#delivery.flushAck())
  }

  /** Schedules an acknowledgement of received state. */
  requestStateAck(delayMs: number): void {
    this.#cancelStateAck = this.#options.timers.after(delayMs, () => this.#delivery.flushStateAck())
  }

  /** Marks a received message as handled. Ignores 0. */
  settle(count: number): void {
    if (count > 0) this.#delivery.settle(count)
  }

  /**
   * Notes acknowledgements and counts of the server. Returns false for an acknowledgement of messages that were never sent,
   * and if the server's count or digest of received messages differs from this end's.
   */
  receiveCounts(frame: CountsFrame): boolean {
    if (frame.kind === "sync") return this.#delivery.agreesWith(frame.count, frame.digest)
    if (!this.#delivery.acknowledge(frame.handled)) return false
    this.drained()
    if (frame.kind === "ping") {
      // PONG does not acknowledge state, and the timer of the acknowledgement is late in a hidden page.
      this.#delivery.flushAck()
      this.sendControl({ kind: "pong", number: frame.number, handled: this.#delivery.handled })
    }
    return true
  }
}
