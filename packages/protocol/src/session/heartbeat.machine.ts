// Decides when a connection is probed and when it is dead. Runs at the client of `hawser.1`. Must not know sockets or timers.
// Invariants:
//  1. At most one probe is valid.
//  2. A connection that received a message within its probe's time is never dead.
//  3. If the process itself was late, the connection gets extra time, in which the messages that have arrived can be read:
//     once, as long as the process was late, at most the probe's time.

/** Deadlines in milliseconds. They are read when a probe is sent, so they may follow the measured round trip. */
export interface HeartbeatOptions {
  /** Silence after which the connection is probed. */
  readonly probeAfterMs: number
  /** Time for the answer to that probe. */
  readonly probeTimeoutMs: number
  /** Time from a reliable message to the next received message. Later: the connection is probed. */
  readonly unansweredMs: number
  /** Time for the answer to that probe. */
  readonly unansweredTimeoutMs: number
  /** Least time from a message to its answer. A message that arrives sooner was sent before. 0: unknown. */
  readonly leastAnswerMs: number
}

interface Alive {
  /** Time of the last received message. */
  readonly heardAtMs: number
  /** Number of the last probe; 0: none. */
  readonly lastNumber: number
  /** Time of the last pong, or of the handshake, which measured the round trip. */
  readonly measuredAtMs: number
}

interface Probe extends Alive {
  readonly sentAtMs: number
  /** Time for the answer; any received message restarts it. */
  readonly timeoutMs: number
}

/** State of one connection's heartbeat. */
export type HeartbeatState =
  | (Alive & { readonly kind: "listening" })
  /** A reliable message was sent at `askedAtMs`; no message that can be its answer has been received since. */
  | (Alive & { readonly kind: "asking"; readonly askedAtMs: number })
  | (Probe & { readonly kind: "probing" })
  /** The probe's time passed while this process did not run. Without a message by `deadAtMs` the connection is dead. */
  | (Probe & { readonly kind: "overdue"; readonly deadAtMs: number })
  | { readonly kind: "dead" }

/** Input of the machine; `nowMs` is the time of the clock, in milliseconds. */
export type HeartbeatInput =
  /** A message was received; it is not decoded yet. */
  | { readonly kind: "heard"; readonly nowMs: number }
  | { readonly kind: "pong"; readonly number: number; readonly nowMs: number }
  /** A reliable message was sent: an answer or an acknowledgement must follow. */
  | { readonly kind: "asked"; readonly nowMs: number }
  /**
   * The request that was sent at `sentAtMs` has timed out. The connection is probed, unless a message was received since or
   * no answer could have arrived yet.
   */
  | { readonly kind: "unanswered"; readonly sentAtMs: number; readonly nowMs: number }
  /** The application requests a round trip. */
  | { readonly kind: "probe"; readonly nowMs: number }
  /** The process may have slept: the connection must be checked within `timeoutMs`. */
  | { readonly kind: "doubt"; readonly nowMs: number; readonly timeoutMs: number }
  | { readonly kind: "wake"; readonly nowMs: number }

/** Effect for the runner. `dead`: the runner closes the connection. */
export type HeartbeatEffect =
  | { readonly kind: "sendPing"; readonly number: number }
  | { readonly kind: "roundTrip"; readonly ms: number }
  | { readonly kind: "dead"; readonly silentMs: number }

type Step = readonly [HeartbeatState, readonly HeartbeatEffect[]]
type Living = Exclude<HeartbeatState, { kind: "dead" }>

/** Round-trip measurements of a busy connection per `probeAfterMs`. */
const measuredPerProbe = 4

/** Delay of a wake, in milliseconds, up to which it counts as on time. */
const onTimeMs = 50

/** Returns the state of a new connection. */
export function initialHeartbeat(nowMs: number): HeartbeatState {
  return { kind: "listening", heardAtMs: nowMs, lastNumber: 0, measuredAtMs: nowMs }
}

/** Returns the time of the next `wake`; undefined: none. */
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

/** Returns the next state and its effects. */
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
 * Sends a probe with a message now and then. A connection that is never silent would otherwise never be measured, and its
 * deadlines would follow an old round trip.
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
 * Keeps a probe that is due within `timeoutMs`, and replaces any other. The answer to a probe that was due before may be from
 * before the sleep. A restart at every doubt would keep a dead connection.
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
