// Sends one event to many sessions. Every kind of recipients goes through `publishTo`.
import { outbound } from "@hawser/protocol/core"
import type { Contract, EventSpec } from "@hawser/protocol"
import type { OutboundMessage } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { PublishOptions, Topic } from "./topic.ts"
import type { ServerSession } from "../session/life/server-session.ts"
import type { SessionRegistry } from "../session/life/session-registry.ts"
import type { Session } from "../base/session.ts"
import type { FanOut } from "../session/conversation/fan-out.ts"
import type { Hub } from "./hub.ts"
import { Publication } from "../session/conversation/publication.ts"
import type { Encoder, PublicationCounters } from "../session/conversation/publication.ts"
import type { TopicSource } from "../session/conversation/dialect.ts"

export interface PublisherOptions<User extends AuthenticatedUser> {
  readonly contractName: string
  readonly events: ReadonlyMap<string, EventSpec>
  readonly counters: PublicationCounters
  /** Dialect whose messages a history keeps. */
  readonly compact: Encoder
  readonly registry: SessionRegistry<User>
  readonly hub: Hub<ServerSession<User>>
  readonly fanOut: FanOut
  /** The application puts a session out of a topic. */
  readonly unsubscribe: (topic: string, session: ServerSession<User>) => void
}

interface Delivery<User extends AuthenticatedUser> {
  readonly except?: Session<User> | undefined
  /** When everybody has it, and before anything that follows from it. */
  readonly delivered?: () => void
}

interface TopicPublication<User extends AuthenticatedUser> {
  readonly event: string
  readonly payload: unknown
  readonly except: Session<User> | undefined
}

interface TopicDelivery {
  readonly count: number
  readonly offset: number | undefined
}

export class Publisher<User extends AuthenticatedUser> {
  readonly #options: PublisherOptions<User>

  constructor(options: PublisherOptions<User>) {
    this.#options = options
  }

  broadcast(event: string, payload: unknown, { except }: PublishOptions<User, Contract> = {}): number {
    return this.#publishTo(this.#options.registry.all, this.#publication(event, payload), { except })
  }

  multicast(sessions: Iterable<Session<User>>, event: string, payload: unknown): number {
    const open: ServerSession<User>[] = []
    for (const session of sessions) if (this.#isOpen(session)) open.push(session)
    return this.#publishTo(open, this.#publication(event, payload))
  }

  topic(name: string): Topic<User, Contract> {
    const { hub, unsubscribe } = this.#options
    return {
      name,
      publish: (event, payload, { except } = {}) => this.toTopic(name, { event, payload, except }).count,
      subscribe: (session) => {
        if (!session.active) return
        if (!this.#isOpen(session)) throw new TypeError(`session ${session.id} belongs to another server`)
        hub.join(name, session)
      },
      unsubscribe: (session) => {
        if (this.#isOpen(session)) unsubscribe(name, session)
      },
      get size() {
        return hub.members(name).size
      },
    }
  }

  /** How many got it, and its number in the topic if it took one. */
  toTopic(topic: string, what: TopicPublication<User>): TopicDelivery {
    return this.prepare(topic, what)()
  }

  /**
   * Encodes a publication for everybody in the topic, and changes nothing. The result sends it; to be called in the same
   * turn.
   * @throws UnsendableError
   */
  prepare(topic: string, { event, payload, except }: TopicPublication<User>): () => TopicDelivery {
    const { hub, compact } = this.#options
    const isVolatile = this.#spec(event).delivery === "volatile"
    const offset = isVolatile ? undefined : hub.nextOffset(topic)
    const recipients = hub.members(topic)
    if (offset === undefined && (!isVolatile || recipients.size === 0)) return () => ({ count: 0, offset })
    const publication = this.#publication(event, payload, { topic, offset })
    if (offset !== undefined && hub.keeps(topic)) publication.messages(compact)
    this.#encode(recipients, publication, except)
    const delivered = (): void => {
      // Only what could be encoded takes its number, so that a fault of one publisher makes no hole.
      if (offset !== undefined)
        hub.published(topic, () => keptOf(publication, compact), this.#clientOf(except))
    }
    return () => ({ count: this.#deliver(recipients, publication, { except, delivered }), offset })
  }

  #spec(name: string): EventSpec {
    const { contractName, events } = this.#options
    const spec = events.get(name)
    if (spec === undefined) throw new TypeError(`the contract "${contractName}" has no event "${name}"`)
    return spec
  }

  #publication(name: string, payload: unknown, source?: TopicSource): Publication {
    return new Publication(this.#options.counters, { name, spec: this.#spec(name), payload, source })
  }

  #publishTo(
    recipients: Iterable<ServerSession<User>>,
    publication: Publication,
    { except }: Delivery<User> = {},
  ): number {
    this.#encode(recipients, publication, except)
    return this.#deliver(recipients, publication, { except })
  }

  /** Encodes for the dialect of each recipient: a payload that one dialect cannot take is sent to no recipient. */
  #encode(
    recipients: Iterable<ServerSession<User>>,
    publication: Publication,
    except: Session<User> | undefined,
  ): void {
    if (!this.#options.registry.isMixed) return
    for (const recipient of recipients) if (recipient !== except) publication.messages(recipient.dialect)
  }

  #deliver(
    recipients: Iterable<ServerSession<User>>,
    publication: Publication,
    { except, delivered }: Delivery<User>,
  ): number {
    let count = 0
    this.#options.fanOut.run(() => {
      for (const recipient of recipients) {
        if (recipient !== except && recipient.publish(publication) !== "ended") count += 1
      }
      delivered?.()
    })
    return count
  }

  /** The same client has another session after one that expired. */
  #clientOf(session: Session<User> | undefined): string | undefined {
    return session !== undefined && this.#isOpen(session) ? clientKey(session) : undefined
  }

  #isOpen(session: Session<User>): session is ServerSession<User> {
    const all: ReadonlySet<Session<User>> = this.#options.registry.all
    return all.has(session)
  }
}

/** Stands for one client, whichever session it has. */
export function clientKey<User extends AuthenticatedUser>({ user, clientId }: ServerSession<User>): string {
  return `${user.id}\n${clientId}`
}

function keptOf(publication: Publication, compact: Encoder): OutboundMessage {
  const [message] = publication.messages(compact)
  if (message === undefined) throw new TypeError("a publication has one message")
  // Without what the transport makes of it for those who get it now.
  return outbound(message.bytes)
}
