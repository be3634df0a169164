// What a client tells about its connection, and the two ways to watch it.
import type { HawserError } from "@hawser/protocol"
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
  const queue: ClientStatus[] = [current]
  const waiting: ((result: IteratorResult<ClientStatus>) => void)[] = []
  let done = false
  let unsubscribe = (): void => {}
  const end = (): void => {
    done = true
    unsubscribe()
    for (const reader of waiting.splice(0)) reader({ value: undefined, done: true })
  }
  if (current.state === "closed") {
    end()
  } else {
    unsubscribe = subscribe((status) => {
      const reader = waiting.shift()
      if (reader !== undefined) reader({ value: status, done: false })
      else if (queue.push(status) > queueMaxCount) queue.shift()
      if (status.state === "closed") end()
    })
  }
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    next() {
      const value = queue.shift()
      if (value !== undefined) return Promise.resolve({ value, done: false })
      if (done) return Promise.resolve({ value: undefined, done: true })
      return new Promise((resolve) => waiting.push(resolve))
    },
    return() {
      queue.length = 0
      end()
      return Promise.resolve({ value: undefined, done: true })
    },
  }
}
