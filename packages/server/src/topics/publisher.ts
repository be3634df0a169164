// Publishes one event to many sessions: to all sessions, to a list, or to a topic. Encodes it for every dialect before the
// first send: a payload that one dialect cannot encode is sent to no recipient. Must not know permissions.
import type { Contract, EventSpec } from "@hawser/protocol"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { PublishOptions, Topic } from "./topic.ts"
import type { ServerSession } from "../session/life/server-session.ts"
import type { SessionRegistry } from "../session/life/session-registry.ts"
import type { Session } from "../base/session.ts"
import type { FanOut } from "../session/conversation/fan-out.ts"
import type { Hub, HubPublication } from "./hub.ts"
import { TopicPublication } from "./topic-publication.ts"
import type { TopicLog } from "./topic-log.ts"
import { Publication } from "../session/conversation/publication.ts"
import type { Encoder, PublicationCounters } from "../session/conversation/publication.ts"
import type { TopicSource } from "../session/conversation/dialect.ts"

export interface PublisherOptions<User extends AuthenticatedUser> {
  readonly contractName: string
  readonly events: ReadonlyMap<string, EventSpec>
  readonly counters: PublicationCounters
  /** Dialect whose messages a history retains. */
  readonly compact: Encoder
  readonly registry: SessionRegistry<User>
  readonly hub: Hub<ServerSession<User>>
  readonly log: Pick<TopicLog<HubPublication<ServerSession<User>>>, "keeps">
  readonly fanOut: FanOut
  /** Removes a session from a topic on behalf of the application. */
  readonly unsubscribe: (topic: string, session: ServerSession<User>) => void
}

/** Calls `encode`, then throws if the publication is not admitted. Called once per publication, before it is numbered or sent. */
type Admit = <T>(encode: () => T) => T

interface TopicEvent<User extends AuthenticatedUser> {
  readonly event: string
  readonly payload: unknown
  readonly except: Session<User> | undefined
  /** Default: admits every publication. */
  readonly admit?: Admit
}

interface PublishResult {
  /** Number of recipients. */
  readonly count: number
  /** Undefined for a publication without an offset. */
  readonly offset: number | undefined
}

export class Publisher<User extends AuthenticatedUser> {
  readonly #options: PublisherOptions<User>

  constructor(options: PublisherOptions<User>) {
    this.#options = options
  }

  broadcast(event: string, payload: unknown, { except }: PublishOptions<User, Contract> = {}): number {
    return this.#publishTo(this.#options.registry.all, this.#publication(event, payload), except)
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
        if (!this.#isOpen(session))
          throw new TypeError(`cannot subscribe session ${session.id}: it belongs to another server`)
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

  /**
   * Publishes to a topic. Returns the number of recipients, and the offset if the publication took one.
   * @throws UnsendableError, and the error of `admit`; in both cases nothing was numbered or sent.
   */
  toTopic(topic: string, published: TopicEvent<User>): PublishResult {
    const { hub } = this.#options
    const { event, admit = (encode) => encode() } = published
    const publication = this.#topicPublication(topic, { ...published, admit })
    const members = hub.members(topic)
    if (this.#spec(event).delivery !== "volatile") {
      const position = hub.publish(topic, publication)
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
    { event, payload, except, admit }: Required<TopicEvent<User>>,
  ): TopicPublication<ServerSession<User>> {
    const { compact, hub, log } = this.#options
    return new TopicPublication({
      compact,
      except: this.#clientOf(except),
      encode: (offset) =>
        admit(() => {
          const publication = this.#publication(event, payload, { topic, offset })
          if (offset !== undefined && log.keeps(topic)) publication.messages(compact)
          this.#encode(hub.members(topic), publication, except)
          return publication
        }),
      send: (members, publication) => this.#deliver(members, publication, except),
    })
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
    const { isMixed } = this.#options.registry
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
    this.#options.fanOut.run(() => {
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
    const all: ReadonlySet<Session<User>> = this.#options.registry.all
    return all.has(session)
  }
}

/** Returns the key of a session's client. All sessions of one client have the same key. */
export function clientKey<User extends AuthenticatedUser>({ user, clientId }: ServerSession<User>): string {
  return `${user.id}\n${clientId}`
}
