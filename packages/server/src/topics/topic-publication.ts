// One publication of a topic. A reliable publication gets its offset from the log and is encoded with it; then it is sent to
// the sessions of the topic. Must not know permissions and rate limits.
import { outbound } from "@hawser/protocol/core"
import type { OutboundMessage } from "@hawser/protocol/core"
import type { Encoder, Publication } from "../session/conversation/publication.ts"
import type { HubPublication } from "./hub.ts"

export interface TopicPublicationOptions<Member> {
  /** Dialect whose messages a history retains. */
  readonly compact: Encoder
  readonly except: string | undefined
  /** Encodes the publication for every profile that needs it. @throws UnsendableError */
  readonly encode: (offset: number | undefined) => Publication
  /** Returns the number of recipients. */
  readonly send: (members: ReadonlySet<Member>, publication: Publication) => number
}

export class TopicPublication<Member> implements HubPublication<Member> {
  /** Number of recipients; 0 before the delivery. */
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
    if (message === undefined) throw new TypeError("internal: a publication is retained before it is encoded")
    // The history does not retain the transport's cached frame.
    return outbound(message.bytes)
  }

  deliver(members: ReadonlySet<Member>): void {
    if (this.#encoded !== undefined) this.count += this.#options.send(members, this.#encoded)
  }
}
