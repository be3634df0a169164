// States, inputs and effects of the reconnect machine, and functions of a state without an input.
import type { HawserError } from "@hawser/protocol"
import type { AttemptLimits } from "./attempt-limits.ts"
import type { DialBudget } from "./dial-budget.ts"
import { firstRow } from "./reconnect-row.ts"
import type { Row } from "./reconnect-row.ts"
import type { ReconnectStrategy } from "./strategies.ts"

export interface ReconnectOptions extends DialBudget {
  readonly strategy: ReconnectStrategy
  /** Most that failures lengthen the limit of a token, a dial or a WELCOME to, in milliseconds. */
  readonly dialTimeoutMaxMs: number
  readonly stableAfterMs: number
  readonly retryAfterMaxMs: number
}

/** A step of an attempt with a time limit. */
export interface Limited {
  readonly deadlineMs: number
  /** Deadline without the extension by failures. From then on `connect` and `hurry` restart the attempt. */
  readonly overdueAtMs: number
}

/**
 * A token renewal on an open connection: running, or due when the budget allows it; undefined: neither. `vain`: number of calls of
 * the token function before it that returned no fresh token.
 */
type Renewal =
  | { readonly kind: "due"; readonly atMs: number; readonly vain: number }
  | { readonly kind: "running"; readonly deadlineMs: number; readonly vain: number }
  | undefined

interface OpenConnection {
  readonly row: Row
  readonly openedAtMs: number
  readonly token: string
  /** True while the server has not confirmed a token of AUTH: the end of the connection may be about the previous one. */
  readonly isUnconfirmed: boolean
  /** Number of the open dial. Failed moves use later numbers. */
  readonly openDial: number
  /** True if WELCOME resumed a session: the next failure begins a new outage. */
  readonly isProven: boolean
  readonly renewal: Renewal
}

export type ReconnectState =
  | { readonly kind: "idle"; readonly row: Row }
  | ({
      readonly kind: "gettingToken"
      readonly row: Row
      /** True if the attempt has spent a dial of the budget. */
      readonly isCounted: boolean
    } & Limited)
  | ({ readonly kind: "dialing"; readonly row: Row; readonly token: string } & Limited)
  | ({
      readonly kind: "authenticating"
      readonly row: Row
      readonly token: string
      /** True if this connection replaces an open one: the status stays `open` unless it fails. */
      readonly isMove: boolean
    } & Limited)
  | ({
      readonly kind: "open"
      /** Time at which the budget allows the move that the server requested; undefined: none. */
      readonly moveAtMs: number | undefined
    } & OpenConnection)
  /** Open, and dialling the next connection. The old one serves until the new one is open. */
  | ({ readonly kind: "moving"; readonly deadlineMs: number } & OpenConnection)
  | { readonly kind: "waiting"; readonly row: Row; readonly dueAtMs: number; readonly delayMs: number }
  | { readonly kind: "closed"; readonly row: Row; readonly error: HawserError }

export type ReconnectInput =
  /** Request of the application; the budget does not delay it. */
  | { readonly kind: "connect" }
  /** The network or the page is back, so an attempt is likely to succeed. */
  | { readonly kind: "hurry" }
  | { readonly kind: "close" }
  | { readonly kind: "token"; readonly dial: number; readonly token: string }
  | { readonly kind: "tokenFailed"; readonly dial: number; readonly error: HawserError }
  | { readonly kind: "opened"; readonly dial: number }
  | { readonly kind: "welcomed"; readonly dial: number; readonly resumed: boolean }
  /** The server ended the connection with an error, or the client found it unusable. */
  | { readonly kind: "failed"; readonly dial: number; readonly error: HawserError }
  /** The socket has closed. `error`: the server's error before the close; undefined: none. */
  | {
      readonly kind: "lost"
      readonly dial: number
      readonly code: number
      readonly error: HawserError | undefined
    }
  /** The server requested a fresh token on the open connection. */
  | { readonly kind: "renew"; readonly dial: number }
  /** The server has accepted the token of AUTH. */
  | { readonly kind: "confirmed"; readonly dial: number }
  /** The token function has returned a token or failed. */
  | { readonly kind: "renewed"; readonly renewal: number; readonly token: string | HawserError }
  /** The server requested a move: dial a second connection before the first one ends. */
  | { readonly kind: "move" }
  | { readonly kind: "wake" }

export interface ReconnectStep {
  readonly nowMs: number
  /** Random number from 0 up to 1, for jitter. */
  readonly random: number
  readonly limits: AttemptLimits
}

/** A step of the machine with its options. */
export interface Step extends ReconnectStep {
  readonly options: ReconnectOptions
}

export type ReconnectEffect =
  | { readonly kind: "getToken"; readonly dial: number; readonly refused: HawserError | undefined }
  | { readonly kind: "renewToken"; readonly renewal: number }
  | { readonly kind: "dial"; readonly dial: number }
  | { readonly kind: "sendHello"; readonly dial: number; readonly token: string }
  /** Send a fresh token on the open connection. */
  | { readonly kind: "sendAuth"; readonly token: string }
  /** Terminate the socket of this dial. */
  | { readonly kind: "abandon"; readonly dial: number }
  /** The open connection was lost. */
  | { readonly kind: "connectionLost"; readonly error: HawserError }
  /** An error without effect on the state, for `onError`. */
  | { readonly kind: "report"; readonly error: HawserError }

/** Returns the variant of one kind. */
export type StateOf<Kind extends ReconnectState["kind"]> = Extract<ReconnectState, { kind: Kind }>

export function initialReconnect(): ReconnectState {
  return { kind: "idle", row: firstRow }
}

export function wakeAtReconnect(state: ReconnectState): number | undefined {
  switch (state.kind) {
    case "gettingToken":
    case "dialing":
    case "authenticating":
      return state.deadlineMs
    case "moving":
      return earliest(state.deadlineMs, renewalAtMs(state.renewal))
    case "open":
      return earliest(state.moveAtMs, renewalAtMs(state.renewal))
    case "waiting":
      return state.dueAtMs
    case "idle":
    case "closed":
      return undefined
  }
}

export function renewalAtMs(renewal: Renewal): number | undefined {
  return renewal?.kind === "due" ? renewal.atMs : renewal?.deadlineMs
}

function earliest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other)
}

/** Returns true for inputs of a dial that is not alive, and for the token of an older renewal. They have no effect. */
export function isStale(state: ReconnectState, input: ReconnectInput): boolean {
  if ("renewal" in input) {
    const isOpen = state.kind === "open" || state.kind === "moving"
    return !isOpen || state.renewal?.kind !== "running" || input.renewal !== state.row.renewal
  }
  if (!("dial" in input)) return false
  switch (state.kind) {
    case "open":
      return input.dial !== state.openDial
    case "moving":
      return input.dial !== state.openDial && input.dial !== state.row.dial
    case "idle":
    case "gettingToken":
    case "dialing":
    case "authenticating":
    case "waiting":
    case "closed":
      return input.dial !== state.row.dial
  }
}

/** Returns the effects that abandon all connections of a state. */
export function abandonment(state: ReconnectState, error: HawserError): readonly ReconnectEffect[] {
  const dialled: ReconnectEffect = { kind: "abandon", dial: state.row.dial }
  const lost: ReconnectEffect = { kind: "connectionLost", error }
  switch (state.kind) {
    case "dialing":
      return [dialled]
    case "authenticating":
      // The previous connection of a move is lost without a successor.
      return state.isMove ? [dialled, lost] : [dialled]
    case "open":
      return [{ kind: "abandon", dial: state.openDial }, lost]
    case "moving":
      return [dialled, { kind: "abandon", dial: state.openDial }, lost]
    case "idle":
    case "gettingToken":
    case "waiting":
    case "closed":
      return []
  }
}
