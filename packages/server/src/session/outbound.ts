// What leaves on one session's connection: the bound, the outcome at the bound, the count. Knows no handlers.
import { VolatileSlots } from "@hawser/protocol"
import type { Codec, Connection, Delivery, Frame, OutboundMessage, ServerLimits } from "@hawser/protocol"
import type { ServerCounters } from "../counters.ts"
import type { Publication } from "../topics/publication.ts"
import type { SendOutcome } from "./session.ts"

export interface OutboundOptions {
  readonly connection: Connection
  readonly codec: Codec
  readonly delivery: Delivery
  readonly limits: ServerLimits
  readonly counters: ServerCounters
  /** The connection took no more: it is dead, or over its bound. Called once; ends the session. */
  readonly onFailure: (code: "slow_consumer" | "connection_lost") => void
}

export class Outbound {
  readonly #options: OutboundOptions
  readonly #slots: VolatileSlots
  #ended = false

  constructor(options: OutboundOptions) {
    this.#options = options
    this.#slots = new VolatileSlots(options.limits.volatileSlots)
  }

  /** Nothing leaves any more. */
  end(): void {
    this.#ended = true
  }

  sendFrame(frame: Frame): SendOutcome {
    return this.#ended ? "ended" : this.#reliable({ bytes: this.#options.codec.encode(frame) })
  }

  publish(publication: Publication): SendOutcome {
    if (this.#ended) return "ended"
    const messages = publication.messages(this.#options.codec.profile)
    let outcome: SendOutcome = "sent"
    for (const message of messages) {
      const one = publication.volatile ? this.#volatile(message, publication.key) : this.#reliable(message)
      if (one !== "sent") outcome = one
    }
    return outcome
  }

  /** The connection's buffer is empty: what was conflated meanwhile goes out, latest values only. */
  drained(): void {
    if (this.#ended || this.#slots.size === 0) return
    for (const message of this.#slots.take()) this.#reliable(message)
  }

  #reliable(message: OutboundMessage): SendOutcome {
    const { connection, codec, delivery, limits, onFailure } = this.#options
    const max = codec.profile === "2.0" ? limits.outboundMaxBytes20 : limits.outboundMaxBytes
    if (connection.bufferedBytes + message.bytes.length > max) {
      onFailure("slow_consumer")
      return "ended"
    }
    if (!this.#handOver(message)) {
      onFailure("connection_lost")
      return "ended"
    }
    if (codec.counts && codec.classify(message.bytes) === "reliable") delivery.countOutbound()
    return "sent"
  }

  #volatile(message: OutboundMessage, key: string | undefined): SendOutcome {
    const { connection, limits, counters } = this.#options
    const slow = this.#slots.size > 0 || connection.bufferedBytes > limits.volatileHighWaterBytes
    if (!slow) return this.#reliable(message)
    if (key === undefined) {
      counters.volatileDropped += 1
      return "dropped"
    }
    counters.volatileConflated += this.#slots.put(key, message)
    return "conflated"
  }

  #handOver(message: OutboundMessage): boolean {
    const { connection, counters } = this.#options
    if (!connection.send(message)) return false
    counters.messagesSent += 1
    counters.bytesSent += message.bytes.length
    return true
  }
}
