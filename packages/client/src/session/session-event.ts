// Events of a client's session. The status of its connection is separate.
import type { PendingRequest } from "../calls/requests.ts"

/** Event of a session, from `client.onSession()`. */
export type SessionEvent =
  /** A new session has begun. The server has no state of an earlier one. */
  | {
      readonly kind: "opened"
      /** Id of the new session. */
      readonly sessionId: string
    }
  /** The session was resumed on a new connection. No reliable message was lost, repeated or reordered. */
  | {
      readonly kind: "resumed"
      /** Id of the resumed session. */
      readonly sessionId: string
      /** Time without a connection, in milliseconds. */
      readonly outageMs: number
    }
  /** The session has ended. Messages after the last received one are lost: load application state again. */
  | {
      readonly kind: "reset"
      /** Id of the ended session. */
      readonly sessionId: string
      /** Error code: of the error table, or of the application. `client_closed` after `close()`. */
      readonly cause: string
      /** Requests with an unknown outcome. Each has rejected; the client does not send them again. */
      readonly unacknowledged: readonly PendingRequest[]
    }
  /** The outage has lasted for `limits.prolongedOutageMs`, in milliseconds. Emitted once per outage. */
  | { readonly kind: "prolonged"; readonly outageMs: number }
