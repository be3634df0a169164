// States, inputs and effects of the reconnect machine, and the questions about a state that need no input.
import type { HawserError } from "@hawser/protocol"
import type { AttemptLimits } from "./attempt-limits.ts"
import type { DialBudget } from "./dial-budget.ts"
import { firstRow } from "./reconnect-row.ts"
import type { Row } from "./reconnect-row.ts"
import type { ReconnectStrategy } from "./strategies.ts"

export interface ReconnectOptions extends DialBudget {
  readonly strategy: ReconnectStrategy
  /** The most that failures lengthen the limit of a token, a dial or a WELCOME to. */
  readonly dialTimeoutMaxMs: number
  readonly stableAfterMs: number
  readonly retryAfterMaxMs: number
}

/** A step of an attempt that may not take for ever. */
interface Limited {
  readonly deadlineMs: number
  /** The deadline without what failures added: from then on `connect` and `hurry` begin the attempt anew. */
  readonly overdueAtMs: number
}

/** A token function that runs for an open connection, or will as soon as the budget allows; undefined: neither. */
type Renewal =
  | { readonly kind: "due"; readonly atMs: number }
  | { readonly kind: "running"; readonly deadlineMs: number }
  | undefined

interface OpenConnection {
  readonly row: Row
  readonly openedAtMs: number
  readonly token: string
  /** The dial that is open; a failed move leaves later numbers used up. */
  readonly openDial: number
  /** True when WELCOME resumed a session: the server is well, and the next outage is a new one. */
  readonly isProven: boolean
  readonly renewal: Renewal
}

export type ReconnectState =
  | { readonly kind: "idle"; readonly row: Row }
  | ({
      readonly kind: "gettingToken"
      readonly row: Row
      /** True when the attempt has spent a dial of the budget. */
      readonly isCounted: boolean
    } & Limited)
  | ({ readonly kind: "dialing"; readonly row: Row; readonly token: string } & Limited)
  | ({
      readonly kind: "authenticating"
      readonly row: Row
      readonly token: string
      /** True when an open connection was given up for this one: the status stays `open` unless it fails. */
      readonly isMove: boolean
    } & Limited)
  | ({
      readonly kind: "open"
      /** The time at which the budget allows a move that the server asked for. */
      readonly moveAtMs: number | undefined
    } & OpenConnection)
  /** Open, and dialling the next connection: the old one serves until the new one is open. */
  | ({ readonly kind: "moving"; readonly deadlineMs: number } & OpenConnection)
  | { readonly kind: "waiting"; readonly row: Row; readonly dueAtMs: number; readonly delayMs: number }
  | { readonly kind: "closed"; readonly row: Row; readonly error: HawserError }

export type ReconnectInput =
  /** The application wants a connection: never held back by the budget. */
  | { readonly kind: "connect" }
  /** The network or the page is back: an attempt now is likely to succeed. */
  | { readonly kind: "hurry" }
  | { readonly kind: "close" }
  | { readonly kind: "token"; readonly dial: number; readonly token: string }
  | { readonly kind: "tokenFailed"; readonly dial: number; readonly error: HawserError }
  | { readonly kind: "opened"; readonly dial: number }
  | { readonly kind: "welcomed"; readonly dial: number; readonly resumed: boolean }
  /** The server said why it will not go on, or the client found the connection useless. */
  | { readonly kind: "failed"; readonly dial: number; readonly error: HawserError }
  /** The socket has closed. `error` is what the server said before, if anything. */
  | {
      readonly kind: "lost"
      readonly dial: number
      readonly code: number
      readonly error: HawserError | undefined
    }
  /** The server asked for a fresh token on the open connection. */
  | { readonly kind: "renew"; readonly dial: number }
  /** The token function answered a renewal; undefined: it failed. */
  | { readonly kind: "renewed"; readonly renewal: number; readonly token: string | undefined }
  /** The server asked to go: dial a second connection before the first one ends. */
  | { readonly kind: "move" }
  | { readonly kind: "wake" }

export interface ReconnectStep {
  readonly nowMs: number
  /** From [0, 1), for jitter. */
  readonly random: number
  readonly limits: AttemptLimits
}

export type ReconnectEffect =
  | { readonly kind: "getToken"; readonly dial: number; readonly refused: HawserError | undefined }
  | { readonly kind: "renewToken"; readonly renewal: number }
  | { readonly kind: "dial"; readonly dial: number }
  | { readonly kind: "sendHello"; readonly dial: number; readonly token: string }
  /** Send a fresh token on the open connection. */
  | { readonly kind: "sendAuth"; readonly token: string }
  /** Drop the socket of this dial without waiting for it. */
  | { readonly kind: "abandon"; readonly dial: number }
  /** The connection that was open is gone. */
  | { readonly kind: "connectionLost"; readonly error: HawserError }
  /** An error that changes nothing, for the application's `onError`. */
  | { readonly kind: "report"; readonly error: HawserError }

/** A state as one name of the union. */
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

/** Socket inputs of any dial that is not alive have no effect, nor has the token of an older renewal. */
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

/** Effects of giving up all connections of a state. */
export function abandonment(state: ReconnectState, error: HawserError): readonly ReconnectEffect[] {
  const dialled: ReconnectEffect = { kind: "abandon", dial: state.row.dial }
  const lost: ReconnectEffect = { kind: "connectionLost", error }
  switch (state.kind) {
    case "dialing":
      return [dialled]
    case "authenticating":
      // The connection that was given up for this one has no successor any more.
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
