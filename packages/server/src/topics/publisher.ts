// Sends one event to many sessions. Every kind of recipients goes through `publishTo`.
import type { Contract, EventSpec } from "@hawser/protocol"
import type { AuthenticatedUser } from "../authenticate.ts"
import type { PublishOptions, Topic } from "../server-api.ts"
import type { ServerSession } from "../session/server-session.ts"
import type { SessionRegistry } from "../session/session-registry.ts"
import type { Session } from "../session/session.ts"
import type { FanOut } from "./fan-out.ts"
import type { Hub } from "./hub.ts"
import { Publication } from "./publication.ts"
import type { Encoders, TopicPosition } from "./publication.ts"

export interface PublisherOptions<User extends AuthenticatedUser> {
  readonly contractName: string
  readonly events: ReadonlyMap<string, EventSpec>
  readonly encoders: Encoders
  readonly registry: SessionRegistry<User>
  readonly hub: Hub<Session<User>>
  readonly fanOut: FanOut
}

export class Publisher<User extends AuthenticatedUser> {
  readonly #options: PublisherOptions<User>

  constructor(options: PublisherOptions<User>) {
    this.#options = options
  }

  broadcast(event: string, payload: unknown, { except }: PublishOptions<User, Contract> = {}): number {
    return this.#publishTo([...this.#options.registry.all], this.#publication(event, payload), except)
  }

  multicast(sessions: Iterable<Session<User>>, event: string, payload: unknown): number {
    return this.#publishTo(sessions, this.#publication(event, payload))
  }

  topic(name: string): Topic<User, Contract> {
    const { hub } = this.#options
    return {
      name,
      publish: (event, payload, { except } = {}) => {
        const offset = hub.nextOffset(name)
        if (offset === undefined) return 0
        const publication = this.#publication(event, payload, { topic: name, offset })
        return this.#publishTo([...hub.members(name)], publication, except)
      },
      subscribe(session) {
        if (session.active) hub.join(name, session)
      },
      unsubscribe: (session) => hub.leave(name, session),
      get size() {
        return hub.members(name).size
      },
    }
  }

  #publication(name: string, payload: unknown, position?: TopicPosition): Publication {
    const { contractName, events, encoders } = this.#options
    const spec = events.get(name)
    if (spec === undefined) throw new TypeError(`the contract "${contractName}" has no event "${name}"`)
    return new Publication(encoders, { name, spec, payload, position })
  }

  #publishTo(recipients: Iterable<Session<User>>, publication: Publication, except?: Session<User>): number {
    let count = 0
    this.#options.fanOut.run(() => {
      for (const recipient of recipients) {
        if (recipient === except) continue
        if (this.#isOpen(recipient) && recipient.publish(publication) !== "ended") count += 1
      }
    })
    return count
  }

  #isOpen(session: Session<User>): session is ServerSession<User> {
    const all: ReadonlySet<Session<User>> = this.#options.registry.all
    return all.has(session)
  }
}
