// Sends the messages of a session of `2.0`: at most once, without numbers and replay. More than `outboundMaxBytes20` in the socket
// ends the session with `slow_consumer`.
import { VolatileSlots, outbound } from "@hawser/protocol/core"
import type {
  Codec,
  Connection,
  Frame,
  OutboundMessage,
  ReliableOutcome,
  VolatileOutcome,
} from "@hawser/protocol/core"
import type { DialectHost } from "../session/conversation/dialect.ts"
import type { Outbound } from "../session/conversation/outbound.ts"

type Outbound20Host = Pick<DialectHost, "limits" | "counters">

export class Outbound20 implements Outbound {
  readonly #host: Outbound20Host
  readonly #codec: Codec
  #connection: Connection | undefined
  readonly #slots: VolatileSlots
  #ended = false

  constructor(host: Outbound20Host, codec: Codec) {
    this.#host = host
    this.#codec = codec
    this.#slots = new VolatileSlots(host.limits)
  }

  attach(connection: Connection): void {
    this.#connection = connection
  }

  /** Does nothing: the session ends with its connection. */
  detach(): void {}

  reliable(message: OutboundMessage): ReliableOutcome | "dead" {
    const { outboundMaxBytes20 } = this.#host.limits
    const { bufferedBytes = 0 } = this.#connection ?? {}
    if (bufferedBytes + message.bytes.length > outboundMaxBytes20) {
      this.#host.counters.slowConsumersClosed += 1
      return "full"
    }
    return this.#write(message) ? "sent" : "dead"
  }

  volatile(message: OutboundMessage, key: string | undefined): VolatileOutcome {
    const { counters } = this.#host
    if (this.takesState() && this.state(message)) return "sent"
    if (key === undefined) {
      counters.volatileDropped += 1
      return "dropped"
    }
    counters.volatileConflated += this.#slots.put(key, message)
    return "conflated"
  }

  /** Decides by the bytes in the socket alone: clients of `2.0` acknowledge nothing. */
  takesState(): boolean {
    if (this.#ended || this.#slots.size > 0) return false
    const connection = this.#connection
    if (connection === undefined) return false
    if (connection.bufferedBytes <= this.#host.limits.volatileHighWaterBytes) return true
    connection.awaitDrain?.()
    return false
  }

  state(message: OutboundMessage): boolean {
    return this.#write(message)
  }

  control(frame: Frame): boolean {
    return this.#write(outbound(this.#codec.encode(frame)))
  }

  ahead(frame: Frame): boolean {
    return this.#connection?.sendAhead?.(() => outbound(this.#codec.encode(frame))) === true
  }

  pump(): void {
    if (this.#ended) return
    for (const { message } of this.#slots.take()) this.#write(message)
  }

  end(): void {
    this.#ended = true
    this.#slots.take()
  }

  #write(message: OutboundMessage): boolean {
    const { counters } = this.#host
    if (this.#connection?.send(message) !== true) return false
    counters.messagesSent += 1
    counters.bytesSent += message.bytes.length
    return true
  }
}
