// What handlers and hooks see of a session. The class behind it is server-session.ts.
import type { Contract, Encodable, EventName, EventPayload } from "@hawser/protocol"
import type { AuthenticatedUser } from "../authenticate.ts"

/**
 * What became of a message. `sent`: handed to the connection. `conflated`: a keyed volatile value waits for the slow
 * connection. `dropped`: a volatile value was not sent, the connection is slow. `ended`: the session is over.
 */
export type SendOutcome = "sent" | "conflated" | "dropped" | "ended"

/** Why a session ended: a code of the error table, or `closed` when the client closed it. */
export type EndCause = string

/** One user's connection to the server, as the application sees it. */
export interface Session<User extends AuthenticatedUser, C extends Contract = Contract> {
  /** 128 random bits, never reused. */
  readonly id: string
  /** What `authenticate` returned. */
  readonly user: User
  readonly address: string
  /** False once the session has ended; it never becomes true again. */
  readonly active: boolean
  /** Sends one event. The outcome says what became of it; nothing is thrown for a network's fault. */
  send<K extends EventName<C>>(event: K, payload: Encodable<EventPayload<C, K>>): SendOutcome
  /**
   * Ends the session; its client does not reconnect by itself. Default code `forbidden`.
   * @param message for the person at the other end, ≤ 123 bytes are certain to arrive.
   */
  end(code?: string, message?: string): void
}
