// The status of a client's connection, and its iterator.
import type { HawserError } from "@hawser/protocol"
import { AsyncQueue, asItIs } from "../base/async-queue.ts"
import type { ReconnectState } from "./reconnect-state.ts"

/**
 * Status of a client. `idle`: before `connect()`. `open` and `doubtful`: a session has a connection. The union is complete: no
 * state will be added.
 */
export type ClientStatus =
  | {
      /** State before `connect()`. */
      readonly state: "idle"
    }
  | {
      /** State during the first attempt since `connect()`. */
      readonly state: "connecting"
      /** Number of the attempt: 0. */
      readonly attempt: number
    }
  | {
      /** State while a session has a connection, and while it moves to another one. */
      readonly state: "open"
    }
  | {
      /**
       * State while a session has a connection that may be dead: an answer is due and no message has arrived for
       * `limits.doubtMs`, or the browser reports `offline`. Requests are sent as in `open`. The next message makes it `open`;
       * without one it becomes `reconnecting`. Show the age of what is on the screen, and keep the controls enabled.
       */
      readonly state: "doubtful"
      /** Time of the last message of the server, in milliseconds since 1970. */
      readonly heardAtMs: number
    }
  | {
      /** State during an attempt after a failure or a lost connection, and during the delay before it. */
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
  | {
      /** State after `close()`, or after a failure without a retry. It is final until `connect()`. */
      readonly state: "closed"
      /** Cause of the end. Its code is `client_closed` after `close()`. */
      readonly error: HawserError
    }

type Connected = Extract<ClientStatus, { readonly state: "open" | "doubtful" }>

/** Returns true for `open` and `doubtful`: the session has a connection. */
export function hasConnection(status: ClientStatus): status is Connected {
  return status.state === "open" || status.state === "doubtful"
}

/** @param heardAtMs time of the last message of a doubtful connection, in milliseconds since 1970; undefined: not doubtful. */
export function statusOf(state: ReconnectState, heardAtMs?: number): ClientStatus {
  switch (state.kind) {
    case "idle":
      return { state: "idle" }
    case "open":
    case "moving":
      return connected(heardAtMs)
    case "closed":
      return { state: "closed", error: state.error }
    case "waiting":
    case "gettingToken":
    case "dialing":
    case "authenticating": {
      // A move to another connection does not change the status.
      if (state.kind === "authenticating" && state.isMove) return connected(heardAtMs)
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

function connected(heardAtMs: number | undefined): ClientStatus {
  return heardAtMs === undefined ? { state: "open" } : { state: "doubtful", heardAtMs }
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
