// The supervisor of a client's connections: when to ask for a token, dial, log in, wait, give up.
// It owns no socket and no timer. Every socket input carries its dial number; a stale one is ignored in `isStale`.
// Invariants: (1) at most one dial is alive, while moving to a successor two; (2) none of the last eight refused tokens
// is sent again in the same row; (3) after `closed` nothing happens until `connect`; (4) the failure count resets only after a stable session.
import { HawserError } from "@hawser/protocol"
import { errorOfClose } from "./peer-error.ts"
import { freshRow } from "./reconnect-row.ts"
import type { Row } from "./reconnect-row.ts"
import type { ReconnectStrategy } from "./strategies.ts"

export interface ReconnectOptions {
  readonly strategy: ReconnectStrategy
  readonly tokenTimeoutMs: number
  readonly dialTimeoutMs: number
  readonly welcomeTimeoutMs: number
  readonly stableAfterMs: number
  readonly retryAfterMaxMs: number
}

export type ReconnectState =
  | { readonly kind: "idle"; readonly row: Row }
  | { readonly kind: "gettingToken"; readonly row: Row; readonly deadlineMs: number }
  | { readonly kind: "dialing"; readonly row: Row; readonly deadlineMs: number; readonly token: string }
  | {
      readonly kind: "authenticating"
      readonly row: Row
      readonly deadlineMs: number
      readonly token: string
      /** True when an open connection was given up for this one: nobody need see a gap unless it fails. */
      readonly isMove: boolean
    }
  | {
      readonly kind: "open"
      readonly row: Row
      readonly openedAtMs: number
      readonly token: string
      /** The dial that is open; a failed move leaves later numbers used up. */
      readonly openDial: number
    }
  /** Open, and dialling the connection that is to follow: the old one serves until the new one is open. */
  | {
      readonly kind: "moving"
      readonly row: Row
      readonly openedAtMs: number
      readonly token: string
      readonly openDial: number
      readonly deadlineMs: number
    }
  | { readonly kind: "waiting"; readonly row: Row; readonly dueAtMs: number; readonly delayMs: number }
  | { readonly kind: "closed"; readonly row: Row; readonly error: HawserError }

export type ReconnectInput =
  | { readonly kind: "connect" }
  | { readonly kind: "close" }
  | { readonly kind: "token"; readonly dial: number; readonly token: string }
  | { readonly kind: "tokenFailed"; readonly dial: number; readonly error: HawserError }
  | { readonly kind: "opened"; readonly dial: number }
  | { readonly kind: "welcomed"; readonly dial: number }
  /** The server said why it will not go on, or the client found the connection useless. */
  | { readonly kind: "failed"; readonly dial: number; readonly error: HawserError }
  /** The socket has closed. `error` is what the server said before, if anything. */
  | {
      readonly kind: "lost"
      readonly dial: number
      readonly code: number
      readonly error: HawserError | undefined
    }
  /** A fresh token was sent on the open connection: the next log-in goes with it. */
  | { readonly kind: "renewed"; readonly token: string }
  /** The server asked to go: dial a second connection before the first one ends. */
  | { readonly kind: "move" }
  | { readonly kind: "wake" }

export interface ReconnectStep {
  readonly nowMs: number
  /** From [0, 1), for jitter. */
  readonly random: number
}

export type ReconnectEffect =
  | { readonly kind: "getToken"; readonly dial: number; readonly refused: HawserError | undefined }
  | { readonly kind: "dial"; readonly dial: number }
  | { readonly kind: "sendHello"; readonly dial: number; readonly token: string }
  /** Drop the socket of this dial without waiting for it. */
  | { readonly kind: "abandon"; readonly dial: number }
  /** The connection that was open is gone. */
  | { readonly kind: "connectionLost"; readonly error: HawserError }

type Moving = Extract<ReconnectState, { kind: "moving" }>
type Result = readonly [ReconnectState, readonly ReconnectEffect[]]

export function initialReconnect(): ReconnectState {
  return { kind: "idle", row: freshRow(0, false) }
}

export function wakeAtReconnect(state: ReconnectState): number | undefined {
  switch (state.kind) {
    case "gettingToken":
    case "dialing":
    case "authenticating":
    case "moving":
      return state.deadlineMs
    case "waiting":
      return state.dueAtMs
    case "idle":
    case "open":
    case "closed":
      return undefined
  }
}

// oxlint-disable-next-line eslint/max-params -- the form of every machine, plus the moment of the step
export function stepReconnect(
  options: ReconnectOptions,
  state: ReconnectState,
  input: ReconnectInput,
  step: ReconnectStep,
): Result {
  if (isStale(state, input)) return [state, []]
  switch (input.kind) {
    case "connect":
      return connect(options, state, step)
    case "close":
      return close(state)
    case "token":
      return state.kind === "gettingToken" ? withToken(options, state.row, input.token, step) : [state, []]
    case "tokenFailed":
      return state.kind === "gettingToken" ? fail(options, state, input.error, step) : [state, []]
    case "opened":
      return input.dial === state.row.dial ? opened(options, state, step) : [state, []]
    case "welcomed":
      return state.kind === "authenticating" ? [welcomed(state, step), []] : [state, []]
    case "renewed":
      return state.kind === "open" || state.kind === "moving"
        ? [{ ...state, token: input.token }, []]
        : [state, []]
    case "move":
      return state.kind === "open" ? move(options, state, step) : [state, []]
    case "failed":
      return failed(options, state, { dial: input.dial, error: input.error }, step)
    case "lost": {
      const error = input.error ?? errorOfClose(input.code)
      return failed(options, state, { dial: input.dial, error }, step)
    }
    case "wake":
      return wake(options, state, step)
  }
}

/** Socket inputs of any dial that is not alive have no effect. */
function isStale(state: ReconnectState, input: ReconnectInput): boolean {
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

/** Whatever is left of an old connection is unbound before HELLO asks for its messages again. */
function opened(options: ReconnectOptions, state: ReconnectState, step: ReconnectStep): Result {
  if (state.kind !== "dialing" && state.kind !== "moving") return [state, []]
  const { token } = state
  const row = state.kind === "moving" ? rowAfterOpen(options, state, step) : state.row
  const abandoned: readonly ReconnectEffect[] =
    state.kind === "moving" ? [{ kind: "abandon", dial: state.openDial }] : []
  return [
    {
      kind: "authenticating",
      row,
      token,
      deadlineMs: step.nowMs + options.welcomeTimeoutMs,
      isMove: state.kind === "moving",
    },
    [...abandoned, { kind: "sendHello", dial: row.dial, token }],
  ]
}

function welcomed(
  state: Extract<ReconnectState, { kind: "authenticating" }>,
  step: ReconnectStep,
): ReconnectState {
  const { row, token } = state
  return {
    kind: "open",
    row: { ...row, wasOpen: true },
    openedAtMs: step.nowMs,
    token,
    openDial: row.dial,
  }
}

/** The token of now served minutes ago; should it have expired, the way through a fresh one is the usual one. */
function move(
  options: ReconnectOptions,
  state: Extract<ReconnectState, { kind: "open" }>,
  step: ReconnectStep,
): Result {
  const row = { ...state.row, dial: state.row.dial + 1 }
  const deadlineMs = step.nowMs + options.dialTimeoutMs
  return [{ ...state, kind: "moving", row, deadlineMs }, [{ kind: "dial", dial: row.dial }]]
}

/** The old connection is as good as before: it stays until it ends by itself. */
function stay(state: Moving): Result {
  const { row, openedAtMs, token, openDial } = state
  return [{ kind: "open", row, openedAtMs, token, openDial }, [{ kind: "abandon", dial: row.dial }]]
}

/** The old connection ended before the new one was open. */
function goOnDialing(state: Moving, row: Row, error: HawserError): Result {
  const { token, deadlineMs, openDial } = state
  return [
    { kind: "dialing", row: { ...row, lastError: error }, token, deadlineMs },
    [
      { kind: "abandon", dial: openDial },
      { kind: "connectionLost", error },
    ],
  ]
}

function connect(options: ReconnectOptions, state: ReconnectState, step: ReconnectStep): Result {
  switch (state.kind) {
    case "idle":
    case "closed":
      return getToken(options, freshRow(state.row.dial, false), step)
    case "waiting":
      return getToken(options, state.row, step)
    case "gettingToken":
    case "dialing":
    case "authenticating":
    case "open":
    case "moving":
      return [state, []]
  }
}

function getToken(options: ReconnectOptions, row: Row, step: ReconnectStep): Result {
  const dial = row.dial + 1
  return [
    { kind: "gettingToken", row: { ...row, dial }, deadlineMs: step.nowMs + options.tokenTimeoutMs },
    [{ kind: "getToken", dial, refused: row.refusal }],
  ]
}

// oxlint-disable-next-line eslint/max-params -- see stepReconnect
function withToken(options: ReconnectOptions, row: Row, token: string, step: ReconnectStep): Result {
  if (row.refusedTokens.includes(token)) {
    return [{ kind: "closed", row, error: row.refusal ?? new HawserError("auth_token_invalid") }, []]
  }
  return [
    { kind: "dialing", row, token, deadlineMs: step.nowMs + options.dialTimeoutMs },
    [{ kind: "dial", dial: row.dial }],
  ]
}

function close(state: ReconnectState): Result {
  if (state.kind === "closed") return [state, []]
  const error = new HawserError("client_closed")
  // A later dial number makes whatever still comes from the old socket stale.
  const row = { ...state.row, dial: state.row.dial + 1 }
  return [{ kind: "closed", row, error }, abandonment(state, error)]
}

function wake(options: ReconnectOptions, state: ReconnectState, step: ReconnectStep): Result {
  const atMs = wakeAtReconnect(state)
  if (atMs === undefined || step.nowMs < atMs) return [state, []]
  if (state.kind === "waiting") return getToken(options, state.row, step)
  if (state.kind === "moving") return stay(state)
  const what = state.kind === "gettingToken" ? "token" : state.kind === "dialing" ? "socket" : "WELCOME"
  const error = new HawserError("connection_timeout", { message: `no ${what} in time` })
  return fail(options, state, error, step)
}

// oxlint-disable-next-line eslint/max-params -- see stepReconnect
function failed(
  options: ReconnectOptions,
  state: ReconnectState,
  failure: { readonly dial: number; readonly error: HawserError },
  step: ReconnectStep,
): Result {
  if (state.kind !== "moving") return fail(options, state, failure.error, step)
  if (failure.dial === state.row.dial) return stay(state)
  // An error that forbids to come back also ends the dial that is under way.
  if (failure.error.retry !== "later") return fail(options, state, failure.error, step)
  return goOnDialing(state, rowAfterOpen(options, state, step), failure.error)
}

// oxlint-disable-next-line eslint/max-params -- see stepReconnect
function fail(
  options: ReconnectOptions,
  state: ReconnectState,
  error: HawserError,
  step: ReconnectStep,
): Result {
  if (state.kind === "idle" || state.kind === "closed" || state.kind === "waiting") return [state, []]
  const effects = abandonment(state, error)
  const row = rowAfterFailure(options, state, error, step)
  if (error.retry === "never") return [{ kind: "closed", row, error }, effects]
  if (error.retry === "afterReauth" && "token" in state) {
    const refused = { ...row, refusedTokens: [...row.refusedTokens.slice(-7), state.token], refusal: error }
    // The first refusal may be an expired token: ask for a fresh one at once. After that, wait like for any failure.
    if (row.refusedTokens.length === 0) {
      const [next, asked] = getToken(options, refused, step)
      return [next, [...effects, ...asked]]
    }
    return [wait(options, refused, error, step), effects]
  }
  return [wait(options, row, error, step), effects]
}

// oxlint-disable-next-line eslint/max-params -- see stepReconnect
function rowAfterFailure(
  options: ReconnectOptions,
  state: ReconnectState,
  error: HawserError,
  step: ReconnectStep,
): Row {
  const wasOpen = state.kind === "open" || state.kind === "moving"
  const row = wasOpen ? rowAfterOpen(options, state, step) : state.row
  const firstFailureAtMs = row.firstFailureAtMs ?? step.nowMs
  // The old dial ends here: nothing that its socket still says may count twice.
  return { ...row, failures: row.failures + 1, firstFailureAtMs, lastError: error, dial: row.dial + 1 }
}

/** However an open connection is left: if it was stable, a new row begins. */
function rowAfterOpen(
  options: ReconnectOptions,
  state: Extract<ReconnectState, { kind: "open" | "moving" }>,
  step: ReconnectStep,
): Row {
  const stable = step.nowMs - state.openedAtMs >= options.stableAfterMs
  const row = stable ? freshRow(state.row.dial, true) : state.row
  // A session that was open proves its token; what was refused before no longer counts.
  return { ...row, refusedTokens: [], refusal: undefined }
}

// oxlint-disable-next-line eslint/max-params -- see stepReconnect
function wait(options: ReconnectOptions, row: Row, error: HawserError, step: ReconnectStep): ReconnectState {
  const elapsedMs = step.nowMs - (row.firstFailureAtMs ?? step.nowMs)
  const asked = Math.min(options.retryAfterMaxMs, error.retryAfterMs ?? 0)
  // Spread over a tenth more, so that those who were sent away together do not return together.
  const leastMs = asked * (1 + step.random / 10)
  const own = options.strategy({ attempt: row.failures, elapsedMs, leastMs, random: step.random })
  if (own === undefined) {
    const message = `gave up after ${row.failures} failures in a row: ${error.message}`
    return { kind: "closed", row, error: new HawserError("reconnect_exhausted", { message, cause: error }) }
  }
  const delayMs = Math.max(own, leastMs)
  return { kind: "waiting", row, delayMs, dueAtMs: step.nowMs + delayMs }
}

function abandonment(state: ReconnectState, error: HawserError): readonly ReconnectEffect[] {
  const dialled: ReconnectEffect = { kind: "abandon", dial: state.row.dial }
  const lost: ReconnectEffect = { kind: "connectionLost", error }
  switch (state.kind) {
    case "dialing":
      return [dialled]
    case "authenticating":
      // The connection that was given up for this one has no successor now.
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
