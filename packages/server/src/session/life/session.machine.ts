// The life of one server session: attached, detached, dropped, moved, ended. Decides what a claim, a lost connection and a
// passed window mean for the session. Must not know sockets, messages, tokens and timers; links are compared by identity only.
// `spec/life.pml` models the same states.
//
// Invariants:
//  1. At most one link is bound. A link that is not bound causes no effect but the shortening of a window (S6, S13).
//  2. `ended` and `moved` are final: no input leaves them, and each is entered once (S16).
//  3. A claim raises the generation by one and takes back the confirmation; only a message on the bound link confirms (S10).
//  4. A window ends at `untilMs`, and time without a connection over all lives of the process is at most `detachedMaxMs`.
//  5. A claim that is not confirmed lengthens no window: after it the session waits no longer than before it.
//  6. More than `takeoversMax` takeovers of a bound link within `takeoverWindowMs` end the session.

export interface LifeOptions {
  /** True if the client may come back after a lost connection. */
  readonly isResumable: boolean
  /** Window after a connection that this end drops, in milliseconds. */
  readonly resumeWindowMs: number
  /** Time without a connection, summed over the lives of the process, in milliseconds. */
  readonly detachedMaxMs: number
  /** Takeovers of a live connection within `takeoverWindowMs`. Beyond: `session_thrash`. */
  readonly takeoversMax: number
  readonly takeoverWindowMs: number
}

/** Claims of one session so far, and what they left of its windows. */
export interface Claims {
  /** Generation of the newest resume token. */
  readonly generation: number
  /** True once the client has shown that it received the newest token. */
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

/** `Claims` for another life of the process, whose clock is another one. */
export type ClaimsRecord = Omit<Claims, "takeoversAtMs"> & {
  /** Ages of recent takeovers, oldest first, in milliseconds. */
  readonly takeoversAgoMs: readonly number[]
}

export type LifeState<Link> =
  | { readonly kind: "attached"; readonly claims: Claims; readonly link: Link }
  | { readonly kind: "detached"; readonly claims: Claims; readonly sinceMs: number; readonly untilMs: number }
  /** Detached by this end; the close of `link` is still to come, and may tell that its page was left. */
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
  /** A claim that was judged good: of the token of `generation`, in the HELLO of `dial`. */
  | {
      readonly kind: "claim"
      readonly link: Link
      readonly generation: number
      readonly dial: number
      readonly nowMs: number
    }
  /** A message arrived on the link. */
  | { readonly kind: "message"; readonly link: Link }
  /** The link has closed; its client has `windowMs` to come back. */
  | { readonly kind: "closed"; readonly link: Link; readonly windowMs: number; readonly nowMs: number }
  /** This end gives the link up. */
  | { readonly kind: "drop"; readonly link: Link; readonly code: string; readonly nowMs: number }
  | { readonly kind: "wake"; readonly nowMs: number }
  | { readonly kind: "end"; readonly cause: string }
  /** Another process has claimed the session. */
  | { readonly kind: "move"; readonly code: string }

export type LifeEffect<Link> =
  /** The link is no longer bound: nothing of it reaches the session. */
  | { readonly kind: "unbind"; readonly link: Link }
  | { readonly kind: "close"; readonly link: Link; readonly code: string }
  | { readonly kind: "bind"; readonly link: Link }
  /** The session waits for its client. */
  | { readonly kind: "wait" }
  /** `link`: the connection that is still bound, to be closed with the session. */
  | { readonly kind: "end"; readonly cause: string; readonly link: Link | undefined }

type Step<Link> = readonly [LifeState<Link>, readonly LifeEffect<Link>[]]

/** Claims of a session that a HELLO with this dial number has opened. */
export function firstClaims({ resumeWindowMs }: Pick<LifeOptions, "resumeWindowMs">, dial: number): Claims {
  return {
    generation: 1,
    isConfirmed: false,
    lastDial: dial,
    takeoversAtMs: noTakeovers,
    windowMs: resumeWindowMs,
    spentMs: 0,
  }
}

const noTakeovers: readonly number[] = []

export function attachedLife<Link>(claims: Claims, link: Link): LifeState<Link> {
  return { kind: "attached", claims, link }
}

/** The life of a session that was read back: it waits for its client from now on. */
export function restoredLife<Link>(
  options: LifeOptions,
  { takeoversAgoMs, ...rest }: ClaimsRecord,
  nowMs: number,
): LifeState<Link> {
  const claims = { ...rest, takeoversAtMs: takeoversAgoMs.map((agoMs) => nowMs - agoMs) }
  return detached(options, claims, { windowMs: Math.min(claims.windowMs, options.resumeWindowMs), nowMs })
}

/** Claims of a session that is written down now: its time without a connection counts for the next life, too. */
export function claimsAt<Link>(state: LifeState<Link>, nowMs: number): ClaimsRecord {
  const { takeoversAtMs, ...claims } = afterWait(state, nowMs)
  return { ...claims, takeoversAgoMs: takeoversAtMs.map((atMs) => nowMs - atMs) }
}

/** Claims with the time of the current wait. */
function afterWait<Link>(state: LifeState<Link>, nowMs: number): Claims {
  const { claims } = state
  if (state.kind !== "detached" && state.kind !== "dropped") return claims
  return { ...claims, spentMs: claims.spentMs + (nowMs - state.sinceMs) }
}

/** Time of the next `wake`; undefined if the state waits for none. */
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

/** The client is back: its next windows depend on nothing before. */
function confirmed({ resumeWindowMs }: LifeOptions, claims: Claims): Claims {
  return { ...claims, isConfirmed: true, windowMs: resumeWindowMs, spentMs: 0 }
}

type Open<Link> = Exclude<LifeState<Link>, { kind: "ended" | "moved" }>
type Attached<Link> = Extract<LifeState<Link>, { kind: "attached" }>

function isBound<Link>(state: Open<Link>, link: Link): state is Attached<Link> {
  return state.kind === "attached" && state.link === link
}

/** The old link is unbound and closed before the new one is bound. */
function onClaim<Link>(
  { takeoversMax, takeoverWindowMs }: LifeOptions,
  state: Open<Link>,
  { link, generation, dial, nowMs }: Extract<LifeInput<Link>, { kind: "claim" }>,
): Step<Link> {
  const claims = afterWait(state, nowMs)
  if (state.kind !== "attached") {
    const accepted = { ...claims, generation: generation + 1, isConfirmed: false, lastDial: dial }
    return [attachedLife(accepted, link), [{ kind: "bind", link }]]
  }
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
  const accepted = {
    ...claims,
    generation: generation + 1,
    isConfirmed: false,
    lastDial: dial,
    takeoversAtMs,
  }
  return [attachedLife(accepted, link), [...loose, { kind: "bind", link }]]
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

/** A dropped link may still close with the code of a page that was left: then its client does not come back. */
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
  // The client may never have received the WELCOME of an unconfirmed claim.
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
