// Reports moments at which the connection may be dead: a page shown again, a network that is back or has changed, the end of a
// sleep. Must not know connections.
import type { ClientLimits, Clock } from "@hawser/protocol"
import type { TimerQueue } from "@hawser/protocol/core"
import { listen } from "./page-watch.ts"
import type { PageEvents } from "./page-watch.ts"

/**
 * Reported moment. `wake`, the default: the client probes its connection. `offline`: the device has no network; the status
 * becomes `doubtful`, and the client probes.
 */
export type WakeMoment = "wake" | "offline"

/** Calls `onWake` at moments at which the client must doubt its connection. Returns the unsubscribe function. */
export type WakeSource = (onWake: (moment?: WakeMoment) => void) => () => void

/**
 * Default source: events of the page (shown, thawed, restored from the back/forward cache) and of the network, also in a
 * worker (online, offline, and changes of `navigator.connection` where it exists). Reports nothing in Node.
 */
export const pageWakeSource: WakeSource = (onWake) => {
  const { document: page, navigator: here } = globalThis
  const stops: (() => void)[] = []
  if (typeof page !== "undefined") {
    const onVisible = (): void => {
      if (page.visibilityState === "visible") onWake()
    }
    stops.push(
      listen(page, "visibilitychange", onVisible),
      listen(page, "resume", () => onWake()),
      listen(globalThis, "pageshow", () => onWake()),
    )
  }
  if (typeof globalThis.addEventListener === "function") {
    stops.push(
      listen(globalThis, "online", () => onWake()),
      listen(globalThis, "offline", () => onWake("offline")),
    )
  }
  const network = typeof here === "undefined" ? undefined : networkOf(here)
  if (network !== undefined) stops.push(listen(network, "change", onNetworkChange(network, onWake)))
  return () => {
    for (const stop of stops) stop()
  }
}

/** The Network Information API. Only Chromium has it, with `type` on Android and ChromeOS only. */
interface NetworkInformation extends PageEvents {
  readonly type?: string
}

function networkOf(here: object): NetworkInformation | undefined {
  return "connection" in here && isNetworkInformation(here.connection) ? here.connection : undefined
}

function isNetworkInformation(value: unknown): value is NetworkInformation {
  return (
    typeof value === "object" &&
    value !== null &&
    "addEventListener" in value &&
    typeof value.addEventListener === "function" &&
    "removeEventListener" in value &&
    typeof value.removeEventListener === "function"
  )
}

/** Filters `change` events, which also report new speed estimates: if the type is known, only a new type passes. */
function onNetworkChange(network: NetworkInformation, onWake: () => void): () => void {
  let { type } = network
  return () => {
    const before = type
    type = network.type
    if (before === undefined || before !== type) onWake()
  }
}

/** Interval of the ticks that detect sleep, in milliseconds. */
const tickMs = 1_000

export interface SleepWatchOptions {
  readonly clock: Clock
  readonly wallClockMs: () => number
  readonly timers: TimerQueue
  /** `sleepMs`: extra delay of a tick, on either clock, that counts as a sleep; in milliseconds. */
  readonly limits: Pick<ClientLimits, "sleepMs">
  readonly onWake: () => void
}

/** Longest delay of a timer by a browser, in milliseconds. A longer delay is a sleep. */
const heldBackMaxMs = 60_000
/** Decay of the usual delay with each tick on time: it vanishes within minutes. */
const usualShare = 0.98

/**
 * Detects sleep by a late tick on either clock: some clocks stop during a sleep, others continue. Ticks of a hidden page are
 * always late, so a tick must be later than the usual delay.
 */
export class SleepWatch {
  readonly #options: SleepWatchOptions
  #cancel: (() => void) | undefined
  /** Longest recent delay, in milliseconds. */
  #usualMs = 0

  constructor(options: SleepWatchOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#cancel !== undefined) return
    this.#usualMs = 0
    this.#tick()
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  #tick(): void {
    const { clock, wallClockMs, timers, limits, onWake } = this.#options
    const setAtMs = clock.now()
    const setAtWallMs = wallClockMs()
    this.#cancel = timers.after(tickMs, () => {
      const lateMs = Math.max(clock.now() - setAtMs, wallClockMs() - setAtWallMs) - tickMs
      const isSleep = lateMs > this.#usualMs + limits.sleepMs
      this.#usualMs = Math.min(Math.max(lateMs, this.#usualMs * usualShare), heldBackMaxMs)
      this.#tick()
      if (isSleep) onWake()
    })
  }
}
