// Decides when a silent connection is probed and when it counts as dead. Runs at the client of `hawser.1`.
// Invariants: at most one probe counts; a connection that was heard from within its probe's time is never called dead.

export interface HeartbeatOptions {
  readonly probeAfterMs: number
  readonly probeTimeoutMs: number
}

export type HeartbeatState =
  | { readonly kind: "listening"; readonly heardAtMs: number; readonly lastNumber: number }
  | {
      readonly kind: "probing"
      readonly heardAtMs: number
      readonly lastNumber: number
      readonly sentAtMs: number
      /** How long the answer may take. */
      readonly timeoutMs: number
    }
  | { readonly kind: "dead" }

export type HeartbeatInput =
  /** Any message came, before it is decoded. */
  | { readonly kind: "heard"; readonly nowMs: number }
  | { readonly kind: "pong"; readonly number: number; readonly nowMs: number }
  /** Somebody asks for a round trip now. */
  | { readonly kind: "probe"; readonly nowMs: number }
  /** The process may have slept: whether the connection is alive must be known soon, however long it was silent. */
  | { readonly kind: "doubt"; readonly nowMs: number; readonly timeoutMs: number }
  | { readonly kind: "wake"; readonly nowMs: number }

export type HeartbeatEffect =
  | { readonly kind: "sendPing"; readonly number: number }
  | { readonly kind: "roundTrip"; readonly ms: number }
  | { readonly kind: "dead"; readonly silentMs: number }

export function initialHeartbeat(nowMs: number): HeartbeatState {
  return { kind: "listening", heardAtMs: nowMs, lastNumber: 0 }
}

/** When the machine wants a `wake`. */
export function wakeAtHeartbeat(options: HeartbeatOptions, state: HeartbeatState): number | undefined {
  switch (state.kind) {
    case "listening":
      return state.heardAtMs + options.probeAfterMs
    case "probing":
      return Math.max(state.sentAtMs, state.heardAtMs) + state.timeoutMs
    case "dead":
      return undefined
  }
}

export function stepHeartbeat(
  options: HeartbeatOptions,
  state: HeartbeatState,
  input: HeartbeatInput,
): readonly [HeartbeatState, readonly HeartbeatEffect[]] {
  if (state.kind === "dead") return [state, []]
  switch (input.kind) {
    case "heard":
      return [{ ...state, heardAtMs: input.nowMs }, []]
    case "pong": {
      if (state.kind !== "probing" || input.number !== state.lastNumber) return [state, []]
      const { lastNumber, sentAtMs } = state
      return [
        { kind: "listening", heardAtMs: input.nowMs, lastNumber },
        [{ kind: "roundTrip", ms: input.nowMs - sentAtMs }],
      ]
    }
    case "probe":
      return state.kind === "probing" ? [state, []] : probe(state, input.nowMs, options.probeTimeoutMs)
    case "doubt": {
      // A probe that was due before now may have slept too: its answer would prove nothing. One that is due soon will
      // do; starting it over at every doubt would keep a dead connection alive.
      const dueAtMs = wakeAtHeartbeat(options, state) ?? input.nowMs
      const isDueSoon = dueAtMs > input.nowMs && dueAtMs <= input.nowMs + input.timeoutMs
      if (state.kind === "probing" && isDueSoon) return [state, []]
      return probe(state, input.nowMs, input.timeoutMs)
    }
    case "wake": {
      const dueAtMs = wakeAtHeartbeat(options, state)
      if (dueAtMs === undefined || input.nowMs < dueAtMs) return [state, []]
      if (state.kind === "listening") return probe(state, input.nowMs, options.probeTimeoutMs)
      return [{ kind: "dead" }, [{ kind: "dead", silentMs: input.nowMs - state.heardAtMs }]]
    }
  }
}

function probe(
  state: Extract<HeartbeatState, { kind: "listening" | "probing" }>,
  nowMs: number,
  timeoutMs: number,
): readonly [HeartbeatState, readonly HeartbeatEffect[]] {
  const number = state.lastNumber + 1
  return [
    { kind: "probing", heardAtMs: state.heardAtMs, lastNumber: number, sentAtMs: nowMs, timeoutMs },
    [{ kind: "sendPing", number }],
  ]
}
