// Performs what the heartbeat machine decides on one connection at a time, and answers who asks for a round trip.
import { HawserError, initialHeartbeat, stepHeartbeat, wakeAtHeartbeat } from "@hawser/protocol"
import type { Clock, HeartbeatInput, HeartbeatOptions, HeartbeatState, TimerQueue } from "@hawser/protocol"

export interface HeartbeatRunnerOptions {
  readonly clock: Clock
  readonly timers: TimerQueue
  readonly limits: HeartbeatOptions
  readonly sendPing: (number: number) => void
  readonly onDead: (silentMs: number) => void
}

export class Heartbeat {
  readonly #options: HeartbeatRunnerOptions
  readonly #waiters = new Set<{ resolve: (ms: number) => void; reject: (error: HawserError) => void }>()
  #state: HeartbeatState | undefined
  #cancelWake: () => void = () => {}
  #roundTripMs: number | undefined

  constructor(options: HeartbeatRunnerOptions) {
    this.#options = options
  }

  /** The last one measured; undefined before the first. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs
  }

  /** A connection is open. */
  start(): void {
    this.#state = initialHeartbeat(this.#options.clock.now())
    this.#arm()
  }

  /** The connection is gone. */
  stop(): void {
    this.#state = undefined
    this.#cancelWake()
    for (const waiter of this.#waiters) waiter.reject(new HawserError("connection_lost"))
    this.#waiters.clear()
  }

  /** Any message came. */
  heard(): void {
    this.#step({ kind: "heard", nowMs: this.#options.clock.now() })
  }

  /** The process may have slept: is the connection still alive? */
  doubt(timeoutMs: number): void {
    this.#step({ kind: "doubt", nowMs: this.#options.clock.now(), timeoutMs })
  }

  pong(number: number): void {
    this.#step({ kind: "pong", number, nowMs: this.#options.clock.now() })
  }

  /** Milliseconds there and back. Rejects with `not_connected` or `connection_lost`. */
  ping(): Promise<number> {
    if (this.#state === undefined) return Promise.reject(new HawserError("not_connected"))
    return new Promise((resolve, reject) => {
      this.#waiters.add({ resolve, reject })
      this.#step({ kind: "probe", nowMs: this.#options.clock.now() })
    })
  }

  #step(input: HeartbeatInput): void {
    if (this.#state === undefined) return
    const [state, effects] = stepHeartbeat(this.#options.limits, this.#state, input)
    this.#state = state
    // `heard` comes with every message and only moves the deadline; the timer finds that out when it fires.
    if (input.kind !== "heard") this.#arm()
    for (const effect of effects) {
      switch (effect.kind) {
        case "sendPing":
          this.#options.sendPing(effect.number)
          break
        case "roundTrip":
          this.#roundTripMs = effect.ms
          for (const waiter of this.#waiters) waiter.resolve(effect.ms)
          this.#waiters.clear()
          break
        case "dead":
          this.#options.onDead(effect.silentMs)
      }
    }
  }

  #arm(): void {
    this.#cancelWake()
    const { clock, timers, limits } = this.#options
    const atMs = this.#state === undefined ? undefined : wakeAtHeartbeat(limits, this.#state)
    this.#cancelWake =
      atMs === undefined ? () => {} : timers.at(atMs, () => this.#step({ kind: "wake", nowMs: clock.now() }))
  }
}
