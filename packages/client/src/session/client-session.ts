// One open session at the client's end: counts, encodes, hands over, decodes. Made at WELCOME, dropped with the
// connection. Knows no listeners and no promises.
import { Delivery, HawserError } from "@hawser/protocol"
import type {
  BadFrame,
  CallKind,
  Codec,
  Connection,
  Frame,
  Reference,
  TypeTable,
  WelcomeFrame,
} from "@hawser/protocol"

export interface ClientSessionOptions {
  readonly codec: Codec
  readonly types: TypeTable
  readonly connection: Connection
  readonly welcome: WelcomeFrame
  readonly sendBufferMaxBytes: number
}

export interface OutgoingRequest {
  readonly call: CallKind
  readonly name: string
  readonly input: unknown
  readonly budgetMs: number
}

export interface Received {
  readonly frame: Frame | BadFrame
  /** The message's number, 0 when it does not count. */
  readonly count: number
}

export class ClientSession {
  readonly id: string
  readonly #options: ClientSessionOptions
  readonly #delivery = new Delivery()
  #lastReference = 0

  constructor(options: ClientSessionOptions) {
    this.id = options.welcome.sessionId
    this.#options = options
  }

  get counts(): { readonly sent: number; readonly received: number; readonly handled: number } {
    const { sent, received, handled } = this.#delivery
    return { sent, received, handled }
  }

  /**
   * Sends a request and returns its reference; undefined when the connection is dead.
   * @throws HawserError `not_available`, `invalid_input`, `message_too_large` or `buffer_full`; then nothing was sent.
   */
  request(request: OutgoingRequest): Reference | undefined {
    const { codec, connection, welcome, sendBufferMaxBytes } = this.#options
    const reference = codec.counts ? this.#delivery.sent + 1 : String(this.#lastReference + 1)
    const bytes = this.#encode(request, reference)
    if (bytes.length > welcome.maxMessageBytes) {
      const message = `"${request.name}" has ${bytes.length} bytes; the server takes ${welcome.maxMessageBytes}`
      throw new HawserError("message_too_large", { message })
    }
    if (connection.bufferedBytes + bytes.length > sendBufferMaxBytes) throw new HawserError("buffer_full")
    if (!connection.send({ bytes })) return undefined
    if (codec.counts) this.#delivery.countOutbound()
    else this.#lastReference += 1
    return reference
  }

  /** Frames of the session layer itself; a dead connection is noticed elsewhere. */
  sendFrame(frame: Frame): void {
    const { codec, connection } = this.#options
    const bytes = codec.encode(frame)
    if (connection.send({ bytes }) && codec.classify(bytes) === "reliable" && codec.counts)
      this.#delivery.countOutbound()
  }

  /** Counts, then decodes. */
  receive(bytes: Uint8Array): Received {
    const { codec } = this.#options
    const count = codec.counts && codec.classify(bytes) === "reliable" ? this.#delivery.countInbound() : 0
    return { frame: codec.decode(bytes, count), count }
  }

  /** The message was given to the application. */
  settle(count: number): void {
    if (count > 0) this.#delivery.settle(count)
  }

  get handled(): number {
    return this.#delivery.handled
  }

  #encode({ call, name, input, budgetMs }: OutgoingRequest, reference: Reference): Uint8Array {
    const { codec, types } = this.#options
    if (codec.counts && !types.has(name)) {
      throw new HawserError("not_available", { message: `the server's contract has no "${name}"` })
    }
    try {
      return codec.encode({ kind: "request", call, type: name, payload: input, budgetMs, reference })
    } catch (cause) {
      throw new HawserError("invalid_input", { message: `the input of "${name}" cannot be encoded`, cause })
    }
  }
}
