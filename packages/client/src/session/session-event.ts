// Events of a client's session. The status of its connection is separate.
import type { PendingRequest } from "../calls/pending-request.ts"

/** Event of a session, from `client.onSession()`. */
export type SessionEvent =
  | {
      /** Kind of the event: a new session has begun. The server has no state of an earlier one. */
      readonly kind: "opened"
      /** Id of the new session. */
      readonly sessionId: string
    }
  | {
      /** Kind of the event: the session was resumed. No reliable message was lost, repeated or reordered. */
      readonly kind: "resumed"
      /** Id of the resumed session. */
      readonly sessionId: string
      /** Time without a connection, in milliseconds. */
      readonly outageMs: number
    }
  | {
      /**
       * Kind of the event: the session has ended. Messages after the last received one are lost: load application state
       * again.
       */
      readonly kind: "reset"
      /** Id of the ended session. */
      readonly sessionId: string
      /** Error code: of the error table, or of the application. `client_closed` after `close()`. */
      readonly cause: string
      /** Requests with an unknown outcome. Each has rejected; the client does not send them again. */
      readonly unacknowledged: readonly PendingRequest[]
    }
  | {
      /** Kind of the event: the outage has lasted for `limits.prolongedOutageMs`. Emitted once per outage. */
      readonly kind: "prolonged"
      /** Time without a connection so far, in milliseconds: `limits.prolongedOutageMs`. */
      readonly outageMs: number
    }
