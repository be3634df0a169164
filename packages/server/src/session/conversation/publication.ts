// One event on its way to any number of sessions: translated, encoded and (by the transport) framed at most once
// per profile, at the first recipient that needs it.
import { plain } from "@hawser/protocol"
import { outbound, quoted, unsendable } from "@hawser/protocol/core"
import type { EventSpec } from "@hawser/protocol"
import type { Codec, OutboundMessage, Profile } from "@hawser/protocol/core"
import type { Event20 } from "../../base/profile20.ts"
import type { ServerCounters } from "../../base/counters.ts"

/** What turns publications into bytes; one per server. */
export interface Encoders {
  readonly codecs: Readonly<Record<Profile, Codec>>
  readonly event20: (name: string, payload: unknown) => readonly Event20[]
  readonly counters: ServerCounters
}

/** Where a publication comes from, when it is a topic's. */
export interface TopicSource {
  readonly topic: string
  /** Undefined for what takes no number. */
  readonly offset: number | undefined
}

/** What a session needs to know of what is published to it. */
export type Publishable = Pick<Publication, "volatile" | "key" | "messages">

export interface PublicationOptions {
  readonly name: string
  readonly spec: EventSpec
  readonly payload: unknown
  readonly source: TopicSource | undefined
  /** True for one session only. */
  readonly isSingle?: boolean
}

export class Publication {
  readonly volatile: boolean
  /** Of the values that wait with the same key only the latest is kept. */
  readonly key: string | undefined
  readonly #encoders: Encoders
  readonly #options: PublicationOptions
  #compactMessages: readonly OutboundMessage[] | undefined
  #envelopeMessages: readonly OutboundMessage[] | undefined

  constructor(encoders: Encoders, options: PublicationOptions) {
    const { name, spec, payload, source } = options
    this.#encoders = encoders
    this.#options = options
    this.volatile = spec.delivery === "volatile"
    const key = this.volatile ? spec.key?.(plain(payload)) : undefined
    this.key = key === undefined ? undefined : `${source?.topic ?? ""}\n${name}\n${key}`
  }

  /** @throws UnsendableError for a payload that clients of this profile would refuse. */
  messages(profile: Profile): readonly OutboundMessage[] {
    if (profile === "hawser.1") return (this.#compactMessages ??= this.#encode(profile))
    return (this.#envelopeMessages ??= this.#encode(profile))
  }

  #encode(profile: Profile): readonly OutboundMessage[] {
    const isShared = this.#options.isSingle !== true
    try {
      const encoded = profile === "hawser.1" ? [this.#compact()] : this.#envelopes()
      this.#encoders.counters.publicationsEncoded += 1
      return encoded.map((bytes) => outbound(bytes, isShared))
    } catch (error) {
      throw unsendable(`the event ${quoted(this.#options.name)}`, error)
    }
  }

  #compact(): Uint8Array {
    const codec = this.#encoders.codecs["hawser.1"]
    const { name: type, payload, source } = this.#options
    if (this.volatile) {
      const from = source === undefined ? {} : { topic: source.topic }
      return codec.encode({ kind: "volatile", type, payload, key: this.key, ...from })
    }
    if (source?.offset === undefined) return codec.encode({ kind: "event", type, payload })
    return codec.encode({ kind: "topicEvent", topic: source.topic, offset: source.offset, type, payload })
  }

  #envelopes(): Uint8Array[] {
    const { codecs, event20 } = this.#encoders
    return event20(this.#options.name, this.#options.payload).map((event) =>
      codecs["2.0"].encode({ kind: "event", type: event.name, payload: event.payload }),
    )
  }
}
