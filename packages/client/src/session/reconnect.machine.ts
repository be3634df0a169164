// The supervisor of a client's connections: when to ask for a token, dial, log in, wait, give up.
// It owns no socket and no timer. Every socket input carries its dial number; a stale one is ignored in `isStale`.
// Invariants: (1) at most one dial is alive; (2) none of the last eight refused tokens is sent again in the same row;
// (3) after `closed` nothing happens until `connect`; (4) the failure count resets only after a stable session.
import { HawserError, retryAfterClose } from "@hawser/protocol"
import type { Retry } from "@hawser/protocol"
import type { ReconnectStrategy } from "./strategies.ts"

export interface ReconnectOptions {
  readonly strategy: ReconnectStrategy
  readonly tokenTimeoutMs: number
  readonly dialTimeoutMs: number
  readonly welcomeTimeoutMs: number
  readonly stableAfterMs: number
  readonly retryAfterMaxMs: number
}

/** What survives from one attempt to the next. */
interface Row {
  /** Failures in a row. */
  readonly failures: number
  readonly firstFailureAtMs: number | undefined
  readonly refusedTokens: readonly string[]
  /** Why the last of them was refused. */
  readonly refusal: HawserError | undefined
  readonly lastError: HawserError | undefined
  /** True once any session was open. */
  readonly wasOpen: boolean
  /** Number of the last dial. */
  readonly dial: number
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
    }
  | { readonly kind: "open"; readonly row: Row; readonly openedAtMs: number; readonly token: string }
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
  | { readonly kind: "sessionLost"; readonly error: HawserError }

type Result = readonly [ReconnectState, readonly ReconnectEffect[]]

export function initialReconnect(): ReconnectState {
  return { kind: "idle", row: freshRow(0, false) }
}

function freshRow(dial: number, wasOpen: boolean): Row {
  return {
    failures: 0,
    firstFailureAtMs: undefined,
    refusedTokens: [],
    refusal: undefined,
    lastError: undefined,
    wasOpen,
    dial,
  }
}

export function wakeAtReconnect(state: ReconnectState): number | undefined {
  switch (state.kind) {
    case "gettingToken":
    case "dialing":
    case "authenticating":
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
      return state.kind === "dialing"
        ? [
            { ...state, kind: "authenticating", deadlineMs: step.nowMs + options.welcomeTimeoutMs },
            [{ kind: "sendHello", dial: input.dial, token: state.token }],
          ]
        : [state, []]
    case "welcomed":
      return state.kind === "authenticating"
        ? [
            {
              kind: "open",
              row: { ...state.row, wasOpen: true },
              openedAtMs: step.nowMs,
              token: state.token,
            },
            [],
          ]
        : [state, []]
    case "failed":
      return fail(options, state, input.error, step)
    case "lost":
      return fail(options, state, input.error ?? errorOfClose(input.code), step)
    case "wake":
      return wake(options, state, step)
  }
}

/** Socket inputs of any dial but the current one have no effect. */
function isStale(state: ReconnectState, input: ReconnectInput): boolean {
  return "dial" in input && input.dial !== state.row.dial
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
  const what = state.kind === "gettingToken" ? "token" : state.kind === "dialing" ? "socket" : "WELCOME"
  const error = new HawserError("connection_timeout", { message: `no ${what} in time` })
  return fail(options, state, error, step)
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
  const stable = state.kind === "open" && step.nowMs - state.openedAtMs >= options.stableAfterMs
  const row = stable ? freshRow(state.row.dial, true) : state.row
  // A session that was open proves its token; what was refused before no longer counts.
  const kept = state.kind === "open" ? { ...row, refusedTokens: [], refusal: undefined } : row
  const firstFailureAtMs = row.firstFailureAtMs ?? step.nowMs
  // The old dial ends here: nothing that its socket still says may count twice.
  return { ...kept, failures: row.failures + 1, firstFailureAtMs, lastError: error, dial: row.dial + 1 }
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
  switch (state.kind) {
    case "dialing":
    case "authenticating":
      return [{ kind: "abandon", dial: state.row.dial }]
    case "open":
      return [
        { kind: "abandon", dial: state.row.dial },
        { kind: "sessionLost", error },
      ]
    case "idle":
    case "gettingToken":
    case "waiting":
    case "closed":
      return []
  }
}

function errorOfClose(code: number): HawserError {
  const retry: Retry = retryAfterClose(code)
  if (retry === "afterReauth")
    return new HawserError("auth_token_invalid", { message: `closed with ${code} while logging in` })
  if (code === 4409) return new HawserError("replaced")
  if (code === 4403) return new HawserError("auth_forbidden")
  return new HawserError("connection_lost", { message: `the connection closed with code ${code}` })
}
