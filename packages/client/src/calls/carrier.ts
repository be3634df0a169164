// The session, as requests and streams see it: it carries them.
import type { Encoded, MessageLimits } from "@hawser/protocol"
import type { CallKind, Reference } from "@hawser/protocol/core"

/** What a client can ask for. */
export type RequestKind = CallKind | "stream"

export interface OutgoingRequest {
  readonly call: RequestKind
  readonly name: string
  /** Encoded at the call; undefined for a request without input. */
  readonly input: Encoded<unknown> | undefined
  /** 0: as long as the server allows. */
  readonly budgetMs: number
  /** Idempotency key. */
  readonly key: string | undefined
}

/**
 * `taken`: sent, or kept for the next connection. `full`: there is no room; `onRoom` tells when there may be.
 * `dead`: the connection of a session that cannot outlive it takes nothing more. `bytes` is the message's length.
 */
export type RequestOutcome =
  | { readonly outcome: "taken"; readonly reference: Reference; readonly bytes: number }
  | { readonly outcome: "full" | "dead"; readonly reference: undefined; readonly bytes: number }

export interface Carrier {
  /** False while it has no connection. */
  readonly attached: boolean
  /** True once its connection refused a message. */
  readonly isDead: boolean
  /** Limits of the server's reader. */
  readonly serverLimits: MessageLimits
  /** True if this request has certainly not left. */
  neverLeft(reference: Reference): boolean
  /** @throws HawserError for a request that the server's reader would refuse. */
  request(request: OutgoingRequest): RequestOutcome
  /** The caller has given a request up. */
  cancel(reference: Reference): void
  /** The reader of a stream takes so many items more. */
  credit(reference: Reference, items: number): void
}
