// What leaves on one session: through the delivery of `hawser.1`, or straight to the socket in `2.0`, which knows no
// numbers and no resume. Both answer the same questions. Knows no handlers.
import { VolatileSlots } from "@hawser/protocol"
import type {
  Codec,
  Connection,
  Frame,
  OutboundMessage,
  ReliableOutcome,
  ServerLimits,
  VolatileOutcome,
} from "@hawser/protocol"
import type { ServerCounters } from "../counters.ts"

export interface Outbound {
  /** `dead`: the connection takes nothing any more and nothing outlives it. */
  reliable(message: OutboundMessage): ReliableOutcome | "dead"
  volatile(message: OutboundMessage, key: string | undefined): VolatileOutcome
  /** True while what stands for a moment only may be sent, and its sending: not counted, never replayed. */
  readonly takesState: boolean
  state(message: OutboundMessage): boolean
  /** Frames of the session layer: sent at once or not at all. */
  control(frame: Frame): boolean
  /** The socket has room again. */
  pump(): void
  end(): void
}

export interface Outbound20Options {
  readonly connection: Connection
  readonly codec: Codec
  readonly limits: ServerLimits
  readonly counters: ServerCounters
}

/** Profile `2.0`: at most once, gone with its connection. */
export class Outbound20 implements Outbound {
  readonly #options: Outbound20Options
  readonly #slots: VolatileSlots
  #ended = false

  constructor(options: Outbound20Options) {
    this.#options = options
    this.#slots = new VolatileSlots(options.limits)
  }

  reliable(message: OutboundMessage): ReliableOutcome | "dead" {
    const { connection, limits } = this.#options
    if (connection.bufferedBytes + message.bytes.length > limits.outboundMaxBytes20) return "full"
    return this.#handOver(message) ? "sent" : "dead"
  }

  volatile(message: OutboundMessage, key: string | undefined): VolatileOutcome {
    const { counters } = this.#options
    if (this.takesState && this.state(message)) return "sent"
    if (key === undefined) {
      counters.volatileDropped += 1
      return "dropped"
    }
    counters.volatileConflated += this.#slots.put(key, message)
    return "conflated"
  }

  get takesState(): boolean {
    const { connection, limits } = this.#options
    if (this.#ended || this.#slots.size > 0) return false
    if (connection.bufferedBytes <= limits.volatileHighWaterBytes) return true
    connection.awaitDrain?.()
    return false
  }

  state(message: OutboundMessage): boolean {
    return this.#handOver(message)
  }

  control(frame: Frame): boolean {
    return this.#handOver({ bytes: this.#options.codec.encode(frame) })
  }

  pump(): void {
    if (this.#ended) return
    for (const { message } of this.#slots.take()) this.#handOver(message)
  }

  end(): void {
    this.#ended = true
    this.#slots.take()
  }

  #handOver(message: OutboundMessage): boolean {
    const { connection, counters } = this.#options
    if (!connection.send(message)) return false
    counters.messagesSent += 1
    counters.bytesSent += message.bytes.length
    return true
  }
}
