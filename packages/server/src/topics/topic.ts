// What an application sees of a topic.
import type { Contract, Encodable, EventName, EventPayload } from "@hawser/protocol"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { Session } from "../base/session.ts"

export interface PublishOptions<User extends AuthenticatedUser, C extends Contract> {
  readonly except?: Session<User, C>
}

export interface Topic<User extends AuthenticatedUser, C extends Contract> {
  readonly name: string
  /** Sends to everyone in the topic: encoded once per profile; no socket is waited for. Returns how many got it. */
  publish<K extends EventName<C>>(
    event: K,
    payload: Encodable<EventPayload<C, K>>,
    options?: PublishOptions<User, C>,
  ): number
  /**
   * Puts a session in; its client is not asked and not told, and is not among those who are present. Idempotent. An ended
   * session leaves by itself.
   * @throws TypeError for a session of another server.
   */
  subscribe(session: Session<User, C>): void
  /** Puts a session out, also one that joined by itself: its client is told then, with `forbidden`. */
  unsubscribe(session: Session<User, C>): void
  readonly size: number
}
