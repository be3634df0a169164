// Declares the frames of both profiles as one union. Codecs convert it to bytes and back. Must not know bytes.
import type { ErrorCategory } from "../base/errors.ts"
import type { CallKind } from "../contract/contract.ts"
import type { MessageLimits } from "./message-limits.ts"

/**
 * Correlates a reply with its request: in `hawser.1` the request's message number, in `2.0` the client's string id, or null.
 * Opaque above the session layer.
 */
export type Reference = number | string | null

/** An error in a frame. */
export interface WireError {
  /** A code of the error table, or a code of the application. */
  readonly code: string
  /** Sentence for a person. */
  readonly message: string
  /** Cause of the error. */
  readonly category: ErrorCategory
  /** Time after which the same call may succeed, in milliseconds. Absent: unknown. */
  readonly retryAfterMs?: number
  /** Machine-readable facts. Absent: none. */
  readonly details?: Readonly<Record<string, unknown>>
}

/** First frame of a client: authenticates, and claims a session. */
export interface HelloFrame {
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
  /** Digest of these messages. */
  readonly digest: number
}

/** First frame of a server: opens or resumes a session. */
export interface WelcomeFrame {
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
  /** Digest of the received messages. */
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

/** A reliable event without a topic. */
export interface EventFrame {
  readonly kind: "event"
  readonly type: string
  readonly payload: unknown
}

/** A command, a query or the opening of a stream. */
export interface RequestFrame {
  readonly kind: "request"
  /** Kind of the request, from the envelope of `2.0`. Undefined in `hawser.1`: the contract determines it. */
  readonly call: CallKind | undefined
  /** Name of the request. */
  readonly type: string
  /** Input of the request. */
  readonly payload: unknown
  /** Time limit of the caller, in milliseconds; 0: none was sent. */
  readonly budgetMs: number
  /** Idempotency key: requests of one user with the same key are executed once. */
  readonly key?: string
  /** Reference for the reply. */
  readonly reference: Reference
}

/** The reply to a request. */
export interface ReplyFrame {
  readonly kind: "reply"
  /** Reference of the request. */
  readonly reference: Reference
  /** Kind of the answered request. Only the server sets it, for `2.0`. */
  readonly call?: CallKind
  /** Name of the request. Absent: unknown. */
  readonly type?: string
  /** Output or error. */
  readonly outcome:
    | { readonly ok: true; readonly payload: unknown }
    | { readonly ok: false; readonly error: WireError }
}

/** Author of a publication. The server sets it; a client cannot. */
export interface Author {
  /** Id of the user. */
  readonly user: string
  /** Member id of the author's session in the topic. Absent: it is not a member. */
  readonly member?: number
}

/** A reliable publication in a topic. */
export interface TopicEventFrame {
  readonly kind: "topicEvent"
  readonly topic: string
  /** Offset of the publication in its topic, the same for every recipient. */
  readonly offset: number
  readonly type: string
  readonly payload: unknown
  /** Absent: published by the server. */
  readonly author?: Author
}

/** A volatile event, with or without a topic. */
export interface VolatileFrame {
  readonly kind: "volatile"
  readonly type: string
  readonly payload: unknown
  /** Conflation key: a queued value of the same key is replaced. Undefined: none. */
  readonly key: string | undefined
  /** Topic of the publication. Absent: not published to a topic. With a key, it is the first line of the key. */
  readonly topic?: string
  /** Absent: published by the server. */
  readonly author?: Author
}

/** One item of a streaming reply. */
export interface ItemFrame {
  readonly kind: "item"
  readonly reference: Reference
  readonly payload: unknown
}

/** The last frame of a streaming reply. */
export interface EndFrame {
  readonly kind: "end"
  readonly reference: Reference
  /** Error of the stream; undefined: it ended normally. */
  readonly error: WireError | undefined
}

/** Cancels a request of the sender. */
export interface CancelFrame {
  readonly kind: "cancel"
  readonly reference: Reference
}

/** Grants credit: the reader of a streaming reply accepts `items` more. */
export interface CreditFrame {
  readonly kind: "credit"
  readonly reference: Reference
  /** Additional items that the reader accepts. */
  readonly items: number
}

/** Declares a replica on this connection: its number, name and schema. */
export interface ReplicaFrame {
  readonly kind: "replica"
  /** Number of the replica on this connection. */
  readonly replica: number
  /** Name of the replica in the contract. */
  readonly name: string
  /** Wire form of `ReplicaSchema`; the reader checks it. */
  readonly schema: unknown
  /** Identifies one sequence of versions: equal versions of different epochs are different states. Absent: an older server. */
  readonly epoch?: string
  /** Topic of the replica. Absent: it belongs to none. */
  readonly topic?: string
}

/** Changes of a replica's cells. `bytes` is the whole frame; `readReplicaFrame` decodes it. */
export interface ReplicaPartsFrame {
  readonly kind: "replicaParts"
  readonly bytes: Uint8Array
}

/** Cells of a replica that a resuming client holds. */
export interface ReplicaHold {
  /** Name of the replica. */
  readonly replica: string
  /** Epoch and topic from REPLICA. */
  readonly epoch?: string
  readonly topic?: string
  /** Held cells with their versions. */
  readonly cells: readonly { readonly x: number; readonly y: number; readonly version: number }[]
}

/** `drain`: another listener takes the client. `shutdown`: the process ends. */
export type GoawayIntent = "drain" | "shutdown"

/** Lists the replica cells that a resuming client holds. */
export interface HaveFrame {
  readonly kind: "have"
  readonly held: readonly ReplicaHold[]
}

/** Any frame. */
export type Frame =
  | HelloFrame
  | WelcomeFrame
  /** A fresh token on a live connection (`auth`), the server's request for one, and its answer. */
  | { readonly kind: "auth"; readonly token: string }
  | { readonly kind: "authRequest"; readonly expiresInMs: number }
  | { readonly kind: "authOk"; readonly expiresInMs: number | null }
  /**
   * Acknowledges messages up to `handled`. `stateFrames`: number of volatile frames received on this connection; absent:
   * unchanged.
   */
  | { readonly kind: "ack"; readonly handled: number; readonly stateFrames?: number }
  /** Cancels requests by their message numbers. A listed request that arrives later is settled without running. */
  | { readonly kind: "void"; readonly references: readonly number[] }
  /** The session has ended at the sender; it has received `count` reliable messages. */
  | { readonly kind: "reset"; readonly cause: string; readonly count: number }
  /** Number and digest of the reliable messages before this frame. */
  | { readonly kind: "sync"; readonly count: number; readonly digest: number }
  | { readonly kind: "ping"; readonly number: number; readonly handled: number }
  | { readonly kind: "pong"; readonly number: number; readonly handled: number }
  | {
      readonly kind: "goaway"
      readonly reason: string
      readonly startInMs: number
      readonly deadlineMs: number
      /** Absent: an older server. */
      readonly intent?: GoawayIntent
      /** Address of the server that takes the client. Absent: the same one. */
      readonly address?: string
      /** Time from the end of this connection to the next dial, in milliseconds. Absent: the client's strategy decides. */
      readonly backInMs?: number
    }
  | { readonly kind: "busy"; readonly retryAfterMs: number }
  | { readonly kind: "bye"; readonly code: string; readonly message: string }
  /** A control frame of a later version. The receiver ignores it. */
  | { readonly kind: "unknownControl" }
  | EventFrame
  | RequestFrame
  | ReplyFrame
  | ItemFrame
  | EndFrame
  | CancelFrame
  | CreditFrame
  | TopicEventFrame
  | VolatileFrame
  | ReplicaFrame
  | ReplicaPartsFrame
  | HaveFrame

/** Result of decoding invalid bytes. `reference`: reference for an error reply, if it is known. */
export interface BadFrame {
  readonly kind: "bad"
  readonly reference: Reference
  readonly error: WireError
}
