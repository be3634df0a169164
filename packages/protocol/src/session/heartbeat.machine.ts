// Decides when a silent connection is probed and when it counts as dead. Runs at the client of `hawser.1`.
// Invariants: at most one probe is out; a connection that was heard from within probeTimeoutMs is never called dead.

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
    }
  | { readonly kind: "dead" }

export type HeartbeatInput =
  /** Any message came, before it is decoded. */
  | { readonly kind: "heard"; readonly nowMs: number }
  | { readonly kind: "pong"; readonly number: number; readonly nowMs: number }
  /** Somebody asks for a round trip now. */
  | { readonly kind: "probe"; readonly nowMs: number }
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
      return Math.max(state.sentAtMs, state.heardAtMs) + options.probeTimeoutMs
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
      return state.kind === "probing" ? [state, []] : probe(state, input.nowMs)
    case "wake": {
      const dueAtMs = wakeAtHeartbeat(options, state)
      if (dueAtMs === undefined || input.nowMs < dueAtMs) return [state, []]
      if (state.kind === "listening") return probe(state, input.nowMs)
      return [{ kind: "dead" }, [{ kind: "dead", silentMs: input.nowMs - state.heardAtMs }]]
    }
  }
}

function probe(
  state: Extract<HeartbeatState, { kind: "listening" }>,
  nowMs: number,
): readonly [HeartbeatState, readonly HeartbeatEffect[]] {
  const number = state.lastNumber + 1
  return [
    { kind: "probing", heardAtMs: state.heardAtMs, lastNumber: number, sentAtMs: nowMs },
    [{ kind: "sendPing", number }],
  ]
}
