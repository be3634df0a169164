// What handlers and hooks see of a session. The class behind it is server-session.ts.
import type { Contract, Encodable, EventName, EventPayload } from "@hawser/protocol"
import type { AuthenticatedUser } from "./authenticate.ts"

/**
 * What became of a message. `sent`: handed to the connection. `buffered`: kept until the connection takes it, or the
 * client comes back. `conflated`: a keyed volatile value waits, the latest wins. `dropped`: a volatile value was not
 * sent, the connection is slow or away. `ended`: the session is over.
 */
export type SendOutcome = "sent" | "buffered" | "conflated" | "dropped" | "ended"

/** Why a session ended: a code of the error table, or `closed` when the client closed it. */
export type EndCause = string

/** One client's stay at the server: outlives lost connections, ends once. */
export interface Session<User extends AuthenticatedUser, C extends Contract = Contract> {
  /** 128 random bits, never reused. */
  readonly id: string
  /** What `authenticate` returned last: a fresh token, or a return, may bring other permissions. */
  readonly user: User
  /** Of the connection of now, or of the last one. */
  readonly address: string
  /** False once the session has ended; it never becomes true again. */
  readonly active: boolean
  /** False while its client is away and may still come back. */
  readonly attached: boolean
  /** Sends one event. The outcome says what became of it; nothing is thrown for a network's fault. */
  send<K extends EventName<C>>(event: K, payload: Encodable<EventPayload<C, K>>): SendOutcome
  /**
   * Ends the session; its client does not reconnect by itself. Default code `forbidden`.
   * @param message for the person at the other end, ≤ 123 bytes are certain to arrive.
   */
  end(code?: string, message?: string): void
}
