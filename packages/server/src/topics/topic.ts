// A topic as the application uses it. Must not know histories and permissions.
import type {
  Contract,
  Encoded,
  PresenceState,
  SentPayload,
  TopicEventName,
  TopicKind,
  TopicReplicaName,
  TopicReplicaRecord,
  ValidPayload,
} from "@hawser/protocol"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { Session } from "../base/session.ts"
import type { Replica } from "../replicas/replica.ts"
import type { TopicMember } from "./topic-kinds.ts"

export interface PublishOptions<User extends AuthenticatedUser, C extends Contract> {
  /** Session of this server that does not receive the event. Default: none. A TypeError for a session of another server. */
  readonly except?: Session<User, C>
}

/** State of a topic in one process. */
export interface LocalTopic {
  /** Number of members and subscribers whose sessions are in this process. */
  readonly size: number
}

/** A topic of a server. `server.topic(name)` returns one for any name of a declared kind, also for a topic without sessions. */
export interface Topic<
  User extends AuthenticatedUser,
  C extends Contract,
  K extends TopicKind<C> = TopicKind<C>,
> {
  /** Name of the topic. */
  readonly name: string
  /**
   * Sends an event of the topic's kind to the members and subscribers, encoded once per profile, without waiting for a socket.
   * @throws TypeError for an event that the kind lacks; otherwise like `server.broadcast`, also without recipients.
   */
  publish<E extends TopicEventName<C, K>>(
    event: E,
    payload: SentPayload<C, E> | Encoded<ValidPayload<C, E>>,
    options?: PublishOptions<User, C>,
  ): void
  /**
   * Adds a session as a subscriber. Its client sends no request, receives no notice, and is not in the presence list.
   * Idempotent. The subscription ends with the session. No effect for a session that has ended.
   * @throws TypeError for a session of another server.
   */
  subscribe(session: Session<User, C>): void
  /**
   * Removes a session. A member that joined by itself receives a notice with `forbidden`; a subscriber receives none. No effect
   * for a session that has ended.
   * @throws TypeError for a session of another server.
   */
  unsubscribe(session: Session<User, C>): void
  /** Resolves to the members, in the order of their joins: sessions whose clients joined, also detached ones. No subscribers. */
  members(): Promise<readonly TopicMember<PresenceState<C, K> | undefined>[]>
  /**
   * Returns a replica of this topic, in this process. Each topic has its own records. They begin empty, and end when the last
   * session has left the topic. Records that are written while the topic has no session wait for the first one, in
   * `limits.idleTopicsMax` topics at most. Members see all records from their join to their leave. In a replica with an area
   * they see those of their views: `view` has no effect for a session that has not joined the topic. `set` of a new record throws a
   * RangeError at `limits.topicReplicaMaxCount`.
   * @throws TypeError for a replica that the topic's kind lacks.
   */
  replica<R extends TopicReplicaName<C, K>>(name: R): Replica<TopicReplicaRecord<C, K, R>, Session<User, C>>
}
