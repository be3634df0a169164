// A session of profile `2.0`: it ends with its connection. Requests go to the socket at once, with text ids; the socket's
// buffer is the only send buffer. Nothing is acknowledged, so the methods for control frames do nothing.
import { HawserError } from "@hawser/protocol"
import type { MessageLimits } from "@hawser/protocol"
import type { ClientCodec, Connection, OutboundMessage } from "@hawser/protocol/core"
import type { OutgoingRequest, RequestOutcome } from "../calls/carrier.ts"
import { noCounts } from "../session/client-session.ts"
import type {
  ClientSession,
  ClientSessionOptions,
  Received,
  SessionCounts,
} from "../session/client-session.ts"
import { requestMessage } from "../session/request-message.ts"
import { SocketPoll } from "../session/socket-poll.ts"

export class Session20 implements ClientSession {
  readonly id: string
  readonly codec: ClientCodec
  /** False: a dead connection shows in the outcome of `request`. */
  readonly isDead = false
  readonly #options: ClientSessionOptions
  readonly #poll: SocketPoll
  #connection: Connection | undefined
  /** Id of the last request that the socket has taken. */
  #lastReference = 0

  constructor(options: ClientSessionOptions) {
    const { codec, connection, welcome } = options
    this.id = welcome.sessionId
    this.codec = codec
    this.#options = options
    this.#connection = connection
    this.#poll = new SocketPoll(options, () => this.drained())
  }

  get attached(): boolean {
    return this.#connection !== undefined
  }

  /** Limits that the client assumes (`limits.serverMessage`): WELCOME names none. */
  get serverLimits(): MessageLimits {
    return this.#options.limits.serverMessage
  }

  get counts(): SessionCounts {
    return { ...noCounts, sent: this.#lastReference }
  }

  claim(): undefined {
    return undefined
  }

  resume(): false {
    return false
  }

  detach(): void {
    this.#connection = undefined
    this.#poll.stop()
  }

  end(): void {
    this.detach()
  }

  /** Returns false: every accepted request was given to the socket. */
  neverLeft(): false {
    return false
  }

  /**
   * Sends a request.
   * @throws HawserError `not_available`, `invalid_input` or `message_too_large`; then nothing was sent.
   */
  request(request: OutgoingRequest): RequestOutcome {
    if (request.call === "stream")
      throw new HawserError("not_available", { message: "protocol 2.0 has no streams" })
    const reference = String(this.#lastReference + 1)
    const message = requestMessage(this.codec, request, reference)
    const bytes = message.bytes.length
    const outcome = this.#send(message)
    return outcome === "taken" ? { outcome, reference, bytes } : { outcome, reference: undefined, bytes }
  }

  /** Reports room to waiting requests. */
  drained(): void {
    this.#options.onRoom()
  }

  receive(bytes: Uint8Array): Received {
    return { frame: this.codec.decode(bytes, 0), count: 0 }
  }

  /** An empty socket takes one message of any size, like any buffer. */
  #send(message: OutboundMessage): "taken" | "full" | "dead" {
    const { limits, counters } = this.#options
    const connection = this.#connection
    if (connection === undefined) return "dead"
    const { bufferedBytes } = connection
    if (bufferedBytes > 0 && bufferedBytes + message.bytes.length > limits.sendBufferMaxBytes) {
      this.#poll.start()
      return "full"
    }
    if (!connection.send(message)) return "dead"
    counters.messagesSent += 1
    counters.bytesSent += message.bytes.length
    this.#lastReference += 1
    return "taken"
  }

  // --- control frames, which `2.0` does not have ----------------------------------------------------------------

  cancel(): void {}
  credit(): void {}
  sendControl(): void {}
  sendPing(): void {}
  settle(): void {}

  receiveCounts(): true {
    return true
  }
}
