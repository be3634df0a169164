// One neutral union of everything that can travel, for both profiles. Codecs turn bytes into it and back.
import type { ErrorCategory } from "../errors.ts"

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

export type CallKind = "command" | "query"

export interface HelloFrame {
  readonly kind: "hello"
  readonly version: number
  readonly token: string
  /** `2.0` only: the id that an error reply should carry. */
  readonly reference: Reference
}

export interface WelcomeFrame {
  readonly kind: "welcome"
  readonly sessionId: string
  /** Messages of this client that were accepted, and that were settled. */
  readonly received: number
  readonly handled: number
  /** Milliseconds until the token expires; null when it does not. */
  readonly expiresInMs: number | null
  readonly maxMessageBytes: number
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

export interface TopicEventFrame {
  readonly kind: "topicEvent"
  readonly topic: string
  /** The publication's number in its topic, the same for every recipient. */
  readonly offset: number
  readonly type: string
  readonly payload: unknown
}

export interface VolatileFrame {
  readonly kind: "volatile"
  readonly type: string
  readonly payload: unknown
  /** With a key, a waiting value of the same key is replaced. */
  readonly key: string | undefined
}

export type Frame =
  | HelloFrame
  | WelcomeFrame
  | { readonly kind: "ping"; readonly number: number; readonly handled: number }
  | { readonly kind: "pong"; readonly number: number; readonly handled: number }
  | {
      readonly kind: "goaway"
      readonly reason: string
      readonly startInMs: number
      readonly deadlineMs: number
    }
  | { readonly kind: "busy"; readonly retryAfterMs: number }
  | { readonly kind: "bye"; readonly code: string; readonly message: string }
  | { readonly kind: "cancel"; readonly reference: Reference }
  | EventFrame
  | RequestFrame
  | ReplyFrame
  | TopicEventFrame
  | VolatileFrame

/** Bytes that are no frame. `reference` is what an error reply can still name. */
export interface BadFrame {
  readonly kind: "bad"
  readonly reference: Reference
  readonly error: WireError
}
