// One event on its way to any number of sessions: encoded, and framed by the transport, at most once per dialect.
import { outbound, quoted, unsendable } from "@hawser/protocol/core"
import { plain } from "@hawser/protocol"
import type { EventSpec } from "@hawser/protocol"
import type { OutboundMessage } from "@hawser/protocol/core"
import type { ServerCounters } from "../../base/counters.ts"
import type { EventValues, TopicSource } from "./dialect.ts"

/** Counters of all publications of a server. */
export type PublicationCounters = Pick<ServerCounters, "publicationsEncoded">

/** Encoder of publications: a dialect. */
export interface Encoder {
  publication(event: EventValues): readonly Uint8Array[]
}

/** A publication, as a recipient uses it. */
export type Publishable = Pick<Publication, "volatile" | "key" | "messages">

export interface PublicationOptions {
  readonly name: string
  readonly spec: EventSpec
  readonly payload: unknown
  readonly source: TopicSource | undefined
  /** True for one session only. */
  readonly isSingle?: boolean
}

export class Publication implements EventValues {
  readonly name: string
  readonly payload: unknown
  readonly source: TopicSource | undefined
  readonly volatile: boolean
  /** Key by which waiting values are conflated. */
  readonly key: string | undefined
  readonly #counters: PublicationCounters
  readonly #isShared: boolean
  /** Of the dialect that asked first; almost always the only one. */
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

  /** Returns the messages for clients of one dialect. @throws UnsendableError for a payload that they would refuse. */
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
