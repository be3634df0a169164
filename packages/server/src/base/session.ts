// Public type of a session, for handlers and hooks. `server-session.ts` implements it.
import type { Contract, Encoded, EventName, SentPayload, ValidPayload } from "@hawser/protocol"
import type { AuthenticatedUser } from "./authenticate.ts"

/**
 * Outcome of sending one message. `sent`: written to the connection. `buffered`: in the send buffer until the socket is below
 * its high-water mark or the session resumes. `conflated`: queued as the latest value of its key. `dropped`: volatile without
 * a key, and the connection is slow or the session detached. `ended`: the session has ended. `held`: sent at the end of the
 * function of `server.atomic`, or of the handler, unless that throws.
 */
export type SendOutcome = "sent" | "buffered" | "conflated" | "dropped" | "ended" | "held"

/** Cause of a session's end: a code of the error table, `closed` (by the client), `text_message`, or a code of the application. */
export type EndCause = string

/** Session of one client. It survives lost connections and ends once. */
export interface Session<User extends AuthenticatedUser, C extends Contract = Contract> {
  /** Unique id, 128 random bits by default (option `sessionId`). Never reused. */
  readonly id: string
  /** Last result of `authenticate`. A renewed token or a resume may change it, except for the id. */
  readonly user: User
  /** Address of the current connection; of the last one while detached. */
  readonly address: string
  /** True until the session ends. */
  readonly active: boolean
  /** True while the session has a connection. False while it waits for a resume, and after its end. */
  readonly attached: boolean
  /**
   * Sends one event. Network faults never throw; the outcome reports them. A full send buffer ends the session with
   * `session_overflow`.
   * @throws TypeError for an event that the contract lacks. HawserError `invalid_input` with the issues of a payload that does
   * not fit its schema, or `message_too_large`.
   */
  send<K extends EventName<C>>(
    event: K,
    payload: SentPayload<C, K> | Encoded<ValidPayload<C, K>>,
  ): SendOutcome
  /**
   * Ends the session. Its client does not reconnect. Does nothing on an ended session. Inside `server.atomic` and a handler the
   * session ends after it, unless that throws.
   * @param code cause of the end; default `forbidden`.
   * @param message text for the user; 123 bytes of it fit into the close frame. Default: the sentence of the code.
   */
  end(code?: string, message?: string): void
}
