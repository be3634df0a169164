// One event on its way to any number of sessions: translated, encoded and (by the transport) framed at most once
// per profile, at the first recipient that needs it.
import { plain } from "@hawser/protocol"
import type { Codec, EventSpec, OutboundMessage, Profile } from "@hawser/protocol"
import type { Event20 } from "../profile20.ts"
import type { ServerCounters } from "../counters.ts"

/** What turns publications into bytes; one per server. */
export interface Encoders {
  readonly codecs: Readonly<Record<Profile, Codec>>
  readonly event20: (name: string, payload: unknown) => readonly Event20[]
  readonly counters: ServerCounters
}

/** Where a publication comes from, when it is a topic's. */
export interface TopicPosition {
  readonly topic: string
  readonly offset: number
}

export interface PublicationOptions {
  readonly name: string
  readonly spec: EventSpec
  readonly payload: unknown
  readonly position: TopicPosition | undefined
}

export class Publication {
  readonly volatile: boolean
  /** Of the values that wait with the same key only the latest is kept. */
  readonly key: string | undefined
  readonly #encoders: Encoders
  readonly #options: PublicationOptions
  readonly #messages = new Map<Profile, readonly OutboundMessage[]>()

  constructor(encoders: Encoders, options: PublicationOptions) {
    const { name, spec, payload, position } = options
    this.#encoders = encoders
    this.#options = options
    this.volatile = spec.delivery === "volatile"
    const key = this.volatile ? spec.key?.(plain(payload)) : undefined
    this.key = key === undefined ? undefined : `${position?.topic ?? ""}\n${name}\n${key}`
  }

  messages(profile: Profile): readonly OutboundMessage[] {
    const known = this.#messages.get(profile)
    if (known !== undefined) return known
    this.#encoders.counters.publicationsEncoded += 1
    const messages = (profile === "hawser.1" ? [this.#compact()] : this.#envelopes()).map((bytes) => ({
      bytes,
    }))
    this.#messages.set(profile, messages)
    return messages
  }

  #compact(): Uint8Array {
    const codec = this.#encoders.codecs["hawser.1"]
    const { name: type, payload, position } = this.#options
    if (this.volatile) return codec.encode({ kind: "volatile", type, payload, key: this.key })
    if (position !== undefined) return codec.encode({ kind: "topicEvent", ...position, type, payload })
    return codec.encode({ kind: "event", type, payload })
  }

  #envelopes(): Uint8Array[] {
    const { codecs, event20 } = this.#encoders
    return event20(this.#options.name, this.#options.payload).map((event) =>
      codecs["2.0"].encode({ kind: "event", type: event.name, payload: event.payload }),
    )
  }
}
