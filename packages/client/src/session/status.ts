// What a client tells about its connection, and the two ways to watch it.
import type { HawserError } from "@hawser/protocol"
import { AsyncQueue, asItIs } from "../base/async-queue.ts"
import type { ReconnectState } from "./reconnect-state.ts"

export type ClientStatus =
  | { readonly state: "idle" }
  /** The first attempt since `connect()`; `attempt` is 0. */
  | { readonly state: "connecting"; readonly attempt: number }
  | { readonly state: "open" }
  /** Waiting `delayMs` before the next attempt (`waiting`), or in the middle of it. */
  | {
      readonly state: "reconnecting"
      /**
       * Number of the attempt, from 1: the first one of this outage, or the second one since `connect()`. A connection
       * that resumed its session ends the outage; a new session ends it when it has held for `stableAfterMs`.
       */
      readonly attempt: number
      /** The wait of the strategy, of the server or of the dial budget, whichever is longest. 0 in an attempt. */
      readonly delayMs: number
      readonly waiting: boolean
      readonly error: HawserError | undefined
    }
  /** Final until `connect()`. The error's code is `client_closed` after `close()`. */
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
      // Nobody need hear of the round trip between an old connection and its successor.
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

/** Two statuses that a watcher need not tell apart. */
export function sameStatus(one: ClientStatus, other: ClientStatus): boolean {
  if (one.state === "reconnecting" && other.state === "reconnecting") {
    return one.attempt === other.attempt && one.waiting === other.waiting && one.delayMs === other.delayMs
  }
  return one.state === other.state
}

const queueMaxCount = 64

/**
 * Yields the current status, then every change. Ends after the status `closed`, or when the loop is left.
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
