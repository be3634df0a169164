// Decides when a connection is probed and when it counts as dead. Runs at the client of `hawser.1`.
// Invariants:
//  1. At most one probe counts.
//  2. A connection that was heard from within its probe's time is never called dead.
//  3. A process that was late itself calls no connection dead before the messages that arrived meanwhile have had a
//     chance: once, for as long as it was late, and for no longer than the probe's time.

/** Deadlines in milliseconds. They are read when a probe is sent, so they may follow the measured round trip. */
export interface HeartbeatOptions {
  /** Silence after which a connection is probed, and the time for the answer. */
  readonly probeAfterMs: number
  readonly probeTimeoutMs: number
  /** Time from a reliable message to any sign of life, after which the connection is doubted; the time for the answer. */
  readonly unansweredMs: number
  readonly unansweredTimeoutMs: number
  /** Least time from a message to its answer; what is heard sooner was under way before. 0: not known. */
  readonly leastAnswerMs: number
}

interface Alive {
  readonly heardAtMs: number
  readonly lastNumber: number
  /** Time of the last pong, or of the connection's beginning, whose handshake measured the round trip. */
  readonly measuredAtMs: number
}

interface Probe extends Alive {
  readonly sentAtMs: number
  /** Time for the answer; any message begins it again. */
  readonly timeoutMs: number
}

export type HeartbeatState =
  | (Alive & { readonly kind: "listening" })
  /** A reliable message was sent at `askedAtMs`, and nothing was heard since that can be its answer. */
  | (Alive & { readonly kind: "asking"; readonly askedAtMs: number })
  | (Probe & { readonly kind: "probing" })
  /** The probe's time passed while this process did not run. The connection is dead at `deadAtMs`, if nothing is heard. */
  | (Probe & { readonly kind: "overdue"; readonly deadAtMs: number })
  | { readonly kind: "dead" }

export type HeartbeatInput =
  /** Any message came, before it is decoded. */
  | { readonly kind: "heard"; readonly nowMs: number }
  | { readonly kind: "pong"; readonly number: number; readonly nowMs: number }
  /** A reliable message was sent: an answer or an acknowledgement must follow. */
  | { readonly kind: "asked"; readonly nowMs: number }
  /**
   * A message that was sent at `sentAtMs` is given up. Without any sign of life since, it is a doubt, unless no answer
   * could have come yet.
   */
  | { readonly kind: "unanswered"; readonly sentAtMs: number; readonly nowMs: number }
  /** The caller asks for a round trip now. */
  | { readonly kind: "probe"; readonly nowMs: number }
  /** The process may have slept: whether the connection is alive must be known soon, however long it was silent. */
  | { readonly kind: "doubt"; readonly nowMs: number; readonly timeoutMs: number }
  | { readonly kind: "wake"; readonly nowMs: number }

export type HeartbeatEffect =
  | { readonly kind: "sendPing"; readonly number: number }
  | { readonly kind: "roundTrip"; readonly ms: number }
  | { readonly kind: "dead"; readonly silentMs: number }

type Step = readonly [HeartbeatState, readonly HeartbeatEffect[]]
type Living = Exclude<HeartbeatState, { kind: "dead" }>

/** A connection that is used is measured so many times as often as one that is silent is probed. */
const measuredPerProbe = 4

/** Delay of a wake, in milliseconds, up to which it counts as on time. */
const onTimeMs = 50

export function initialHeartbeat(nowMs: number): HeartbeatState {
  return { kind: "listening", heardAtMs: nowMs, lastNumber: 0, measuredAtMs: nowMs }
}

/** When the machine wants a `wake`. */
export function wakeAtHeartbeat(options: HeartbeatOptions, state: HeartbeatState): number | undefined {
  switch (state.kind) {
    case "listening":
      return state.heardAtMs + options.probeAfterMs
    case "asking":
      return Math.min(state.heardAtMs + options.probeAfterMs, state.askedAtMs + options.unansweredMs)
    case "probing":
      return Math.max(state.sentAtMs, state.heardAtMs) + state.timeoutMs
    case "overdue":
      return state.deadAtMs
    case "dead":
      return undefined
  }
}

export function stepHeartbeat(options: HeartbeatOptions, state: HeartbeatState, input: HeartbeatInput): Step {
  if (state.kind === "dead") return [state, []]
  const { nowMs } = input
  switch (input.kind) {
    case "heard":
      return [heard(options, state, nowMs), []]
    case "pong": {
      if (!isProbed(state) || input.number !== state.lastNumber) return [state, []]
      const { lastNumber, sentAtMs } = state
      return [
        { kind: "listening", heardAtMs: nowMs, lastNumber, measuredAtMs: nowMs },
        [{ kind: "roundTrip", ms: nowMs - sentAtMs }],
      ]
    }
    case "asked":
      return state.kind === "listening" ? asked(options, state, nowMs) : [state, []]
    case "unanswered":
      if (isProbed(state) || state.heardAtMs > input.sentAtMs) return [state, []]
      if (nowMs - input.sentAtMs < options.leastAnswerMs) return [state, []]
      return probe(state, nowMs, options.unansweredTimeoutMs)
    case "probe":
      return isProbed(state) ? [state, []] : probe(state, nowMs, options.probeTimeoutMs)
    case "doubt":
      return doubt(options, state, input)
    case "wake":
      return wake(options, state, nowMs)
  }
}

function heard({ leastAnswerMs }: HeartbeatOptions, state: Living, nowMs: number): HeartbeatState {
  const { lastNumber, measuredAtMs } = state
  if (state.kind === "asking" && nowMs - state.askedAtMs < leastAnswerMs)
    return { ...state, heardAtMs: nowMs }
  if (!isProbed(state)) return { kind: "listening", heardAtMs: nowMs, lastNumber, measuredAtMs }
  const { sentAtMs, timeoutMs } = state
  return { kind: "probing", heardAtMs: nowMs, lastNumber, measuredAtMs, sentAtMs, timeoutMs }
}

/**
 * A connection that is never silent is never probed, and its deadlines would follow an old round trip: now and then a
 * probe goes along with a message.
 */
function asked(
  { probeAfterMs, unansweredMs, unansweredTimeoutMs }: HeartbeatOptions,
  state: Extract<HeartbeatState, { kind: "listening" }>,
  nowMs: number,
): Step {
  if (nowMs - state.measuredAtMs >= probeAfterMs / measuredPerProbe)
    return probe(state, nowMs, unansweredMs + unansweredTimeoutMs)
  return [{ ...state, kind: "asking", askedAtMs: nowMs }, []]
}

/**
 * A probe that was due before now may have slept, too: its answer would prove nothing. One that is due soon will do;
 * starting it over at every doubt would keep a dead connection alive.
 */
function doubt(
  options: HeartbeatOptions,
  state: Living,
  { nowMs, timeoutMs }: { readonly nowMs: number; readonly timeoutMs: number },
): Step {
  const dueAtMs = wakeAtHeartbeat(options, state) ?? nowMs
  const isDueSoon = dueAtMs > nowMs && dueAtMs <= nowMs + timeoutMs
  return state.kind === "probing" && isDueSoon ? [state, []] : probe(state, nowMs, timeoutMs)
}

function wake(options: HeartbeatOptions, state: Living, nowMs: number): Step {
  const dueAtMs = wakeAtHeartbeat(options, state)
  if (dueAtMs === undefined || nowMs < dueAtMs) return [state, []]
  const lateMs = nowMs - dueAtMs
  switch (state.kind) {
    case "listening":
      return probe(state, nowMs, options.probeTimeoutMs)
    case "asking": {
      const isUnanswered = state.askedAtMs + options.unansweredMs <= nowMs
      return probe(state, nowMs, isUnanswered ? options.unansweredTimeoutMs : options.probeTimeoutMs)
    }
    case "probing":
      if (lateMs <= onTimeMs) return dead(state, nowMs)
      return [{ ...state, kind: "overdue", deadAtMs: nowMs + Math.min(lateMs, state.timeoutMs) }, []]
    case "overdue":
      return dead(state, nowMs)
  }
}

function isProbed(state: Living): state is Extract<Living, Probe> {
  return state.kind === "probing" || state.kind === "overdue"
}

function dead(state: Living, nowMs: number): Step {
  return [{ kind: "dead" }, [{ kind: "dead", silentMs: nowMs - state.heardAtMs }]]
}

function probe(state: Living, nowMs: number, timeoutMs: number): Step {
  const { heardAtMs, measuredAtMs } = state
  const number = state.lastNumber + 1
  return [
    { kind: "probing", heardAtMs, lastNumber: number, measuredAtMs, sentAtMs: nowMs, timeoutMs },
    [{ kind: "sendPing", number }],
  ]
}
