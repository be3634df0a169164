// A request without a reply, as `pending()`, session events and stores show it.
import type { OutgoingRequest, RequestKind } from "./carrier.ts"

/** A request without a reply. */
export interface PendingRequest {
  /** Kind of the request: `command`, `query` or `stream`. */
  readonly call: RequestKind
  /** Name in the contract. */
  readonly name: string
  /** Input as it was at the call; undefined: none. */
  readonly input: unknown
  /** Idempotency key; undefined: none. */
  readonly key: string | undefined
  /**
   * `waiting`: no connection has taken it, and none is open. `throttled`: a connection is open, but the send buffer before it is
   * full or the socket takes no more now; the server may be holding the client back. `sent`: the server may have executed it.
   */
  readonly state: "waiting" | "throttled" | "sent"
}

/** Returns the public view of a request. */
export function shownRequest(
  { call, name, input, key }: Omit<OutgoingRequest, "budgetMs">,
  state: PendingRequest["state"],
): PendingRequest {
  return { call, name, input: input?.value, key, state }
}
