// What leaves a session, and what follows when it cannot: a dead connection is dropped, a buffer that is full ends the
// session. Knows no connections and no handlers.
import type { Codec, Delivery, EventSpec, OutboundMessage } from "@hawser/protocol"
import type { ServerCounters } from "../counters.ts"
import type { FanOut } from "../topics/fan-out.ts"
import { Publication } from "../topics/publication.ts"
import type { Encoders, Publishable } from "../topics/publication.ts"
import type { Outbound } from "./outbound.ts"
import type { ReplayMemory } from "./replay-memory.ts"
import type { EndCause, SendOutcome } from "./session.ts"

/** The session. It is passed itself, not as callbacks: there are many sessions. */
interface SenderOwner {
  readonly active: boolean
  /** The connection of now takes nothing any more; told once all of a publication's recipients have it. */
  dropDeadConnection(): void
  finish(cause: EndCause): void
}

interface SenderHost {
  readonly counters: ServerCounters
  readonly events: ReadonlyMap<string, EventSpec>
  readonly encoders: Encoders
  readonly fanOut: FanOut
  readonly replayMemory: ReplayMemory
}

export interface SessionSenderOptions {
  readonly host: SenderHost
  readonly owner: SenderOwner
  readonly codec: Codec
  readonly delivery: Delivery
  readonly outbound: Outbound
}

export class SessionSender {
  readonly #options: SessionSenderOptions

  constructor(options: SessionSenderOptions) {
    this.#options = options
  }

  /** To this session alone. @throws TypeError for an event that the contract lacks. */
  send(event: string, payload: unknown): SendOutcome {
    const { events, encoders } = this.#options.host
    const spec = events.get(event)
    if (spec === undefined) throw new TypeError(`the contract has no event "${event}"`)
    return this.publish(
      new Publication(encoders, { name: event, spec, payload, source: undefined, isSingle: true }),
    )
  }

  publish(publication: Publishable): SendOutcome {
    const { owner, codec } = this.#options
    let outcome: SendOutcome = "sent"
    for (const message of publication.messages(codec.profile)) {
      if (!owner.active) return "ended"
      const one = publication.volatile ? this.#volatile(message, publication.key) : this.reliable(message)
      // What follows something that found no room would leave a gap.
      if (one === "ended") return one
      if (one !== "sent") outcome = one
    }
    return outcome
  }

  /** What is kept for the client no longer fits: a message less would be a silent loss, so the session ends. */
  reliable(message: OutboundMessage): SendOutcome {
    const { host, owner, codec, outbound } = this.#options
    const outcome = outbound.reliable(message)
    if (outcome === "sent" || outcome === "buffered") {
      host.replayMemory.check()
      this.#noticeDeath()
      return owner.active ? outcome : "ended"
    }
    if (outcome === "full" && !codec.counts) host.counters.slowConsumersClosed += 1
    const full = codec.counts ? "session_overflow" : "slow_consumer"
    host.fanOut.afterwards(() => owner.finish(outcome === "dead" ? "connection_lost" : full))
    return "ended"
  }

  /** What stands for a moment only. False when the connection takes nothing any more. */
  state(message: OutboundMessage): boolean {
    const sent = this.#options.outbound.state(message)
    this.#noticeDeath()
    return sent
  }

  #volatile(message: OutboundMessage, key: string | undefined): SendOutcome {
    const { owner, outbound } = this.#options
    const outcome = outbound.volatile(message, key)
    this.#noticeDeath()
    return owner.active ? outcome : "ended"
  }

  /** A connection that takes nothing any more is not kept until it says so itself. */
  #noticeDeath(): void {
    if (this.#options.delivery.isDead) this.#options.owner.dropDeadConnection()
  }
}
