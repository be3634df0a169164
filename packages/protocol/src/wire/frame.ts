// Declares the frames of both profiles as one union. Codecs convert it to bytes and back. Must not know bytes.
import type { ErrorCategory } from "../base/errors.ts"
import type { CallKind } from "../contract/contract.ts"
import type { MessageLimits } from "./message-limits.ts"
import type { ReplicaHold } from "./replica-hold.ts"

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
  /** Number of reliable messages that the client has sent on its connections until now. Requests among them may have begun. */
  readonly sent: number
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

/** A reliable event without a topic. */
export interface EventFrame {
  /** Frame kind: EVENT (`40`). */
  readonly kind: "event"
  /** Name of the event. */
  readonly type: string
  /** Payload of the event. */
  readonly payload: unknown
}

/** A command, a query or the opening of a stream. */
export interface RequestFrame {
  /** Frame kind: REQ (`41`). */
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
  /** Frame kind: RES (`42`). */
  readonly kind: "reply"
  /** Reference of the request. */
  readonly reference: Reference
  /** Kind of the answered request. Only the server sets it, for `2.0`. */
  readonly call?: CallKind
  /** Name of the request. Absent: unknown. */
  readonly type?: string
  /** Output or error. */
  readonly outcome:
    | {
        /** True: the request succeeded. */
        readonly ok: true
        /** Output of the request. */
        readonly payload: unknown
      }
    | {
        /** False: the request failed. */
        readonly ok: false
        /** Error of the request. */
        readonly error: WireError
      }
}

/** Author of a publication of a client. The server writes it; a client cannot. */
export interface Author {
  /** Id of the user whose session published. */
  readonly user: string
  /** Number of that session's member in the topic, its `id` in the presence list. Absent: it was not a member. */
  readonly member?: number
}

/** A reliable publication in a topic. */
export interface TopicEventFrame {
  /** Frame kind: CHAN (`46`). */
  readonly kind: "topicEvent"
  /** Name of the topic. */
  readonly topic: string
  /** Offset of the publication in its topic, the same for every recipient. */
  readonly offset: number
  /** Name of the event. */
  readonly type: string
  /** Payload of the event. */
  readonly payload: unknown
  /** Absent: published by the server. */
  readonly author?: Author
}

/** A volatile event, with or without a topic. */
export interface VolatileFrame {
  /** Frame kind: VEVENT (`80`), or VKEYED (`81`) with a key. */
  readonly kind: "volatile"
  /** Name of the event. */
  readonly type: string
  /** Payload of the event. */
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
  /** Frame kind: ITEM (`43`). */
  readonly kind: "item"
  /** Reference of the request that opened the stream. */
  readonly reference: Reference
  /** Payload of the item. */
  readonly payload: unknown
}

/** The last frame of a streaming reply. */
export interface EndFrame {
  /** Frame kind: END (`44`). */
  readonly kind: "end"
  /** Reference of the request that opened the stream. */
  readonly reference: Reference
  /** Error of the stream; undefined: it ended normally. */
  readonly error: WireError | undefined
}

/** Cancels a request of the sender. */
export interface CancelFrame {
  /** Frame kind: CANCEL (`45`). */
  readonly kind: "cancel"
  /** Reference of the cancelled request. */
  readonly reference: Reference
}

/** Grants credit: the reader of a streaming reply accepts `items` more. */
export interface CreditFrame {
  /** Frame kind: CREDIT (`47`). */
  readonly kind: "credit"
  /** Reference of the request that opened the stream. */
  readonly reference: Reference
  /** Additional items that the reader accepts. */
  readonly items: number
}

/** Declares a replica on this connection: its number, name and schema. */
export interface ReplicaFrame {
  /** Frame kind: REPLICA (`83`). */
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
  /** Frame kind: CELLS (`82`). */
  readonly kind: "replicaParts"
  /** Bytes of the frame, its first byte included. */
  readonly bytes: Uint8Array
}

/** `drain`: another listener takes the client. `shutdown`: the process ends. */
export type GoawayIntent = "drain" | "shutdown"

/** Lists the replica cells that a resuming client holds. */
export interface HaveFrame {
  /** Frame kind: HAVE (`0e`). */
  readonly kind: "have"
  /** Held cells, by replica. */
  readonly held: readonly ReplicaHold[]
}

/** Frame that both ends send. */
export type CommonFrame =
  | {
      /** Frame kind: ACK (`06`). */
      readonly kind: "ack"
      /** Number of the receiver's messages that the sender has handled. */
      readonly handled: number
      /** Number of volatile frames that the sender received on this connection. Absent: unchanged. */
      readonly stateFrames?: number
    }
  | {
      /** Frame kind: PING (`07`). */
      readonly kind: "ping"
      /** Number that the PONG repeats. */
      readonly number: number
      /** Number of the receiver's messages that the sender has handled. */
      readonly handled: number
    }
  | {
      /** Frame kind: PONG (`08`). */
      readonly kind: "pong"
      /** Number of the PING. */
      readonly number: number
      /** Number of the receiver's messages that the sender has handled. */
      readonly handled: number
    }
  | {
      /** Frame kind: RESET (`0a`). The session has ended at the sender. */
      readonly kind: "reset"
      /** Error code of the end. */
      readonly cause: string
      /** Number of reliable messages that the sender has received. */
      readonly count: number
    }
  | {
      /** Frame kind: SYNC (`0b`). */
      readonly kind: "sync"
      /** Number of the sender's reliable messages before this frame. */
      readonly count: number
      /** Digest of these messages (N3): 32 bits, unsigned. */
      readonly digest: number
    }
  | {
      /** Frame kind: BYE (`0d`). The sender refuses the log-in or ends the session. */
      readonly kind: "bye"
      /** Error code of the refusal or end. */
      readonly code: string
      /** Sentence for a person; empty: none. */
      readonly message: string
      /** Machine-readable facts of the application's error. Absent: none. */
      readonly details?: Readonly<Record<string, unknown>>
    }
  | {
      /** Frame kind: a control frame of a later version (W8). The receiver ignores it. */
      readonly kind: "unknownControl"
    }

/** Frame that only a client sends. */
export type ClientFrame =
  | HelloFrame
  | {
      /** Frame kind: AUTH (`03`), a fresh token on an open connection. */
      readonly kind: "auth"
      /** Token of the user. */
      readonly token: string
    }
  | {
      /** Frame kind: VOID (`0f`). It cancels requests; one that arrives later is settled without running. */
      readonly kind: "void"
      /** Message numbers of the cancelled requests. */
      readonly references: readonly number[]
    }
  | HaveFrame
  | RequestFrame
  | CancelFrame
  | CreditFrame

/** Frame that only a server sends. */
export type ServerFrame =
  | WelcomeFrame
  | {
      /** Frame kind: AUTHREQ (`04`), the server's request for a fresh token. */
      readonly kind: "authRequest"
      /** Remaining lifetime of the current token, in milliseconds. */
      readonly expiresInMs: number
    }
  | {
      /** Frame kind: AUTHOK (`05`), the answer to an accepted AUTH. */
      readonly kind: "authOk"
      /** Remaining lifetime of the new token, in milliseconds; null: it does not expire. */
      readonly expiresInMs: number | null
    }
  | {
      /** Frame kind: GOAWAY (`09`). The connection will be closed. */
      readonly kind: "goaway"
      /** Reason as a text: `moving` for a drain, the sentence of `server_shutdown` for a shutdown. */
      readonly reason: string
      /** Delay before the client dials another connection, in milliseconds. Only a drain uses it. */
      readonly startInMs: number
      /** Time until the server closes the connection, in milliseconds. */
      readonly deadlineMs: number
      /** Absent: an older server. */
      readonly intent?: GoawayIntent
      /** Address of the server that takes the client. Absent: the same one. */
      readonly address?: string
      /** Time from the end of this connection to the next dial, in milliseconds. Absent: the client's strategy decides. */
      readonly backInMs?: number
    }
  | {
      /** Frame kind: BUSY (`0c`). It announces a close after which the client dials again. */
      readonly kind: "busy"
      /** Least delay before the next dial, in milliseconds. */
      readonly retryAfterMs: number
    }
  | {
      /** Frame kind: THROTTLED (`10`). A limit of the user delays the messages of this session. */
      readonly kind: "throttled"
      /** Name of the limit, an option of the server's `limits`. */
      readonly limit: string
      /** Time for which the notice holds, in milliseconds; another notice extends it. */
      readonly forMs: number
    }
  | EventFrame
  | ReplyFrame
  | ItemFrame
  | EndFrame
  | TopicEventFrame
  | VolatileFrame
  | ReplicaFrame
  | ReplicaPartsFrame

/** Any frame. */
export type Frame = CommonFrame | ClientFrame | ServerFrame

/** Result of decoding invalid bytes. */
export interface BadFrame {
  /** Frame kind: none, because the bytes are invalid. */
  readonly kind: "bad"
  /** Reference for an error reply; null: unknown. */
  readonly reference: Reference
  /** Error that the bytes cause. */
  readonly error: WireError
}
