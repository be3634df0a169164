// Port of a session for requests and streams: the session sends them.
import type { Encoded, MessageLimits } from "@hawser/protocol"
import type { CallKind, Reference } from "@hawser/protocol/core"

/** Kind of a request. */
export type RequestKind = CallKind | "stream"

/** One request as a session sends it. */
export interface OutgoingRequest {
  readonly call: RequestKind
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
 * when it may have space. `dead`: the connection takes nothing more, and the session ends with it. `bytes`: message length.
 */
export type RequestOutcome =
  | { readonly outcome: "taken"; readonly reference: Reference; readonly bytes: number }
  | { readonly outcome: "full" | "dead"; readonly reference: undefined; readonly bytes: number }

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
