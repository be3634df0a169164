// One session at the client's end: numbers, encodes, keeps what is not acknowledged, decodes. In `hawser.1` it is made
// at the first WELCOME and outlives connections; in `2.0` it is gone with its connection. Knows no listeners, no
// promises and no supervisor.
import { HawserError } from "@hawser/protocol"
import { Delivery, frameByte, outbound, unsendable, voidMaxCount } from "@hawser/protocol/core"
import type { ClientLimits, Clock, MessageLimits } from "@hawser/protocol"
import type {
  BadFrame,
  CancelFrame,
  Codec,
  Connection,
  CreditFrame,
  Frame,
  OutboundMessage,
  Reference,
  ResumeClaim,
  TimerQueue,
  TypeTable,
  WelcomeFrame,
} from "@hawser/protocol/core"
import type { ClientCounters } from "../base/counters.ts"
import type { Carrier, OutgoingRequest, RequestOutcome } from "../calls/carrier.ts"

export interface ClientSessionOptions {
  readonly codec: Codec
  readonly types: TypeTable
  readonly connection: Connection
  readonly welcome: WelcomeFrame
  readonly limits: ClientLimits
  readonly clock: Clock
  readonly timers: TimerQueue
  readonly counters: ClientCounters
  /** There may be room again for requests that wait. */
  readonly onRoom: () => void
  /** A reliable message was given to the connection, or waits for room in its socket: the server must answer. */
  readonly onAsked: () => void
}

/** Reliable messages of a session, by what became of them. */
export interface SessionCounts {
  readonly sent: number
  readonly received: number
  readonly handled: number
  /** Sent ones that the server has not acknowledged, and their bytes. */
  readonly bufferedMessages: number
  readonly bufferedBytes: number
}

export interface Received {
  readonly frame: Frame | BadFrame
  /** The message's number, 0 when it does not count. */
  readonly count: number
}

/** Where there is no session. */
export const noCounts: SessionCounts = {
  sent: 0,
  received: 0,
  handled: 0,
  bufferedMessages: 0,
  bufferedBytes: 0,
}

export class ClientSession implements Carrier {
  readonly id: string
  readonly codec: Codec
  readonly #options: ClientSessionOptions
  readonly #delivery: Delivery
  #connection: Connection | undefined
  #resumeToken: string | null
  #lastReference = 0
  /** Advice about requests for which the send buffer had no room. A cancel replaces credit, credit adds up. */
  readonly #owed = new Map<Reference, CancelFrame | CreditFrame>()
  #cancelAck: () => void = () => {}
  #cancelStateAck: () => void = () => {}
  #cancelPoll: (() => void) | undefined

  constructor(options: ClientSessionOptions) {
    const { codec, connection, welcome, limits, clock, counters } = options
    this.id = welcome.sessionId
    this.codec = codec
    this.#options = options
    this.#connection = connection
    this.#resumeToken = welcome.resumeToken
    this.#delivery = new Delivery({ limits, clock, counters, codec, kept: { bytes: 0 } }, this)
    if (codec.counts) this.#delivery.attach(connection, { received: 0, handled: 0 })
  }

  get attached(): boolean {
    return this.#connection !== undefined
  }

  /** True once its connection refused a message. */
  get isDead(): boolean {
    return this.#delivery.isDead
  }

  /** Limits of the server's reader. In `2.0` WELCOME does not name them. */
  get serverLimits(): MessageLimits {
    const { welcome, limits } = this.#options
    return this.codec.counts ? welcome.limits : limits.serverMessage
  }

  get counts(): SessionCounts {
    const { sent, acknowledged, bufferedBytes, received, handled } = this.#delivery
    return {
      sent: this.codec.counts ? sent : this.#lastReference,
      received,
      handled,
      bufferedMessages: sent - acknowledged,
      bufferedBytes,
    }
  }

  get handled(): number {
    return this.#delivery.handled
  }

  // --- connections ----------------------------------------------------------------------------------------------

  /** What HELLO carries to go on with this session; undefined where it cannot. */
  claim(): ResumeClaim | undefined {
    if (this.#resumeToken === null) return undefined
    const { handled, handledDigest: digest } = this.#delivery
    return { sessionId: this.id, token: this.#resumeToken, handled, digest }
  }

  /**
   * Goes on on a new connection. False when the server's count of this client's messages is not this end's:
   * the session cannot be trusted then, and nothing was changed.
   */
  resume(connection: Connection, welcome: WelcomeFrame): boolean {
    const { received, handled, digest } = welcome
    if (welcome.sessionId !== this.id || handled > received) return false
    if (!this.#delivery.canResumeAfter(received, digest)) return false
    this.#connection = connection
    this.#resumeToken = welcome.resumeToken
    this.#delivery.attach(connection, { received, handled })
    // Any message confirms that the new token has arrived; this one also frees the server's buffer.
    this.sendControl({ kind: "ack", handled: this.#delivery.handled })
    this.#delivery.toldHandled()
    this.#sendVoid()
    this.pump()
    return true
  }

  /**
   * Names the requests that the replay cancels (W19), so that the server does not run one of them before its CANCEL
   * arrives. The oldest `voidMaxCount` if there are more.
   */
  #sendVoid(): void {
    const references: number[] = []
    const collect = ({ kind, reference }: { readonly kind: string; readonly reference?: unknown }): void => {
      if (kind === "cancel" && typeof reference === "number") references.push(reference)
    }
    for (const { bytes } of this.#delivery.unsent())
      if (bytes[0] === frameByte.cancel) collect(this.codec.decode(bytes, 0))
    for (const frame of this.#owed.values()) collect(frame)
    if (references.length > 0)
      this.sendControl({ kind: "void", references: references.slice(0, voidMaxCount) })
  }

  /** The connection is gone; what was accepted waits for the next one. */
  detach(): void {
    this.#connection = undefined
    this.#delivery.detach()
    this.#cancelPoll?.()
    this.#cancelPoll = undefined
  }

  /** The session is over. */
  end(): void {
    this.detach()
    this.#cancelAck()
    this.#cancelStateAck()
    this.#delivery.end()
  }

  /** True for a request that no connection was ever given: it was certainly not executed. */
  neverLeft(reference: Reference): boolean {
    return this.codec.counts && typeof reference === "number" && reference > this.#delivery.everSent
  }

  // --- sending --------------------------------------------------------------------------------------------------

  /**
   * Sends a request, or keeps it for the next connection.
   * @throws HawserError `not_available`, `invalid_input` or `message_too_large`; then nothing was sent.
   */
  request(request: OutgoingRequest): RequestOutcome {
    const { counts } = this.codec
    const reference = counts ? this.#delivery.sent + 1 : String(this.#lastReference + 1)
    const message = outbound(this.#encode(request, reference))
    const bytes = message.bytes.length
    const outcome = counts ? this.#keep(message) : this.#send20(message)
    return outcome === "taken" ? { outcome, reference, bytes } : { outcome, reference: undefined, bytes }
  }

  /** The server need not go on with this request. */
  cancel(reference: Reference): void {
    if (this.codec.counts) this.#advise({ kind: "cancel", reference })
  }

  /** The reader of a stream takes more items. */
  credit(reference: Reference, items: number): void {
    const owed = this.#owed.get(reference)
    if (owed?.kind === "cancel") return
    this.#advise({ kind: "credit", reference, items: items + (owed?.items ?? 0) })
  }

  /** Frames of the session layer itself; a dead connection is noticed elsewhere. */
  sendControl(frame: Frame): void {
    if (this.codec.counts) this.#delivery.control(frame)
  }

  sendPing(number: number): void {
    this.sendControl({ kind: "ping", number, handled: this.handled })
    this.#delivery.toldHandled()
  }

  pump(): void {
    this.#delivery.pump()
    for (const frame of [...this.#owed.values()]) this.#advise(frame)
    this.#pollUntilFlushed()
  }

  /** The socket, or the buffer, may have room again. */
  drained(): void {
    this.pump()
    this.#options.onRoom()
  }

  /** What finds no room is owed until there is some: a stream would stand still, or run on, for ever. */
  #advise(frame: CancelFrame | CreditFrame): void {
    const { reference } = frame
    if (this.#delivery.reliable(outbound(this.codec.encode(frame))) === "full") {
      this.#owed.set(reference, frame)
      return
    }
    this.#owed.delete(reference)
    this.#taken()
  }

  #keep(message: OutboundMessage): "taken" | "full" {
    if (this.#delivery.reliable(message) === "full") return "full"
    this.#taken()
    return "taken"
  }

  /** A reliable message was accepted. */
  #taken(): void {
    if (this.attached) this.#options.onAsked()
    this.#pollUntilFlushed()
  }

  /** The socket is all the buffer that there is. Like any buffer, an empty one takes one message of any size. */
  #send20(message: OutboundMessage): "taken" | "full" | "dead" {
    const { limits, counters } = this.#options
    const connection = this.#connection
    if (connection === undefined) return "dead"
    const { bufferedBytes } = connection
    if (bufferedBytes > 0 && bufferedBytes + message.bytes.length > limits.sendBufferMaxBytes) {
      this.#poll()
      return "full"
    }
    if (!connection.send(message)) return "dead"
    counters.messagesSent += 1
    counters.bytesSent += message.bytes.length
    this.#lastReference += 1
    return "taken"
  }

  #pollUntilFlushed(): void {
    if (!this.#delivery.isFlushed) this.#poll()
  }

  /** Browsers do not tell when a socket has room again. */
  #poll(): void {
    const { timers, limits } = this.#options
    if (this.#cancelPoll !== undefined || !this.attached) return
    this.#cancelPoll = timers.after(limits.socketPollMs, () => {
      this.#cancelPoll = undefined
      this.drained()
    })
  }

  #encode({ call, name, input, budgetMs, key }: OutgoingRequest, reference: Reference): Uint8Array {
    const { codec } = this
    if (call === "stream" && !codec.counts) {
      throw new HawserError("not_available", { message: "protocol 2.0 has no streams" })
    }
    if (codec.counts && !this.#options.types.has(name)) {
      throw new HawserError("not_available", { message: `the server's contract has no "${name}"` })
    }
    const keyed = key === undefined ? {} : { key }
    try {
      return codec.encode({
        kind: "request",
        call: call === "stream" ? undefined : call,
        type: name,
        payload: input,
        budgetMs,
        reference,
        ...keyed,
      })
    } catch (error) {
      throw unsendable(`the input of "${name}"`, error)
    }
  }

  // --- receiving ------------------------------------------------------------------------------------------------

  /** Counts, then decodes. */
  receive(bytes: Uint8Array): Received {
    const { codec } = this
    const kind = codec.counts ? codec.classify(bytes) : "control"
    const count = kind === "reliable" ? this.#delivery.receive(bytes) : 0
    if (kind === "volatile") this.#delivery.receiveState(bytes)
    return { frame: codec.decode(bytes, count), count }
  }

  /** The delivery has something to acknowledge. */
  requestAck(): void {
    const { timers, limits } = this.#options
    // An acknowledgement that went out by its count has left its timer behind.
    this.#cancelAck()
    this.#cancelAck = timers.after(limits.ackDelayMs, () => this.#delivery.flushAck())
  }

  /** The delivery has state to acknowledge. */
  requestStateAck(delayMs: number): void {
    this.#cancelStateAck = this.#options.timers.after(delayMs, () => this.#delivery.flushStateAck())
  }

  /** Acknowledges now what is not acknowledged: the server asks. */
  flushAck(): void {
    this.#delivery.flushAck()
  }

  /** The message was given to the application. */
  settle(count: number): void {
    if (count > 0) this.#delivery.settle(count)
  }

  /** False when the server claims to have settled what it was never sent. */
  acknowledged(handled: number): boolean {
    const known = this.#delivery.acknowledge(handled)
    if (known) this.drained()
    return known
  }

  /** False when the server counted other messages than this end. */
  agreesWith(count: number, digest: number): boolean {
    return this.#delivery.agreesWith(count, digest)
  }
}
