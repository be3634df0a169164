// Declares the frames that open a connection: HELLO and WELCOME. Must not know bytes.
import type { MessageLimits } from "./message-limits.ts"
import type { Reference } from "./reference.ts"

/** First frame of a client: authenticates, and claims a session. */
export interface HelloFrame {
  /** Frame kind: HELLO (`01`). */
  readonly kind: "hello"
  /** Wire version of the client. */
  readonly version: number
  /** Token of the user. */
  readonly token: string
  /** `2.0` only: the id for an error reply. */
  readonly reference: Reference
  /** Random id, the same for all dials of one client. It distinguishes the client's own late dials from other clients. */
  readonly clientId: string
  /** Number of this dial of the client. */
  readonly dial: number
  /** Claim to resume a session. Absent: the client requests a new one. */
  readonly resume?: ResumeClaim
  /** Bounds of the client's reader. Absent: `clientMessageLimits`. */
  readonly limits?: MessageLimits
  /** Name of the client's contract. */
  readonly contract?: string
}

/** Claim of a client to resume its session on a new connection. */
export interface ResumeClaim {
  /** Id of the claimed session. */
  readonly sessionId: string
  /** The resume token of the last WELCOME that the client received. */
  readonly token: string
  /** Number of the server's reliable messages that the client has handled. */
  readonly handled: number
  /** Digest of these messages (N3): 32 bits, unsigned. */
  readonly digest: number
}

/** First frame of a server: opens or resumes a session. */
export interface WelcomeFrame {
  /** Frame kind: WELCOME (`02`). */
  readonly kind: "welcome"
  /** Id of the session; empty in `2.0`. */
  readonly sessionId: string
  /** Resume token; null: the session cannot be resumed. */
  readonly resumeToken: string | null
  /** True for a resumed session, false for a new one. */
  readonly resumed: boolean
  /** Cause why the claimed session was not resumed. Absent: there was no claim, or it was resumed. */
  readonly refusal?: string
  /** Number of this client's messages that the server has received. They are not retransmitted. */
  readonly received: number
  /** Number of this client's messages that are handled. They leave the send buffer. */
  readonly handled: number
  /** Digest of the received messages (N3): 32 bits, unsigned. */
  readonly digest: number
  /** Remaining lifetime of the token, in milliseconds; null: it does not expire. */
  readonly expiresInMs: number | null
  /** Bounds of the server's reader. If an older server sends only the size, the others are those of `serverMessageLimits`. */
  readonly limits: MessageLimits
  /** The server's table of type names; a type's number is its index. Empty in `2.0`. */
  readonly types: readonly string[]
  /** `2.0` only: the payload of `event_welcome`. */
  readonly payload?: unknown
}
