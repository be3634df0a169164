// A request on its way through the server, and what comes of it.
import type { RequestFrame, WireError } from "@hawser/protocol/core"
import type { LazyAbort } from "./lazy-abort.ts"

/** What the handler of a stream returns: what an async generator function returns, or any other source of items. */
export type ItemSource<T = unknown> = AsyncIterable<T> | Iterable<T>

export interface Job {
  readonly frame: RequestFrame
  /** The request's number in its direction; 0 where nothing is counted. */
  readonly count: number
  readonly abort: LazyAbort
  /** Items of a stream that its reader takes already. */
  readonly credit: number
  /** Run in order after the reply was sent; undefined while there are none. */
  afterReply: (() => unknown)[] | undefined
  /** Time of arrival on the server's clock. The caller's budget runs from it. */
  readonly arrivedAtMs: number
  /** The contract's name of the call, and the code of its failure; the client's dialect may translate both. */
  name: string
  failure: string | undefined
}

export type Outcome =
  | { readonly ok: true; readonly payload: unknown }
  /** A stream starts: the request is settled, no reply is sent. */
  | { readonly ok: true; readonly items: ItemSource }
  /** `isExecuted`: its handler has done its work, only the result cannot be sent. */
  | { readonly ok: false; readonly error: WireError; readonly isExecuted?: boolean }
