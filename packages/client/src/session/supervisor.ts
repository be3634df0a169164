// Runs the reconnect machine: holds its state, its one timer, its status and the waiting calls of `connect`. Its owner performs
// the effects. Must not know sockets or sessions.
import type { HawserError } from "@hawser/protocol"
import { hasConnection, sameStatus, statusOf } from "./status.ts"
import type { ClientStatus } from "./status.ts"
import { attemptLimits } from "./attempt-limits.ts"
import { stepReconnect } from "./reconnect.machine.ts"
import { initialReconnect, wakeAtReconnect } from "./reconnect-state.ts"
import type { ReconnectEffect, ReconnectInput, ReconnectState } from "./reconnect-state.ts"
import type { RunClientOptions } from "./run-client-options.ts"

export interface SupervisorOptions extends Pick<
  RunClientOptions,
  "clock" | "wallClockMs" | "timers" | "random" | "limits" | "reconnect" | "roundTrip" | "tallies"
> {
  readonly perform: (effect: ReconnectEffect) => void
  /** Called after the effects, if the status has visibly changed. */
  readonly onStatus: (status: ClientStatus) => void
}

export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #waiters = new Set<{ resolve: () => void; reject: (error: HawserError) => void }>()
  #state: ReconnectState = initialReconnect()
  #status: ClientStatus = { state: "idle" }
  #cancelWake: () => void = () => {}
  /** Wall-clock time of the last message of a doubtful connection; undefined: it is not doubtful. */
  #heardAtMs: number | undefined

  constructor(options: SupervisorOptions) {
    this.#options = options
  }

  get state(): ReconnectState {
    return this.#state
  }

  /** True while a promise of `settled` waits. */
  get isAwaited(): boolean {
    return this.#waiters.size > 0
  }

  /** True if a failure closed the client, no session was open, and no promise of `settled` waits. */
  get endedUnreported(): boolean {
    const state = this.#state
    if (state.kind !== "closed" || state.error.code === "client_closed") return false
    return !state.row.wasOpen && this.#waiters.size === 0
  }

  get status(): ClientStatus {
    return this.#status
  }

  /** Steps the machine. @param beforeEffects runs in the new state, before its effects. */
  step(input: ReconnectInput, beforeEffects: () => void = () => {}): void {
    this.#step(input, beforeEffects)
    this.#publish()
  }

  /** Notes that the open connection is doubtful. @param heardAtMs time of its last message; undefined: it is not any more. */
  doubt(heardAtMs: number | undefined): void {
    const { clock, wallClockMs } = this.#options
    this.#heardAtMs =
      heardAtMs === undefined ? undefined : Math.round(wallClockMs() - (clock.now() - heardAtMs))
    this.#publish()
  }

  /**
   * Ends every attempt and connection, calls `then`, and connects again. The status does not become `closed` in between.
   * @param error rejects earlier callers of `settled`.
   */
  beginAnew(error: HawserError, beforeEffects: () => void, then: () => void): void {
    for (const waiter of this.#waiters) waiter.reject(error)
    this.#waiters.clear()
    this.#step({ kind: "close" }, beforeEffects)
    then()
    this.step({ kind: "connect" })
  }

  /** Resolves when the status is `open` or `doubtful`. Rejects when it is `closed`. */
  settled(): Promise<void> {
    if (hasConnection(this.#status)) return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiters.add({ resolve, reject }))
  }

  #step(input: ReconnectInput, beforeEffects: () => void): void {
    const { clock, limits, random, reconnect, roundTrip, timers, perform } = this.#options
    const at = { nowMs: clock.now(), random: random(), limits: attemptLimits(limits, roundTrip) }
    const [state, effects] = stepReconnect(reconnect, this.#state, input, at)
    this.#countFailure(this.#state, state)
    this.#state = state
    if (input.kind === "welcomed" || !hasConnection(statusOf(state))) this.#heardAtMs = undefined
    this.#cancelWake()
    const atMs = wakeAtReconnect(state)
    this.#cancelWake = atMs === undefined ? () => {} : timers.at(atMs, () => this.step({ kind: "wake" }))
    beforeEffects()
    for (const effect of effects) perform(effect)
  }

  /** Counts an attempt that has failed before WELCOME. The loss of an open connection is counted elsewhere. */
  #countFailure(before: ReconnectState, after: ReconnectState): void {
    if (before.kind === "open" || before.kind === "moving") return
    const { failures, lastError } = after.row
    if (failures > before.row.failures && lastError !== undefined)
      this.#options.tallies.handshakesFailed.add(lastError.code)
  }

  #publish(): void {
    const status = statusOf(this.#state, this.#heardAtMs)
    if (sameStatus(status, this.#status)) return
    this.#status = status
    this.#options.onStatus(status)
    if (status.state !== "closed" && !hasConnection(status)) return
    for (const waiter of this.#waiters) {
      if (status.state === "closed") waiter.reject(status.error)
      else waiter.resolve()
    }
    this.#waiters.clear()
  }
}
