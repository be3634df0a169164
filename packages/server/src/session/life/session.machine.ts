// Life of one server session: attached, detached, dropped, moved, ended. Decides the effects of claims, lost connections and expired
// windows. Must not know sockets, messages, tokens and timers; links are compared by identity only. `spec/life.pml` models the same
// states.
//
// Invariants:
//  1. At most one link is bound. A link that is not bound causes no effect but the shortening of a window (S6, S13).
//  2. `ended` and `moved` are final: no input leaves them, and each is entered once (S16).
//  3. A claim increments the generation and clears the confirmation; only a message on the bound link confirms (S10).
//  4. A window ends at `untilMs`, and time without a connection over all lives of the process is at most `detachedMaxMs`.
//  5. A claim that is not confirmed lengthens no window: after it the session waits no longer than before it.
//  6. More than `takeoversMax` takeovers of a bound link within `takeoverWindowMs` end the session.

/** Bounds of a session's life. */
export interface LifeOptions {
  /** True if the client may resume after a lost connection. */
  readonly isResumable: boolean
  /** Resume window after a connection that the server drops, in milliseconds. */
  readonly resumeWindowMs: number
  /** Time without a connection, summed over the lives of the process, in milliseconds. */
  readonly detachedMaxMs: number
  /** Takeovers of a live connection within `takeoverWindowMs`. Above it the session ends with `session_thrash`. */
  readonly takeoversMax: number
  readonly takeoverWindowMs: number
}

/** Accepted claims of one session, and its windows. */
export interface Claims {
  /** Generation of the newest resume token; the number of the first is 1. */
  readonly generation: number
  /** True once a message on the bound link has shown that the client received the newest token. */
  readonly isConfirmed: boolean
  /** Dial number of the last accepted HELLO. */
  readonly lastDial: number
  /** Times of recent takeovers, oldest first. */
  readonly takeoversAtMs: readonly number[]
  /** Longest window of a connection that is lost before its claim is confirmed, in milliseconds. */
  readonly windowMs: number
  /** Time without a connection before the current wait and since the last confirmed claim, over all lives, in milliseconds. */
  readonly spentMs: number
}

/** `Claims` for a record. Times are ages, because another process has another clock. */
export type ClaimsRecord = Omit<Claims, "takeoversAtMs"> & {
  /** Ages of recent takeovers, oldest first, in milliseconds. */
  readonly takeoversAgoMs: readonly number[]
}

export type LifeState<Link> =
  | { readonly kind: "attached"; readonly claims: Claims; readonly link: Link }
  | { readonly kind: "detached"; readonly claims: Claims; readonly sinceMs: number; readonly untilMs: number }
  /** Detached by the server. The close of `link` follows, and its code may show that the page was left. */
  | {
      readonly kind: "dropped"
      readonly claims: Claims
      readonly sinceMs: number
      readonly untilMs: number
      readonly link: Link
    }
  /** Another process has claimed the session. */
  | { readonly kind: "moved"; readonly claims: Claims }
  | { readonly kind: "ended"; readonly claims: Claims; readonly cause: string }

export type LifeInput<Link> =
  /** Accepted claim, with the generation of its token and the dial number of its HELLO. */
  | {
      readonly kind: "claim"
      readonly link: Link
      readonly generation: number
      readonly dial: number
      readonly nowMs: number
    }
  /** A message arrived on the link. */
  | { readonly kind: "message"; readonly link: Link }
  /** The link has closed; the resume window is `windowMs`. */
  | { readonly kind: "closed"; readonly link: Link; readonly windowMs: number; readonly nowMs: number }
  /** The server drops the link. */
  | { readonly kind: "drop"; readonly link: Link; readonly code: string; readonly nowMs: number }
  | { readonly kind: "wake"; readonly nowMs: number }
  | { readonly kind: "end"; readonly cause: string }
  /** Another process has claimed the session. */
  | { readonly kind: "move"; readonly code: string }

export type LifeEffect<Link> =
  /** Unbind the link: the session ignores its messages from now on. */
  | { readonly kind: "unbind"; readonly link: Link }
  | { readonly kind: "close"; readonly link: Link; readonly code: string }
  | { readonly kind: "bind"; readonly link: Link }
  /** The session is detached and waits for a resume. */
  | { readonly kind: "wait" }
  /** `link`: the bound link, to be closed after the end is reported; undefined while detached. */
  | { readonly kind: "end"; readonly cause: string; readonly link: Link | undefined }

type Step<Link> = readonly [LifeState<Link>, readonly LifeEffect<Link>[]]

/** Returns the claims of a session that a HELLO with this dial number opens. */
export function firstClaims({ resumeWindowMs }: Pick<LifeOptions, "resumeWindowMs">, dial: number): Claims {
  return shared({
    generation: 1,
    isConfirmed: false,
    lastDial: dial,
    takeoversAtMs: noTakeovers,
    windowMs: resumeWindowMs,
    spentMs: 0,
  })
}

const noTakeovers: readonly number[] = []

const latest: { first: Claims | undefined; confirmed: Claims | undefined } = {
  first: undefined,
  confirmed: undefined,
}

/** Returns the latest equal claims without a wait, if any: most sessions have the same ones, and share their memory. */
function shared(claims: Claims): Claims {
  const kind = claims.isConfirmed ? "confirmed" : "first"
  const other = latest[kind]
  if (other !== undefined && isSame(other, claims)) return other
  latest[kind] = claims
  return claims
}

function isSame(one: Claims, other: Claims): boolean {
  return (
    one.generation === other.generation &&
    one.lastDial === other.lastDial &&
    one.takeoversAtMs === other.takeoversAtMs &&
    one.windowMs === other.windowMs &&
    one.spentMs === other.spentMs
  )
}

export function attachedLife<Link>(claims: Claims, link: Link): LifeState<Link> {
  return { kind: "attached", claims, link }
}

/** Returns the state of a restored session: detached from now on. */
export function restoredLife<Link>(
  options: LifeOptions,
  { takeoversAgoMs, ...rest }: ClaimsRecord,
  nowMs: number,
): LifeState<Link> {
  const claims = { ...rest, takeoversAtMs: takeoversAgoMs.map((agoMs) => nowMs - agoMs) }
  return detached(options, claims, { windowMs: Math.min(claims.windowMs, options.resumeWindowMs), nowMs })
}

/** Returns the claims for a record. They include the time without a connection until now. */
export function claimsAt<Link>(state: LifeState<Link>, nowMs: number): ClaimsRecord {
  const { takeoversAtMs, ...claims } = afterWait(state, nowMs)
  return { ...claims, takeoversAgoMs: takeoversAtMs.map((atMs) => nowMs - atMs) }
}

/** Returns the claims, with the time of the current wait. */
function afterWait<Link>(state: LifeState<Link>, nowMs: number): Claims {
  const { claims } = state
  if (state.kind !== "detached" && state.kind !== "dropped") return claims
  return { ...claims, spentMs: claims.spentMs + (nowMs - state.sinceMs) }
}

/** Returns the time of the next `wake`; undefined without one. */
export function wakeAtLife<Link>(state: LifeState<Link>): number | undefined {
  return state.kind === "detached" || state.kind === "dropped" ? state.untilMs : undefined
}

export function stepLife<Link>(
  options: LifeOptions,
  state: LifeState<Link>,
  input: LifeInput<Link>,
): Step<Link> {
  if (state.kind === "ended" || state.kind === "moved") return [state, []]
  switch (input.kind) {
    case "claim":
      return onClaim(options, state, input)
    case "message":
      return isBound(state, input.link) && !state.claims.isConfirmed
        ? [{ ...state, claims: confirmed(options, state.claims) }, []]
        : [state, []]
    case "closed":
      return isBound(state, input.link) ? lose(options, state, input) : onLateClose(state, input)
    case "drop":
      return isBound(state, input.link) ? onDrop(options, state, input) : [state, []]
    case "wake":
      return input.nowMs < (wakeAtLife(state) ?? Number.POSITIVE_INFINITY)
        ? [state, []]
        : end(state, "session_expired")
    case "end":
      return end(state, input.cause)
    case "move":
      return move(state, input.code)
  }
}

/** Confirms the claim: later windows have their full length again. */
function confirmed({ resumeWindowMs }: LifeOptions, claims: Claims): Claims {
  return shared({ ...claims, isConfirmed: true, windowMs: resumeWindowMs, spentMs: 0 })
}

type Open<Link> = Exclude<LifeState<Link>, { kind: "ended" | "moved" }>
type Attached<Link> = Extract<LifeState<Link>, { kind: "attached" }>

function isBound<Link>(state: Open<Link>, link: Link): state is Attached<Link> {
  return state.kind === "attached" && state.link === link
}

/** Unbinds and closes the old link, then binds the new one. */
function onClaim<Link>(
  { takeoversMax, takeoverWindowMs }: LifeOptions,
  state: Open<Link>,
  { link, generation, dial, nowMs }: Extract<LifeInput<Link>, { kind: "claim" }>,
): Step<Link> {
  const claims = afterWait(state, nowMs)
  const accepted = { ...claims, generation: generation + 1, isConfirmed: false, lastDial: dial }
  if (state.kind !== "attached") return [attachedLife(accepted, link), [{ kind: "bind", link }]]
  const old = state.link
  const loose: LifeEffect<Link>[] = [
    { kind: "unbind", link: old },
    { kind: "close", link: old, code: "replaced" },
  ]
  const recent = claims.takeoversAtMs.filter((atMs) => nowMs - atMs < takeoverWindowMs)
  const takeoversAtMs = [...recent, nowMs]
  if (takeoversAtMs.length > takeoversMax)
    return [
      { kind: "ended", claims, cause: "session_thrash" },
      [...loose, { kind: "end", cause: "session_thrash", link: undefined }],
    ]
  return [attachedLife({ ...accepted, takeoversAtMs }, link), [...loose, { kind: "bind", link }]]
}

function lose<Link>(
  options: LifeOptions,
  state: Attached<Link>,
  { link, windowMs, nowMs }: Extract<LifeInput<Link>, { kind: "closed" }>,
): Step<Link> {
  const unbind: LifeEffect<Link> = { kind: "unbind", link }
  if (!options.isResumable) {
    const cause = "connection_lost"
    return [{ kind: "ended", claims: state.claims, cause }, [unbind, { kind: "end", cause, link: undefined }]]
  }
  return [detached(options, state.claims, { windowMs, nowMs }), [unbind, { kind: "wait" }]]
}

/** Shortens the window if a dropped link closes with the code of a page that was left. */
function onLateClose<Link>(
  state: Open<Link>,
  { link, windowMs, nowMs }: Extract<LifeInput<Link>, { kind: "closed" }>,
): Step<Link> {
  if (state.kind !== "dropped" || state.link !== link) return [state, []]
  const { claims, sinceMs, untilMs } = state
  if (windowMs >= claims.windowMs) return [{ kind: "detached", claims, sinceMs, untilMs }, []]
  const shorter = { ...claims, windowMs }
  return [{ kind: "detached", claims: shorter, sinceMs, untilMs: Math.min(untilMs, nowMs + windowMs) }, []]
}

function onDrop<Link>(
  options: LifeOptions,
  state: Attached<Link>,
  { link, code, nowMs }: Extract<LifeInput<Link>, { kind: "drop" }>,
): Step<Link> {
  if (!options.isResumable) return end(state, code)
  const { resumeWindowMs: windowMs } = options
  const waiting = detached<Link>(options, state.claims, { windowMs, nowMs })
  const effects: LifeEffect<Link>[] = [
    { kind: "unbind", link },
    { kind: "wait" },
    { kind: "close", link, code },
  ]
  return [waiting.kind === "detached" ? { ...waiting, kind: "dropped", link } : waiting, effects]
}

function detached<Link>(
  { detachedMaxMs }: LifeOptions,
  claims: Claims,
  { windowMs, nowMs }: { readonly windowMs: number; readonly nowMs: number },
): LifeState<Link> {
  // The client of an unconfirmed claim may not have received its WELCOME.
  const allowedMs = claims.isConfirmed ? windowMs : Math.min(windowMs, claims.windowMs)
  const leftMs = Math.max(0, Math.min(allowedMs, detachedMaxMs - claims.spentMs))
  return {
    kind: "detached",
    claims: { ...claims, windowMs: allowedMs },
    sinceMs: nowMs,
    untilMs: nowMs + leftMs,
  }
}

function end<Link>(state: Open<Link>, cause: string): Step<Link> {
  const link = state.kind === "attached" ? state.link : undefined
  const effects: LifeEffect<Link>[] = [{ kind: "end", cause, link }]
  return [{ kind: "ended", claims: state.claims, cause }, effects]
}

function move<Link>(state: Open<Link>, code: string): Step<Link> {
  const { claims } = state
  if (state.kind !== "attached") return [{ kind: "moved", claims }, []]
  const { link } = state
  return [
    { kind: "moved", claims },
    [
      { kind: "unbind", link },
      { kind: "close", link, code },
    ],
  ]
}
