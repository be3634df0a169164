// The status of a client's connection, and its iterator.
import type { HawserError } from "@hawser/protocol"
import { AsyncQueue, asItIs } from "../base/async-queue.ts"
import type { ReconnectState } from "./reconnect-state.ts"

/** Status of a client. `idle`: before `connect()`. `open`: a session has a connection. */
export type ClientStatus =
  | { readonly state: "idle" }
  /** The first attempt since `connect()`; `attempt` is 0. */
  | { readonly state: "connecting"; readonly attempt: number }
  | { readonly state: "open" }
  /** An attempt after a failure, or the delay before it. */
  | {
      readonly state: "reconnecting"
      /**
       * Number of the attempt. 1: the first attempt of this outage, or the second one since `connect()`. The count restarts
       * after a resume, and after a new session that lasted for `limits.stableAfterMs`.
       */
      readonly attempt: number
      /** Delay before the attempt, in milliseconds: of the strategy, the server or the dial budget, the longest. 0 during it. */
      readonly delayMs: number
      /** True during the delay, false during the attempt. */
      readonly waiting: boolean
      /** Error of the last failure. */
      readonly error: HawserError | undefined
    }
  /** Final until `connect()`. The error has the code `client_closed` after `close()`. */
  | { readonly state: "closed"; readonly error: HawserError }

export function statusOf(state: ReconnectState): ClientStatus {
  switch (state.kind) {
    case "idle":
      return { state: "idle" }
    case "open":
    case "moving":
      return { state: "open" }
    case "closed":
      return { state: "closed", error: state.error }
    case "waiting":
    case "gettingToken":
    case "dialing":
    case "authenticating": {
      // A move to another connection does not change the status.
      if (state.kind === "authenticating" && state.isMove) return { state: "open" }
      const { failures, wasOpen, lastError: error } = state.row
      const waiting = state.kind === "waiting"
      if (!wasOpen && failures === 0) return { state: "connecting", attempt: 0 }
      return {
        state: "reconnecting",
        attempt: failures,
        delayMs: waiting ? state.delayMs : 0,
        waiting,
        error,
      }
    }
  }
}

/** Returns true for statuses without a visible difference. */
export function sameStatus(one: ClientStatus, other: ClientStatus): boolean {
  if (one.state === "reconnecting" && other.state === "reconnecting") {
    return one.attempt === other.attempt && one.waiting === other.waiting && one.delayMs === other.delayMs
  }
  return one.state === other.state
}

/** Most statuses that wait for their reader. At the bound the oldest is dropped. */
const queueMaxCount = 64

/**
 * Iterates the current status, then each change. Ends after the status `closed`, or when the reader leaves the loop.
 * A reader more than 64 changes behind loses the oldest of them.
 */
export function statusIterator(
  current: ClientStatus,
  subscribe: (listener: (status: ClientStatus) => void) => () => void,
): AsyncIterableIterator<ClientStatus> {
  let unsubscribe = (): void => {}
  const queue = new AsyncQueue<ClientStatus>({
    maxCount: queueMaxCount,
    read: asItIs,
    onReturn: () => unsubscribe(),
  })
  const push = (status: ClientStatus): void => {
    queue.push(status)
    if (status.state !== "closed") return
    unsubscribe()
    queue.end()
  }
  push(current)
  if (!queue.isEnded) unsubscribe = subscribe(push)
  return queue
}
