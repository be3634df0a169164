// Decides when a client gets a token, dials, logs in, waits, moves and closes. Owns no socket and no timer. Each socket input
// carries its dial number; `isStale` ignores inputs of other dials. Must not know frames, sessions or requests.
// Invariants: (1) at most one dial is alive, while moving to a successor two; (2) none of the last eight refused tokens
// is sent again in the same row; (3) after `closed` nothing happens until `connect`; (4) the failure count resets only
// after a resume or a stable session; (5) every dial and every call of the token function is within the dial budget,
// except those that `connect` causes; (6) one renewal of the token runs at a time.
import { HawserError } from "@hawser/protocol"
import { postponeDial } from "./dial-budget.ts"
import { errorOfClose } from "../base/peer-error.ts"
import { abandonment, isStale, renewalAtMs, wakeAtReconnect } from "./reconnect-state.ts"
import type {
  Limited,
  ReconnectEffect,
  ReconnectInput,
  ReconnectOptions,
  ReconnectState,
  ReconnectStep,
  StateOf,
  Step,
} from "./reconnect-state.ts"
import { freshRow } from "./reconnect-row.ts"
import type { Row } from "./reconnect-row.ts"
import { heldBackMs, spent, wait, waiting } from "./reconnect-wait.ts"

type Attempting = StateOf<"gettingToken" | "dialing" | "authenticating">
type Connected = StateOf<"open" | "moving">
type Result = readonly [ReconnectState, readonly ReconnectEffect[]]

// oxlint-disable-next-line eslint/max-params -- the form of every machine, plus the moment of the step
export function stepReconnect(
  options: ReconnectOptions,
  state: ReconnectState,
  input: ReconnectInput,
  moment: ReconnectStep,
): Result {
  if (isStale(state, input)) return [state, []]
  const step: Step = { ...moment, options }
  switch (input.kind) {
    case "connect":
      return connect(state, step)
    case "hurry":
      return hurry(state, step)
    case "close":
      return close(state)
    case "token":
      return state.kind === "gettingToken" ? withToken(state, input.token, step) : [state, []]
    case "tokenFailed":
      return state.kind === "gettingToken" ? fail(state, input.error, step) : [state, []]
    case "opened":
      return input.dial === state.row.dial ? opened(state, step) : [state, []]
    case "welcomed":
      return state.kind === "authenticating" ? [welcomed(state, input.resumed, step), []] : [state, []]
    case "renew":
      return isConnected(state) && state.renewal === undefined ? renew(state, step) : [state, []]
    case "renewed":
      return isConnected(state) ? renewed(state, input.token, step) : [state, []]
    case "confirmed":
      return isConnected(state) && state.isUnconfirmed
        ? [{ ...state, isUnconfirmed: false }, []]
        : [state, []]
    case "move":
      return state.kind === "open" ? move(state, step) : [state, []]
    case "failed":
      return failed(state, input, step)
    case "lost":
      return failed(state, { ...input, error: input.error ?? errorOfClose(input.code) }, step)
    case "wake":
      return wake(state, step)
  }
}

// --- attempts -------------------------------------------------------------------------------------------------

function connect(state: ReconnectState, step: Step): Result {
  switch (state.kind) {
    case "idle":
    case "closed":
      return getToken(freshRow(state.row, false), { step, isCounted: false })
    case "waiting":
      return getToken(state.row, { step, isCounted: false })
    case "gettingToken":
    case "dialing":
    case "authenticating":
      return isOverdue(state, step) ? beginAnew(state, { step, isCounted: false }) : [state, []]
    case "open":
    case "moving":
      return [state, []]
  }
}

/** Begins the next attempt. An attempt within its limit continues, and so does one without budget for another. */
function hurry(state: ReconnectState, step: Step): Result {
  const delayMs = heldBackMs(state.row, step)
  switch (state.kind) {
    case "waiting":
      if (delayMs === 0) return attempt(state.row, step)
      return step.nowMs + delayMs < state.dueAtMs ? [waiting(state.row, delayMs, step), []] : [state, []]
    case "gettingToken":
    case "dialing":
    case "authenticating":
      return delayMs === 0 && isOverdue(state, step)
        ? beginAnew(state, { step, isCounted: true })
        : [state, []]
    case "idle":
    case "open":
    case "moving":
    case "closed":
      return [state, []]
  }
}

function isOverdue(state: Attempting, step: Step): boolean {
  return step.nowMs >= state.overdueAtMs
}

interface Beginning {
  readonly step: Step
  /** False for an attempt of `connect()`: the budget does not bound it. */
  readonly isCounted: boolean
}

function beginAnew(state: Attempting, beginning: Beginning): Result {
  const error = timeoutError(state, beginning.step)
  const row = rowAfterFailure(state, error, beginning.step)
  const [next, effects] = getToken(row, beginning)
  return [next, [...abandonment(state, error), ...effects]]
}

/** Begins an attempt now, or when the budget allows it. */
function attempt(row: Row, step: Step): Result {
  const delayMs = heldBackMs(row, step)
  if (delayMs > 0) return [waiting(row, delayMs, step), []]
  return getToken(row, { step, isCounted: true })
}

function getToken(row: Row, { step, isCounted }: Beginning): Result {
  const dial = row.dial + 1
  const next = isCounted ? spent(row, step) : row
  const limits = limited(row, step.limits.tokenMs, step)
  return [
    { kind: "gettingToken", row: { ...next, dial }, isCounted, ...limits },
    [{ kind: "getToken", dial, refused: row.refusal }],
  ]
}

function withToken(state: StateOf<"gettingToken">, token: string, step: Step): Result {
  const { row, isCounted } = state
  if (row.refusedTokens.includes(token)) {
    return [{ kind: "closed", row, error: row.refusal ?? new HawserError("auth_token_invalid") }, []]
  }
  // The token function may have taken long, so the spent dial is moved to the present.
  const budgetFullAtMs = isCounted
    ? postponeDial(step.options, row.budgetFullAtMs, step.nowMs)
    : row.budgetFullAtMs
  const limits = limited(row, step.limits.dialMs, step)
  return [
    { kind: "dialing", row: { ...row, budgetFullAtMs }, token, ...limits },
    [{ kind: "dial", dial: row.dial }],
  ]
}

/** Unbinds the previous connection, then sends HELLO, whose resume claim requests a replay. */
function opened(state: ReconnectState, step: Step): Result {
  if (state.kind !== "dialing" && state.kind !== "moving") return [state, []]
  const { token } = state
  const isMove = state.kind === "moving"
  const row = isMove ? rowAfterOpen(state, step) : state.row
  const abandoned: readonly ReconnectEffect[] = isMove ? [{ kind: "abandon", dial: state.openDial }] : []
  const limits = limited(row, step.limits.welcomeMs, step)
  return [
    { kind: "authenticating", row, token, isMove, ...limits },
    [...abandoned, { kind: "sendHello", dial: row.dial, token }],
  ]
}

function welcomed({ row, token }: StateOf<"authenticating">, resumed: boolean, step: Step): ReconnectState {
  return {
    kind: "open",
    row: { ...row, wasOpen: true, failedDials: 0 },
    openedAtMs: step.nowMs,
    token,
    isUnconfirmed: false,
    openDial: row.dial,
    isProven: resumed,
    renewal: undefined,
    moveAtMs: undefined,
  }
}

/** Returns the limit of an attempt's step: `baseMs`, doubled with each failed dial before it. */
function limited(row: Row, baseMs: number, step: Step): Limited {
  const mostMs = Math.max(baseMs, step.options.dialTimeoutMaxMs)
  const limitMs = Math.min(baseMs * 2 ** row.failedDials, mostMs)
  return { deadlineMs: step.nowMs + limitMs, overdueAtMs: step.nowMs + baseMs }
}

// --- the open connection --------------------------------------------------------------------------------------

function isConnected(state: ReconnectState): state is Connected {
  return state.kind === "open" || state.kind === "moving"
}

/** Dials the next connection with the current token. If the token has expired, its refusal gets a fresh one. */
function move(state: StateOf<"open">, step: Step): Result {
  const delayMs = heldBackMs(state.row, step)
  if (delayMs > 0) return [{ ...state, moveAtMs: step.nowMs + delayMs }, []]
  const { moveAtMs: _, ...connection } = state
  const row = { ...spent(state.row, step), dial: state.row.dial + 1 }
  const deadlineMs = step.nowMs + step.limits.dialMs
  return [{ ...connection, kind: "moving", row, deadlineMs }, [{ kind: "dial", dial: row.dial }]]
}

/** Abandons a failed move. The open connection continues. */
function stay(state: StateOf<"moving">): Result {
  const { deadlineMs: _, ...connection } = state
  const { dial } = connection.row
  return [{ ...connection, kind: "open", moveAtMs: undefined }, [{ kind: "abandon", dial }]]
}

/** Continues a move as an ordinary attempt: the old connection was lost before the new one was open. */
function goOnDialing(state: StateOf<"moving">, error: HawserError, step: Step): Result {
  const { token, deadlineMs, openDial } = state
  // The dial under way is the first attempt of this outage.
  const row = { ...rowAfterFailure(state, error, step), dial: state.row.dial }
  return [
    { kind: "dialing", row, token, deadlineMs, overdueAtMs: deadlineMs },
    [
      { kind: "abandon", dial: openDial },
      { kind: "connectionLost", error },
    ],
  ]
}

/** Delay before the token function is called again on an open connection, in milliseconds. */
const renewAgainMs = 10_000

function renew(state: Connected, step: Step): Result {
  const delayMs = heldBackMs(state.row, step)
  const vain = state.renewal?.vain ?? 0
  if (delayMs > 0) return [{ ...state, renewal: { kind: "due", atMs: step.nowMs + delayMs, vain } }, []]
  const renewal = state.row.renewal + 1
  const row = { ...spent(state.row, step), renewal }
  const deadlineMs = step.nowMs + step.limits.tokenMs
  const running = { kind: "running", deadlineMs, vain } as const
  return [{ ...state, row, renewal: running }, [{ kind: "renewToken", renewal }]]
}

/**
 * Sends a fresh token. The current one again is not sent, because the server has it: a cache may return it until shortly before it
 * expires, so only the second time is reported.
 */
function renewed(state: Connected, token: string | HawserError, step: Step): Result {
  if (typeof token !== "string") return renewAgain(state, { error: token, afterVain: 0 }, step)
  if (token !== state.token)
    return [{ ...state, token, isUnconfirmed: true, renewal: undefined }, [{ kind: "sendAuth", token }]]
  const message =
    "the server requested a fresh token, and the token function returned the current one again: return a fresh one, or the connection ends soon after the token expires"
  return renewAgain(state, { error: new HawserError("auth_token_expired", { message }), afterVain: 1 }, step)
}

/** Calls the token function again later, unless the error is final. Reports the error once, after `afterVain` earlier calls. */
function renewAgain(
  state: Connected,
  { error, afterVain }: { readonly error: HawserError; readonly afterVain: number },
  step: Step,
): Result {
  const vain = state.renewal?.vain ?? 0
  const isFinal = error.retry === "never"
  const again = { kind: "due", atMs: step.nowMs + renewAgainMs, vain: vain + 1 } as const
  const effects = isFinal || vain === afterVain ? [{ kind: "report", error } as const] : []
  return [{ ...state, renewal: isFinal ? undefined : again }, effects]
}

function wakeRenewal(state: Connected, step: Step): Result {
  if (state.renewal?.kind === "due") return renew(state, step)
  const message = `the token function has not returned a fresh token within ${step.limits.tokenMs} ms`
  const error = new HawserError("connection_timeout", { message })
  return renewAgain(state, { error, afterVain: 0 }, step)
}

// --- ends -----------------------------------------------------------------------------------------------------

function close(state: ReconnectState): Result {
  if (state.kind === "closed") return [state, []]
  const error = new HawserError("client_closed")
  // The next dial number makes later events of the old socket stale.
  const row = { ...state.row, dial: state.row.dial + 1 }
  return [{ kind: "closed", row, error }, abandonment(state, error)]
}

function wake(state: ReconnectState, step: Step): Result {
  const atMs = wakeAtReconnect(state)
  if (atMs === undefined || step.nowMs < atMs) return [state, []]
  switch (state.kind) {
    case "waiting":
      return attempt(state.row, step)
    case "open":
    case "moving":
      if (atMs === renewalAtMs(state.renewal)) return wakeRenewal(state, step)
      return state.kind === "open" ? move(state, step) : stay(state)
    case "gettingToken":
    case "dialing":
    case "authenticating":
      return fail(state, timeoutError(state, step), step)
    case "idle":
    case "closed":
      return [state, []]
  }
}

function timeoutError(state: Attempting, { nowMs, limits }: Step): HawserError {
  const askedAtMs = state.overdueAtMs - limits.tokenMs
  const message =
    state.kind === "gettingToken"
      ? `the token function has not returned within ${Math.round(nowMs - askedAtMs)} ms`
      : `no ${state.kind === "dialing" ? "socket" : "WELCOME"} in time`
  return new HawserError("connection_timeout", { message })
}

function failed(
  state: ReconnectState,
  failure: { readonly dial: number; readonly error: HawserError },
  step: Step,
): Result {
  if (state.kind !== "moving") return fail(state, failure.error, step)
  if (failure.dial === state.row.dial) return stay(state)
  // A final error also ends the dial under way.
  if (failure.error.retry !== "later") return fail(state, failure.error, step)
  return goOnDialing(state, failure.error, step)
}

function fail(state: ReconnectState, error: HawserError, step: Step): Result {
  if (state.kind === "idle" || state.kind === "closed" || state.kind === "waiting") return [state, []]
  const effects = abandonment(state, error)
  const row = rowAfterFailure(state, error, step)
  if (error.retry === "never") return [{ kind: "closed", row, error }, effects]
  if (error.retry === "afterReauth" && "token" in state) {
    const isUnclear = isConnected(state) && state.isUnconfirmed
    const refusedTokens = isUnclear ? row.refusedTokens : [...row.refusedTokens.slice(-7), state.token]
    const refused = { ...row, refusedTokens, refusal: error }
    // The first refused token may have expired: get a fresh one at once. Later refusals wait like any failure, and so does
    // the refusal of a token that the server has just accepted.
    const isReliable = !isConnected(state) || isProven(state, step)
    if (row.refusedTokens.length === 0 && isReliable) {
      const [next, asked] = attempt(refused, step)
      return [next, [...effects, ...asked]]
    }
    return [wait(refused, error, step), effects]
  }
  return [wait(row, error, step), effects]
}

function rowAfterFailure(state: ReconnectState, error: HawserError, step: Step): Row {
  const row = isConnected(state) ? rowAfterOpen(state, step) : state.row
  const firstFailureAtMs = row.firstFailureAtMs ?? step.nowMs
  const isSlow = state.kind === "dialing" || error.code === "connection_timeout"
  return {
    ...row,
    failures: row.failures + 1,
    failedDials: row.failedDials + (isSlow ? 1 : 0),
    firstFailureAtMs,
    lastError: error,
    // The next dial number makes later events of the old socket stale, so no failure counts twice.
    dial: row.dial + 1,
  }
}

/** Returns the row after an open connection: a new row if the connection was proven. */
function rowAfterOpen(state: Connected, step: Step): Row {
  const row = isProven(state, step) ? freshRow(state.row, true) : state.row
  // An open session proves its token, so earlier refusals no longer count.
  return { ...row, refusedTokens: [], refusal: undefined }
}

function isProven(state: Connected, step: Step): boolean {
  return state.isProven || step.nowMs - state.openedAtMs >= step.options.stableAfterMs
}
