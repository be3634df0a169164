// Types of a request in progress, and of its outcome.
import type { StreamSpec } from "@hawser/protocol"
import type { RequestFrame, WireError } from "@hawser/protocol/core"
import type { LazyAbort } from "./lazy-abort.ts"

/** Source of a stream's items: the result of an async generator function, or any other iterable. */
export type ItemSource<T = unknown> = AsyncIterable<T> | Iterable<T>

/**
 * Order of a request among the requests of its session. `ordered`: one at a time, in order. `afterOrdered`: after the ordered
 * requests that were sent before it, beside all others. `free`: beside all others.
 */
export type Lane = "ordered" | "afterOrdered" | "free"

/** Request in progress. */
export interface Job {
  readonly frame: RequestFrame
  /** Number of the request among the client's reliable messages; 0 in a profile that does not count. */
  readonly count: number
  readonly abort: LazyAbort
  /** Credit of a stream's reader before the start, in items. */
  readonly credit: number
  /** Deferred functions of the handler, run in order after the reply was sent; undefined while empty. */
  afterReply: (() => unknown)[] | undefined
  /** Time of arrival, on the server's clock. The caller's time limit counts from it. */
  readonly arrivedAtMs: number
  /** Name of the call in the contract. The client's dialect may have another name for it. */
  name: string
  /** Code of the failure before the dialect translated it; undefined without a failure. */
  failure: string | undefined
}

/** Outcome of a request. */
export type Outcome =
  | { readonly ok: true; readonly payload: unknown }
  /** Start of a stream: the request is settled without a reply. */
  | { readonly ok: true; readonly items: ItemSource; readonly spec: StreamSpec }
  /** `isExecuted`: the handler succeeded, and only its result could not be sent. */
  | { readonly ok: false; readonly error: WireError; readonly isExecuted?: boolean }
