// What a client tells about its session, beside the state of its connection.
import type { PendingRequest } from "../calls/requests.ts"

export type SessionEvent =
  /** A new session: nothing of an earlier one is known to the server. */
  | { readonly kind: "opened"; readonly sessionId: string }
  /** The session goes on on a new connection; nothing was lost, repeated or reordered. */
  | {
      readonly kind: "resumed"
      readonly sessionId: string
      /** Milliseconds without a connection. */
      readonly outageMs: number
    }
  /** The session is over. What the server sent after the last message received is lost; load again what matters. */
  | {
      readonly kind: "reset"
      readonly sessionId: string
      /** A code of the error table, or one of the application. `client_closed` after `close()`. */
      readonly cause: string
      /** Requests whose outcome is unknown; each has rejected. They are never sent again by themselves. */
      readonly unacknowledged: readonly PendingRequest[]
    }
  /** The connection has been away for longer than `prolongedOutageMs`. Told once per outage. */
  | { readonly kind: "prolonged"; readonly outageMs: number }
