// Port of a session for requests and streams: the session sends them.
import type { Encoded, MessageLimits } from "@hawser/protocol"
import type { CallKind, Reference } from "@hawser/protocol/core"

/** Kind of a request. */
export type RequestKind = CallKind | "stream"

/** One request as a session sends it. */
export interface OutgoingRequest {
  /** Kind of the request. */
  readonly call: RequestKind
  /** Name of the request in the contract. */
  readonly name: string
  /** Encoded at the call; undefined for a request without input. */
  readonly input: Encoded<unknown> | undefined
  /** Remaining time to live, in milliseconds; 0: the server's own limit. */
  readonly budgetMs: number
  /** Idempotency key; undefined: none. */
  readonly key: string | undefined
}

/**
 * Outcome of a request. `taken`: sent, or buffered for the next connection. `full`: the send buffer is full; `onRoom` reports
 * when it may have space. `dead`: the connection takes nothing more, and the session ends with it.
 */
export type RequestOutcome =
  | {
      /** Outcome of an accepted request. */
      readonly outcome: "taken"
      /** Reference that the reply carries. */
      readonly reference: Reference
      /** Length of the message, in bytes. */
      readonly bytes: number
    }
  | {
      /** Outcome of a request that was not accepted. */
      readonly outcome: "full" | "dead"
      /** Undefined: no reply follows. */
      readonly reference: undefined
      /** Length of the message, in bytes. */
      readonly bytes: number
    }

export interface Carrier {
  /** True while the session has a connection. */
  readonly attached: boolean
  /** True after the connection has refused a message. */
  readonly isDead: boolean
  /** Limits of the server's reader. */
  readonly serverLimits: MessageLimits
  /** Returns true for a request that no connection has taken. */
  neverLeft(reference: Reference): boolean
  /** Sends a request. @throws HawserError for one that the server's reader would refuse. */
  request(request: OutgoingRequest): RequestOutcome
  /** Cancels a request: its caller has abandoned it. */
  cancel(reference: Reference): void
  /** Grants credit for more items of a stream. */
  credit(reference: Reference, items: number): void
}
