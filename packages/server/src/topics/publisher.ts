// Publishes one event to many sessions: to all sessions, to a list, or to a topic. Encodes it for every dialect before the
// first send: a payload that one dialect cannot encode is sent to no recipient. Must not know permissions.
import { outbound, outgoingPayload } from "@hawser/protocol/core"
import type { Contract, EventSpec } from "@hawser/protocol"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { PublishOptions, Topic } from "./topic.ts"
import type { ServerSession } from "../session/life/server-session.ts"
import type { Session } from "../base/session.ts"
import type { HubPublication } from "./hub.ts"
import type { TopicParts } from "./topic-parts.ts"
import { Publication } from "../session/conversation/publication.ts"
import type { TopicSource } from "../session/conversation/dialect.ts"

type PublisherParts<User extends AuthenticatedUser> = Pick<
  TopicParts<User>,
  "contract" | "events" | "counters" | "compact" | "registry" | "fanOut" | "hub" | "log"
>

/** One publication of a topic. A reliable one is encoded with the offset that it gets from the log. */
interface TopicPublication<User extends AuthenticatedUser> extends HubPublication<ServerSession<User>> {
  /** Number of recipients; 0 before the delivery. */
  count: number
  /** @param offset undefined for a volatile publication. */
  encode(offset: number | undefined): void
}

/** Calls `encode`, then throws if the publication is not admitted. Called once per publication, before it is numbered or sent. */
type Admit = <T>(encode: () => T) => T

const admitAll: Admit = (encode) => encode()

interface TopicEvent<User extends AuthenticatedUser> {
  readonly event: string
  readonly payload: unknown
  readonly except: Session<User> | undefined
  readonly admit: Admit
}

interface PublishResult {
  /** Number of recipients. */
  readonly count: number
  /** Undefined for a publication without an offset. */
  readonly offset: number | undefined
}

export class Publisher<User extends AuthenticatedUser> {
  readonly #parts: PublisherParts<User>
  readonly #unsubscribe: (topic: string, session: ServerSession<User>) => void

  /** @param unsubscribe removes a session from a topic on behalf of the application. */
  constructor(
    parts: PublisherParts<User>,
    unsubscribe: (topic: string, session: ServerSession<User>) => void,
  ) {
    this.#parts = parts
    this.#unsubscribe = unsubscribe
  }

  broadcast(event: string, payload: unknown, { except }: PublishOptions<User, Contract> = {}): number {
    const publication = this.#publication(event, this.#sent(event, payload))
    return this.#publishTo(this.#parts.registry.all, publication, except)
  }

  multicast(sessions: Iterable<Session<User>>, event: string, payload: unknown): number {
    const open: ServerSession<User>[] = []
    for (const session of sessions) if (this.#isOpen(session)) open.push(session)
    return this.#publishTo(open, this.#publication(event, this.#sent(event, payload)))
  }

  topic(name: string): Topic<User, Contract> {
    const { hub } = this.#parts
    return {
      name,
      publish: (event, payload, { except } = {}) =>
        this.toTopic(name, { event, payload: this.#sent(event, payload), except, admit: admitAll }).count,
      subscribe: (session) => {
        if (!session.active) return
        if (!this.#isOpen(session))
          throw new TypeError(`cannot subscribe session ${session.id}: it belongs to another server`)
        hub.join(name, session)
      },
      unsubscribe: (session) => {
        if (this.#isOpen(session)) this.#unsubscribe(name, session)
      },
      get size() {
        return hub.members(name).size
      },
    }
  }

  /**
   * Publishes a validated payload to a topic. Returns the number of recipients, and the offset if the publication took one.
   * @throws UnsendableError, and the error of `admit`; in both cases nothing was numbered or sent.
   */
  toTopic(topic: string, published: TopicEvent<User>): PublishResult {
    const { hub, log } = this.#parts
    const { event, admit } = published
    const publication = this.#topicPublication(topic, published)
    const members = hub.members(topic)
    if (this.#spec(event).delivery !== "volatile") {
      const position = log.append(topic, publication)
      // The log encodes nothing for a topic that does not exist.
      if (position === undefined) admit(() => {})
      return { count: publication.count, offset: position?.offset }
    }
    if (members.size === 0) admit(() => {})
    else {
      publication.encode(undefined)
      publication.deliver(members)
    }
    return { count: publication.count, offset: undefined }
  }

  #topicPublication(
    topic: string,
    { event, payload, except, admit }: TopicEvent<User>,
  ): TopicPublication<User> {
    const { compact, hub, log } = this.#parts
    let encoded: Publication | undefined
    const topicPublication: TopicPublication<User> = {
      count: 0,
      except: this.#clientOf(except),
      encode: (offset) => {
        encoded = admit(() => {
          const publication = this.#publication(event, payload, { topic, offset })
          if (offset !== undefined && log.keeps(topic)) publication.messages(compact)
          this.#encode(hub.members(topic), publication, except)
          return publication
        })
      },
      retained() {
        const [message] = encoded?.messages(compact) ?? []
        if (message === undefined)
          throw new TypeError("internal: a publication is retained before it is encoded")
        // The history does not retain the transport's cached frame.
        return outbound(message.bytes)
      },
      deliver: (members) => {
        if (encoded !== undefined) topicPublication.count += this.#deliver(members, encoded, except)
      },
    }
    return topicPublication
  }

  #spec(name: string): EventSpec {
    const { contract, events } = this.#parts
    const spec = events.get(name)
    if (spec === undefined) throw new TypeError(`the contract "${contract.name}" has no event "${name}"`)
    return spec
  }

  /** Validates a payload of the server, once for all recipients. @throws UnsendableError, TypeError for an unknown event. */
  #sent(event: string, payload: unknown): unknown {
    return outgoingPayload(event, this.#spec(event), payload)
  }

  #publication(name: string, payload: unknown, source?: TopicSource): Publication {
    return new Publication(this.#parts.counters, { name, spec: this.#spec(name), payload, source })
  }

  #publishTo(
    recipients: Iterable<ServerSession<User>>,
    publication: Publication,
    except?: Session<User>,
  ): number {
    this.#encode(recipients, publication, except)
    return this.#deliver(recipients, publication, except)
  }

  /** Encodes for the dialect of each recipient. @throws UnsendableError if one dialect cannot encode the payload. */
  #encode(
    recipients: Iterable<ServerSession<User>>,
    publication: Publication,
    except: Session<User> | undefined,
  ): void {
    const { isMixed } = this.#parts.registry
    for (const recipient of recipients) {
      if (recipient === except) continue
      publication.messages(recipient.dialect)
      // Sessions of one dialect receive the same bytes.
      if (!isMixed) return
    }
  }

  #deliver(
    recipients: Iterable<ServerSession<User>>,
    publication: Publication,
    except: Session<User> | undefined,
  ): number {
    let count = 0
    this.#parts.fanOut.run(() => {
      for (const recipient of recipients) {
        if (recipient !== except && recipient.publish(publication) !== "ended") count += 1
      }
    })
    return count
  }

  /** Returns the key of the session's client: a later session of that client must not receive the publication either. */
  #clientOf(session: Session<User> | undefined): string | undefined {
    return session !== undefined && this.#isOpen(session) ? clientKey(session) : undefined
  }

  #isOpen(session: Session<User>): session is ServerSession<User> {
    const all: ReadonlySet<Session<User>> = this.#parts.registry.all
    return all.has(session)
  }
}

/** Returns the key of a session's client. All sessions of one client have the same key. */
export function clientKey<User extends AuthenticatedUser>({ user, clientId }: ServerSession<User>): string {
  return `${user.id}\n${clientId}`
}
