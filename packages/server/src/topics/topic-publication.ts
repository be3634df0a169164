// One publication of a topic: encoded, with its number from the log if it is reliable, then sent to the members.
// Must not know permissions and prices.
import { outbound } from "@hawser/protocol/core"
import type { OutboundMessage } from "@hawser/protocol/core"
import type { Encoder, Publication } from "../session/conversation/publication.ts"
import type { HubPublication } from "./hub.ts"

export interface TopicPublicationOptions<Member> {
  /** Dialect whose messages a history keeps. */
  readonly compact: Encoder
  readonly except: string | undefined
  /** Encodes the publication for every profile that needs it. @throws UnsendableError */
  readonly encode: (offset: number | undefined) => Publication
  /** Returns the number of recipients. */
  readonly send: (members: ReadonlySet<Member>, publication: Publication) => number
}

export class TopicPublication<Member> implements HubPublication<Member> {
  /** Number of recipients, once it was delivered. */
  count = 0
  readonly #options: TopicPublicationOptions<Member>
  #encoded: Publication | undefined

  constructor(options: TopicPublicationOptions<Member>) {
    this.#options = options
  }

  get except(): string | undefined {
    return this.#options.except
  }

  /** @param offset undefined for a volatile publication. */
  encode(offset: number | undefined): void {
    this.#encoded = this.#options.encode(offset)
  }

  retained(): OutboundMessage {
    const [message] = this.#encoded?.messages(this.#options.compact) ?? []
    if (message === undefined) throw new TypeError("a publication is retained before it is encoded")
    // Without the cached frame of the transport.
    return outbound(message.bytes)
  }

  deliver(members: ReadonlySet<Member>): void {
    if (this.#encoded !== undefined) this.count += this.#options.send(members, this.#encoded)
  }
}
