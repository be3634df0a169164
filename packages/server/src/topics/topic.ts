// A topic as the application uses it. Must not know histories and permissions.
import type { Contract, Encoded, EventName, SentPayload, ValidPayload } from "@hawser/protocol"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { Session } from "../base/session.ts"

export interface PublishOptions<User extends AuthenticatedUser, C extends Contract> {
  /** Session that does not receive the event. Default: none. */
  readonly except?: Session<User, C>
}

/** A topic of a server. `server.topic(name)` returns one for any name, also for a topic without sessions. */
export interface Topic<User extends AuthenticatedUser, C extends Contract> {
  /** Name of the topic. */
  readonly name: string
  /**
   * Sends an event to the members and subscribers of the topic, encoded once per profile, without waiting for a socket.
   * Returns the number of recipients.
   * @throws like `server.broadcast`, also without recipients.
   */
  publish<K extends EventName<C>>(
    event: K,
    payload: SentPayload<C, K> | Encoded<ValidPayload<C, K>>,
    options?: PublishOptions<User, C>,
  ): number
  /**
   * Adds a session as a subscriber. Its client sends no request, receives no notice, and is not in the presence list.
   * Idempotent. The subscription ends with the session.
   * @throws TypeError for a session of another server.
   */
  subscribe(session: Session<User, C>): void
  /** Removes a session. A member that joined by itself receives a notice with `forbidden`; a subscriber receives none. */
  unsubscribe(session: Session<User, C>): void
  /** Number of members and subscribers. */
  readonly size: number
}
