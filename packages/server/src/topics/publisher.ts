// Publishes one event to many sessions: to all sessions, to a list, or to a topic. Encodes it for every dialect before the
// first send: a payload that one dialect cannot encode is sent to no recipient. Must not know permissions.
import { Encoded, assertOptionNames, outbound, outgoingPayload, unknownName } from "@hawser/protocol/core"
import type { Author, Contract, EventSpec } from "@hawser/protocol"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { LocalTopic, PublishOptions, Topic } from "./topic.ts"
import type { ServerSession } from "../session/life/server-session.ts"
import type { Session } from "../base/session.ts"
import type { HubPublication } from "./hub.ts"
import type { TopicParts } from "./topic-parts.ts"
import { memberOf } from "./topic-kinds.ts"
import type { TopicMember } from "./topic-kinds.ts"
import { Publication } from "../session/conversation/publication.ts"
import type { TopicSource } from "../session/conversation/dialect.ts"

/** Names of the options of `publish` and `broadcast`. */
const publishOptions: { readonly [K in keyof PublishOptions<AuthenticatedUser, Contract>]-?: 0 } = {
  except: 0,
}

type PublisherParts<User extends AuthenticatedUser> = Pick<
  TopicParts<User>,
  | "contract"
  | "events"
  | "counters"
  | "codec"
  | "compact"
  | "dialects"
  | "registry"
  | "fanOut"
  | "hub"
  | "index"
  | "kinds"
  | "log"
  | "onError"
  | "replicas"
>

/** One publication of a topic. A reliable one is encoded with the offset that it gets from the log. */
interface TopicPublication<User extends AuthenticatedUser> extends HubPublication<ServerSession<User>> {
  /** @param offset undefined for a volatile publication. */
  encode(offset: number | undefined): void
}

/** Calls `encode`, then throws if the publication is not admitted. Called once per publication, before it is numbered or sent. */
type Admit = <T>(encode: () => T) => T

const admitAll: Admit = (encode) => encode()

interface TopicEvent<User extends AuthenticatedUser> {
  readonly event: string
  readonly payload: unknown
  readonly except: ServerSession<User> | undefined
  /** Client that publishes; undefined for the server. */
  readonly author: Author | undefined
  readonly admit: Admit
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

  broadcast(event: string, payload: unknown, options?: PublishOptions<User, Contract>): void {
    assertOptionNames("broadcast", options, publishOptions)
    const publication = this.#publication(event, this.#sent(event, payload))
    this.#publishTo(this.#parts.registry.all, publication, this.#excepted(options?.except))
  }

  multicast(sessions: Iterable<Session<User>>, event: string, payload: unknown): void {
    const open: ServerSession<User>[] = []
    for (const session of sessions) {
      const own = this.#parts.registry.own(session, "publish to")
      if (own !== undefined) open.push(own)
    }
    this.#publishTo(open, this.#publication(event, this.#sent(event, payload)), undefined)
  }

  /** @throws TypeError for an invalid name, and for a kind that the contract lacks. */
  topic(name: string): Topic<User, Contract> {
    const { fanOut, hub, kinds, registry, replicas } = this.#parts
    const { events } = kinds.spec(name)
    return {
      name,
      publish: (event, payload, options) => {
        assertOptionNames("publish", options, publishOptions)
        if (!events.includes(event)) throw unknownName(`the topic "${name}" has no event`, event, events)
        const published = {
          event,
          payload: this.#sent(event, payload),
          except: this.#excepted(options?.except),
          author: undefined,
          admit: admitAll,
        }
        if (fanOut.isHeld) this.#hold(name, published)
        else this.toTopic(name, published)
      },
      subscribe: (session) => {
        const own = registry.own(session, "subscribe")
        if (own !== undefined) fanOut.defer(() => hub.join(name, own))
      },
      unsubscribe: (session) => {
        const own = registry.own(session, "unsubscribe")
        if (own !== undefined) fanOut.defer(() => this.#unsubscribe(name, own))
      },
      members: async () => this.#members(name),
      replica: (replica) => replicas.replica(name, replica),
    }
  }

  /** @throws TypeError as `topic`. */
  local(name: string): LocalTopic {
    const { hub, kinds } = this.#parts
    kinds.spec(name)
    return {
      get size() {
        return hub.members(name).size
      },
    }
  }

  #members(topic: string): readonly TopicMember[] {
    const { hub, index } = this.#parts
    const members: TopicMember[] = []
    for (const session of hub.members(topic)) {
      const membership = index.get(topic, session)
      if (membership !== undefined) members.push(memberOf(membership))
    }
    return members
  }

  /** Returns the session that a publication excludes; undefined for one that has ended. */
  #excepted(session: Session<User> | undefined): ServerSession<User> | undefined {
    return session && this.#parts.registry.own(session, "exclude")
  }

  /**
   * Publishes at the end of the atomic function: only then a publication is numbered. Keeps the payload as it is now.
   * @throws UnsendableError
   */
  #hold(topic: string, published: TopicEvent<User>): void {
    const { codec, compact, dialects, fanOut, hub } = this.#parts
    const { event, except } = published
    const offset = this.#spec(event).delivery === "volatile" ? undefined : Number.MAX_SAFE_INTEGER
    // Another dialect reads the value, which the application may change before the end.
    const given = published.payload
    const readsValue = dialects.size > 1 && !(given instanceof Encoded)
    const payload = readsValue ? structuredClone(given) : codec.hold(given, 1)
    const source = { topic, offset, author: undefined }
    const counters = { publicationsEncoded: 0 }
    const trial = new Publication(counters, { name: event, spec: this.#spec(event), payload, source })
    trial.messages(compact)
    this.#encode(hub.members(topic), trial, except)
    fanOut.defer(() => void this.toTopic(topic, { ...published, payload }))
  }

  /**
   * Publishes a validated payload to a topic. Returns the offset; undefined for a publication that took none.
   * @throws UnsendableError, and the error of `admit`; in both cases nothing was numbered or sent.
   */
  toTopic(topic: string, published: TopicEvent<User>): number | undefined {
    const { hub, log } = this.#parts
    const { event, admit } = published
    const publication = this.#topicPublication(topic, published)
    const members = hub.members(topic)
    if (this.#spec(event).delivery !== "volatile") {
      const position = log.append(topic, publication)
      // The log encodes nothing for a topic that does not exist.
      if (position === undefined) admit(() => {})
      return position?.offset
    }
    if (members.size === 0) admit(() => {})
    else {
      publication.encode(undefined)
      publication.deliver(members)
    }
    return undefined
  }

  #topicPublication(
    topic: string,
    { event, payload, except, author, admit }: TopicEvent<User>,
  ): TopicPublication<User> {
    const { compact, hub, log } = this.#parts
    let encoded: Publication | undefined
    return {
      except: except && clientKey(except),
      encode: (offset) => {
        encoded = admit(() => {
          const publication = this.#publication(event, payload, { topic, offset, author })
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
        if (encoded !== undefined) this.#deliver(members, encoded, except)
      },
    }
  }

  #spec(name: string): EventSpec {
    const { contract, events } = this.#parts
    const spec = events.get(name)
    if (spec === undefined)
      throw unknownName(`the contract "${contract.name}" has no event`, name, events.keys())
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
    except: ServerSession<User> | undefined,
  ): void {
    this.#encode(recipients, publication, except)
    this.#deliver(recipients, publication, except)
  }

  /** Encodes for the dialect of each recipient. @throws UnsendableError if one dialect cannot encode the payload. */
  #encode(
    recipients: Iterable<ServerSession<User>>,
    publication: Publication,
    except: ServerSession<User> | undefined,
  ): void {
    const { isMixed } = this.#parts.registry
    for (const recipient of recipients) {
      if (recipient === except) continue
      publication.messages(recipient.dialect)
      // Sessions of one dialect receive the same bytes.
      if (!isMixed) return
    }
  }

  /** Sends an encoded publication. A fault here is not the publisher's: it goes to `onError`. */
  #deliver(
    recipients: Iterable<ServerSession<User>>,
    publication: Publication,
    except: ServerSession<User> | undefined,
  ): void {
    const { fanOut, onError } = this.#parts
    try {
      fanOut.run(() => {
        for (const recipient of recipients) if (recipient !== except) recipient.publish(publication)
      })
    } catch (error) {
      onError(error)
    }
  }
}

/** Returns the key of a session's client. All sessions of one client, also a later one, have the same key. */
export function clientKey<User extends AuthenticatedUser>({ user, clientId }: ServerSession<User>): string {
  return `${user.id}\n${clientId}`
}
