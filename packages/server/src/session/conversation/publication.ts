// One publication to any number of sessions. It is encoded, and framed by the transport, at most once for each dialect.
import { outbound, quoted, unsendable } from "@hawser/protocol/core"
import { plain } from "@hawser/protocol"
import type { EventSpec } from "@hawser/protocol"
import type { OutboundMessage } from "@hawser/protocol/core"
import type { ServerCounters } from "../../base/counters.ts"
import type { EventValues, TopicSource } from "./dialect.ts"

/** Counters of a server's publications. */
export type PublicationCounters = Pick<ServerCounters, "publicationsEncoded">

/** Encoder of publications: a dialect. */
export interface Encoder {
  publication(event: EventValues): readonly Uint8Array[]
}

/** Publication, as a recipient uses it. */
export type Publishable = Pick<Publication, "volatile" | "key" | "messages">

/** Options of a `Publication`. */
export interface PublicationOptions {
  readonly name: string
  readonly spec: EventSpec
  readonly payload: unknown
  readonly source: TopicSource | undefined
  /** True if the publication has one recipient. */
  readonly isSingle?: boolean
}

export class Publication implements EventValues {
  readonly name: string
  readonly payload: unknown
  readonly source: TopicSource | undefined
  readonly volatile: boolean
  /** Key by which queued values are conflated; undefined without a key. */
  readonly key: string | undefined
  readonly #counters: PublicationCounters
  readonly #isShared: boolean
  /** Messages of the first dialect, which is almost always the only one. */
  #first: { readonly encoder: Encoder; readonly messages: readonly OutboundMessage[] } | undefined
  #others: Map<Encoder, readonly OutboundMessage[]> | undefined

  constructor(counters: PublicationCounters, { name, spec, payload, source, isSingle }: PublicationOptions) {
    this.#counters = counters
    this.#isShared = isSingle !== true
    this.name = name
    this.payload = payload
    this.source = source
    this.volatile = spec.delivery === "volatile"
    const key = this.volatile ? spec.key?.(plain(payload)) : undefined
    this.key = key === undefined ? undefined : `${source?.topic ?? ""}\n${name}\n${key}`
  }

  /** Returns the messages for clients of one dialect. @throws UnsendableError for a payload that clients would refuse. */
  messages(encoder: Encoder): readonly OutboundMessage[] {
    if (this.#first?.encoder === encoder) return this.#first.messages
    const known = this.#others?.get(encoder)
    if (known !== undefined) return known
    const messages = this.#encode(encoder)
    if (this.#first === undefined) this.#first = { encoder, messages }
    else (this.#others ??= new Map()).set(encoder, messages)
    return messages
  }

  #encode(encoder: Encoder): readonly OutboundMessage[] {
    try {
      const encoded = encoder.publication(this)
      this.#counters.publicationsEncoded += 1
      return encoded.map((bytes) => outbound(bytes, this.#isShared))
    } catch (error) {
      throw unsendable(`the event ${quoted(this.name)}`, error)
    }
  }
}
