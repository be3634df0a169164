// One neutral union of everything that can travel, for both profiles. Codecs turn bytes into it and back.
import type { ErrorCategory } from "../base/errors.ts"
import type { CallKind } from "../contract/contract.ts"
import type { MessageLimits } from "./message-limits.ts"

/**
 * What ties a reply to its request: in `hawser.1` the request's own number in its direction,
 * in `2.0` the client's string id, or null. Opaque above the session layer.
 */
export type Reference = number | string | null

/** An error as it travels. */
export interface WireError {
  readonly code: string
  readonly message: string
  readonly category: ErrorCategory
  readonly retryAfterMs?: number
  readonly details?: Readonly<Record<string, unknown>>
}

export interface HelloFrame {
  readonly kind: "hello"
  readonly version: number
  readonly token: string
  /** `2.0` only: the id that an error reply should carry. */
  readonly reference: Reference
  /** Random, the same for all dials of one client: tells its own late arrivals from other clients. */
  readonly clientId: string
  /** Counts this client's dials. */
  readonly dial: number
  /** The session that this client wants to go on with. */
  readonly resume?: ResumeClaim
  /** Bounds of the client's reader. Absent: `clientMessageLimits`. */
  readonly limits?: MessageLimits
  /** Name of the client's contract. */
  readonly contract?: string
}

/** What a client presents to go on with its session on a new connection. */
export interface ResumeClaim {
  readonly sessionId: string
  /** The resume token of the last WELCOME that the client received. */
  readonly token: string
  /** Reliable messages of the server that the client has handled, and their digest. */
  readonly handled: number
  readonly digest: number
}

export interface WelcomeFrame {
  readonly kind: "welcome"
  readonly sessionId: string
  /** Null where sessions cannot be resumed. */
  readonly resumeToken: string | null
  /** True when the session goes on; false for a new one. */
  readonly resumed: boolean
  /** Why the session that was asked for did not go on. */
  readonly refusal?: string
  /** Messages of this client that were accepted (not to be sent again), and that were settled (to be let go). */
  readonly received: number
  readonly handled: number
  /** The digest of the accepted ones. */
  readonly digest: number
  /** Milliseconds until the token expires; null when it does not. */
  readonly expiresInMs: number | null
  /** Bounds of the server's reader. Where an older server names the size alone, the others are `serverMessageLimits`. */
  readonly limits: MessageLimits
  /** The server's table of type names; a type's number is its place. Empty in `2.0`. */
  readonly types: readonly string[]
  /** `2.0` only: the payload of `event_welcome`. */
  readonly payload?: unknown
}

export interface EventFrame {
  readonly kind: "event"
  readonly type: string
  readonly payload: unknown
}

export interface RequestFrame {
  readonly kind: "request"
  /** Known from the envelope in `2.0`; in `hawser.1` the contract tells. */
  readonly call: CallKind | undefined
  readonly type: string
  readonly payload: unknown
  /** Milliseconds the caller is willing to wait; 0 when it did not say. */
  readonly budgetMs: number
  /** Idempotency key: requests of one user with the same key are executed once. */
  readonly key?: string
  readonly reference: Reference
}

export interface ReplyFrame {
  readonly kind: "reply"
  readonly reference: Reference
  /** Which call it answers; only the server sets it, only `2.0` needs it. */
  readonly call?: CallKind
  readonly type?: string
  readonly outcome:
    | { readonly ok: true; readonly payload: unknown }
    | { readonly ok: false; readonly error: WireError }
}

/** The session that caused a publication. The server sets it; a client cannot. */
export interface Author {
  /** Id of its user. */
  readonly user: string
  /** Id of its member in the topic, if it is one. */
  readonly member?: number
}

export interface TopicEventFrame {
  readonly kind: "topicEvent"
  readonly topic: string
  /** The publication's number in its topic, the same for every recipient. */
  readonly offset: number
  readonly type: string
  readonly payload: unknown
  /** Absent: published by the server. */
  readonly author?: Author
}

export interface VolatileFrame {
  readonly kind: "volatile"
  readonly type: string
  readonly payload: unknown
  /** With a key, a waiting value of the same key is replaced. */
  readonly key: string | undefined
  /** The topic that published it, if one did. Of a value with a key it is the first line of the key. */
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
  readonly error: WireError | undefined
}

export interface CancelFrame {
  readonly kind: "cancel"
  readonly reference: Reference
}

/** The reader of a streaming reply takes `items` more. */
export interface CreditFrame {
  readonly kind: "credit"
  readonly reference: Reference
  readonly items: number
}

/** What the records of a replica consist of, and by which number this connection knows it. */
export interface ReplicaFrame {
  readonly kind: "replica"
  readonly replica: number
  readonly name: string
  /** As `ReplicaSchema` writes it; looked at by whoever reads it. */
  readonly schema: unknown
  /** Names the life of the replica's versions: the same version of two epochs is two states. */
  readonly epoch?: string
  /** The topic that the replica belongs to, if it does. */
  readonly topic?: string
}

/** Changes of a replica's cells; `bytes` is the whole frame, read by `readReplicaFrame`. */
export interface ReplicaPartsFrame {
  readonly kind: "replicaParts"
  readonly bytes: Uint8Array
}

/** Cells of a replica that a client which came back still holds. */
export interface ReplicaHold {
  readonly replica: string
  /** As REPLICA named them. */
  readonly epoch?: string
  readonly topic?: string
  readonly cells: readonly { readonly x: number; readonly y: number; readonly version: number }[]
}

export type GoawayIntent = "drain" | "shutdown"

export interface HaveFrame {
  readonly kind: "have"
  readonly held: readonly ReplicaHold[]
}

export type Frame =
  | HelloFrame
  | WelcomeFrame
  /** A fresh token on a live connection, the server's wish for one, and its answer. */
  | { readonly kind: "auth"; readonly token: string }
  | { readonly kind: "authRequest"; readonly expiresInMs: number }
  | { readonly kind: "authOk"; readonly expiresInMs: number | null }
  /**
   * Everything up to `handled` is settled. `stateFrames` counts the frames of the volatile class that were received on
   * this connection; absent, it is unchanged.
   */
  | { readonly kind: "ack"; readonly handled: number; readonly stateFrames?: number }
  /** Requests by their counts: their callers have given up. Those that arrive later are settled without running. */
  | { readonly kind: "void"; readonly references: readonly number[] }
  /** The session is over at this end; `count` reliable messages were received in it. */
  | { readonly kind: "reset"; readonly cause: string; readonly count: number }
  /** `count` reliable messages came before this frame; `digest` stands for them. */
  | { readonly kind: "sync"; readonly count: number; readonly digest: number }
  | { readonly kind: "ping"; readonly number: number; readonly handled: number }
  | { readonly kind: "pong"; readonly number: number; readonly handled: number }
  | {
      readonly kind: "goaway"
      readonly reason: string
      readonly startInMs: number
      readonly deadlineMs: number
      /** `drain`: another listener takes the client. `shutdown`: the process ends. Absent: an older server. */
      readonly intent?: GoawayIntent
      /** Address of the server that takes the client. Absent: the same one. */
      readonly address?: string
      /** Time from the end of this connection to the next dial, in milliseconds. Absent: the client's strategy decides. */
      readonly backInMs?: number
    }
  | { readonly kind: "busy"; readonly retryAfterMs: number }
  | { readonly kind: "bye"; readonly code: string; readonly message: string }
  /** A control frame of a later version: to be ignored. */
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

/** Bytes that are no frame. `reference` is what an error reply can still name. */
export interface BadFrame {
  readonly kind: "bad"
  readonly reference: Reference
  readonly error: WireError
}
