// Warns of handlers that hold up their sessions: once per call and minute. Names come from the contract, so their number is fixed.
import type { Base } from "../base/create-base.ts"

/** Interval between two warnings about the same call, in milliseconds. */
const everyMs = 60_000

/** One request that held its session's ordered lane. */
export interface HeldLane {
  /** Name of the call in the contract. */
  readonly name: string
  readonly heldMs: number
  /** Requests that wait in its session. */
  readonly waitingCount: number
}

export class LaneWarnings {
  readonly #base: Pick<Base, "clock" | "onWarning">
  readonly #warnedAtMs = new Map<string, number>()

  constructor(base: Pick<Base, "clock" | "onWarning">) {
    this.#base = base
  }

  /** Called when a request that others wait for has left the ordered lane after more than a second. */
  held({ name, heldMs, waitingCount }: HeldLane): void {
    const nowMs = this.#base.clock.now()
    const warnedAtMs = this.#warnedAtMs.get(name) ?? Number.NEGATIVE_INFINITY
    if (nowMs - warnedAtMs < everyMs) return
    this.#warnedAtMs.set(name, nowMs)
    const who = name.startsWith("$") ? `the topic rules that "${name}" calls` : `the handler of "${name}"`
    const advice = name.startsWith("$")
      ? "make canJoin and canPublish faster"
      : `make it faster, or set { order: "none" } if later requests need not wait for it`
    const waiting = waitingCount === 1 ? "1 request" : `${waitingCount} requests`
    const message = `${who} held up its session for ${Math.round(heldMs)} ms while ${waiting} waited; ${advice}`
    this.#base.onWarning({ kind: "session_held_up", message })
  }
}
