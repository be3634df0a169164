// Runs the heartbeat machine on one connection at a time, and measures round trips for `ping()`. Its deadlines follow the
// measured round trip, because lossy links answer late. Must not know frames or sessions.
import { HawserError } from "@hawser/protocol"
import {
  initialHeartbeat,
  probePatience,
  stepHeartbeat,
  wakeAtHeartbeat,
  wakePatience,
} from "@hawser/protocol/core"
import type { HeartbeatInput, HeartbeatOptions, HeartbeatState } from "@hawser/protocol/core"
import { Doubt } from "./doubt.ts"
import type { RunClientOptions } from "./run-client-options.ts"

export interface HeartbeatRunnerOptions extends Pick<
  RunClientOptions,
  "clock" | "timers" | "limits" | "roundTrip"
> {
  /** Returns the unacknowledged bytes: their upload delays an answer. */
  readonly unacknowledgedBytes: () => number
  readonly sendPing: (number: number) => void
  /** Called when no message came for `silentMs` milliseconds and a probe stayed unanswered. */
  readonly onDead: (silentMs: number) => void
  /** Called with the time of the last message when the connection becomes doubtful, with undefined when it is not any more. */
  readonly onDoubt: (heardAtMs: number | undefined) => void
}

/** Slowest supported uplink, in bytes per millisecond: 8 kbit/s. */
const leastBytesPerMs = 1

/** Deadlines of the machine, from the limits, the round trip and the unacknowledged bytes. */
class Deadlines implements HeartbeatOptions {
  readonly probeAfterMs: number
  readonly unansweredMs: number
  readonly #options: HeartbeatRunnerOptions

  constructor(options: HeartbeatRunnerOptions) {
    this.#options = options
    this.probeAfterMs = options.limits.probeAfterMs
    this.unansweredMs = options.limits.unansweredMs
  }

  get probeTimeoutMs(): number {
    return this.#timeoutMs(this.#options.limits.probeTimeoutMs, probePatience)
  }

  get unansweredTimeoutMs(): number {
    return this.#timeoutMs(this.#options.limits.wakeProbeMs, probePatience)
  }

  get wakeTimeoutMs(): number {
    return this.#timeoutMs(this.#options.limits.wakeProbeMs, wakePatience)
  }

  get leastAnswerMs(): number {
    return (this.#options.roundTrip.smoothedMs ?? 0) / 2
  }

  #timeoutMs(leastMs: number, patience: number): number {
    const { limits, roundTrip, unacknowledgedBytes } = this.#options
    const uploadMs = unacknowledgedBytes() / leastBytesPerMs
    const mostMs = Math.max(leastMs, limits.probeTimeoutMaxMs)
    return Math.min(roundTrip.timeoutMs({ leastMs, mostMs, patience }) + uploadMs, mostMs)
  }
}

export class Heartbeat {
  readonly #options: HeartbeatRunnerOptions
  readonly #deadlines: Deadlines
  readonly #doubt: Doubt
  readonly #waiters = new Set<{ resolve: (ms: number) => void; reject: (error: HawserError) => void }>()
  #state: HeartbeatState | undefined
  #cancelWake: () => void = () => {}
  #wakeAtMs = Number.POSITIVE_INFINITY
  #roundTripMs: number | undefined
  #receivedAtMs: number

  constructor(options: HeartbeatRunnerOptions) {
    this.#options = options
    this.#deadlines = new Deadlines(options)
    this.#doubt = new Doubt({
      ...options,
      isProbing: () => this.#isProbing,
      probe: (askedAtMs) => this.#probeFor(askedAtMs),
    })
    this.#receivedAtMs = options.clock.now()
  }

  /** Time of the last message, also after its connection was lost. */
  get receivedAtMs(): number {
    return this.#receivedAtMs
  }

  /** The last measured round trip, in milliseconds; undefined before the first. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs
  }

  /** Starts with an open connection. */
  start(): void {
    this.#state = initialHeartbeat(this.#nowMs)
    this.#arm(this.#state)
  }

  /** Stops: the connection was lost. Waiting calls of `ping` reject with `connection_lost`. */
  stop(): void {
    this.#state = undefined
    this.#doubt.stop()
    this.#cancelWake()
    for (const waiter of this.#waiters) waiter.reject(new HawserError("connection_lost"))
    this.#waiters.clear()
  }

  /** Notes a message of the server. */
  received(): void {
    this.#receivedAtMs = this.#nowMs
    this.#step({ kind: "heard", nowMs: this.#receivedAtMs })
    this.#doubt.heard(this.#receivedAtMs)
  }

  /** Notes a sent reliable message: an answer of the server is due. */
  asked(): void {
    if (this.#state === undefined) return
    this.#doubt.asked()
    if (this.#state.kind === "listening") this.#step({ kind: "asked", nowMs: this.#nowMs })
  }

  /** Notes that a request, sent at `sentAtMs`, reached its deadline without a reply. */
  unanswered(sentAtMs: number): void {
    const nowMs = this.#nowMs
    const { leastAnswerMs, unansweredTimeoutMs } = this.#deadlines
    const isSilent = this.#receivedAtMs <= sentAtMs && nowMs - sentAtMs >= leastAnswerMs
    // The probe of a doubt may wait for longer than that of a request which has timed out.
    if (isSilent && this.#state?.kind === "probing")
      this.#step({ kind: "doubt", nowMs, timeoutMs: unansweredTimeoutMs })
    else this.#step({ kind: "unanswered", sentAtMs, nowMs })
  }

  /** Probes the connection: the process may have slept, or the network may have changed. */
  doubt(): void {
    const timeoutMs = this.#deadlines.wakeTimeoutMs
    this.#step({ kind: "doubt", nowMs: this.#nowMs, timeoutMs })
  }

  /** Reports the connection as doubtful and probes it: the browser has no network. */
  offline(): void {
    this.#doubt.offline()
    this.#step({ kind: "probe", nowMs: this.#nowMs })
  }

  pong(number: number): void {
    this.#step({ kind: "pong", number, nowMs: this.#nowMs })
  }

  /** Measures the round trip in milliseconds. Rejects with `not_connected` or `connection_lost`. */
  ping(): Promise<number> {
    if (this.#state === undefined) return Promise.reject(new HawserError("not_connected"))
    return new Promise((resolve, reject) => {
      this.#waiters.add({ resolve, reject })
      this.#step({ kind: "probe", nowMs: this.#nowMs })
    })
  }

  /** Probes for a message without an answer. The connection is dead no earlier than without this probe. */
  #probeFor(askedAtMs: number): void {
    const { unansweredMs, unansweredTimeoutMs } = this.#deadlines
    const nowMs = this.#nowMs
    this.#step({ kind: "doubt", nowMs, timeoutMs: askedAtMs + unansweredMs + unansweredTimeoutMs - nowMs })
  }

  get #isProbing(): boolean {
    return this.#state?.kind === "probing" || this.#state?.kind === "overdue"
  }

  get #nowMs(): number {
    return this.#options.clock.now()
  }

  #step(input: HeartbeatInput): void {
    if (this.#state === undefined) return
    const { kind } = input
    const [state, effects] = stepHeartbeat(this.#deadlines, this.#state, input)
    this.#state = state
    // Every message steps `heard`, which only postpones the deadline. The timer checks the deadline when it fires.
    if (kind !== "heard" && (kind !== "asked" || this.#deadlineMs(state) < this.#wakeAtMs)) this.#arm(state)
    for (const effect of effects) {
      switch (effect.kind) {
        case "sendPing":
          this.#options.sendPing(effect.number)
          this.#doubt.probed()
          break
        case "roundTrip":
          this.#roundTripMs = effect.ms
          this.#options.roundTrip.observe(effect.ms)
          for (const waiter of this.#waiters) waiter.resolve(effect.ms)
          this.#waiters.clear()
          break
        case "dead":
          this.#options.roundTrip.lengthen()
          this.#options.onDead(effect.silentMs)
      }
    }
  }

  #deadlineMs(state: HeartbeatState): number {
    return wakeAtHeartbeat(this.#deadlines, state) ?? Number.POSITIVE_INFINITY
  }

  #arm(state: HeartbeatState): void {
    this.#cancelWake()
    const atMs = this.#deadlineMs(state)
    this.#wakeAtMs = atMs
    this.#cancelWake = Number.isFinite(atMs)
      ? this.#options.timers.at(atMs, () => this.#step({ kind: "wake", nowMs: this.#nowMs }))
      : () => {}
  }
}
