// Reports when the connection may have died unnoticed: a page shown again, a network that is back or has changed, a
// machine that slept. Knows no connections.
import type { Clock } from "@hawser/protocol"
import type { TimerQueue } from "@hawser/protocol/core"

/** Calls `onWake` at such moments; returns how to stop. */
export type WakeSource = (onWake: () => void) => () => void

interface PageEvents {
  addEventListener(type: string, listener: () => void): void
  removeEventListener(type: string, listener: () => void): void
}

/**
 * The events of a page (shown, thawed, restored from the back-forward cache) and those of its network or a worker's:
 * online, and a change of `navigator.connection` where there is one. Node has none of them.
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
      listen(page, "resume", onWake),
      listen(globalThis, "pageshow", onWake),
    )
  }
  if (typeof globalThis.addEventListener === "function") stops.push(listen(globalThis, "online", onWake))
  const network = typeof here === "undefined" ? undefined : networkOf(here)
  if (network !== undefined) stops.push(listen(network, "change", onNetworkChange(network, onWake)))
  return () => {
    for (const stop of stops) stop()
  }
}

/** The Network Information API: Chromium has it, with `type` on Android and ChromeOS only. */
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

/** `change` also comes with every new estimate of the speed. Where the type is known, only another type counts. */
function onNetworkChange(network: NetworkInformation, onWake: () => void): () => void {
  let { type } = network
  return () => {
    const before = type
    type = network.type
    if (before === undefined || before !== type) onWake()
  }
}

function listen(target: PageEvents, type: string, listener: () => void): () => void {
  target.addEventListener(type, listener)
  return () => target.removeEventListener(type, listener)
}

const tickMs = 1_000

export interface SleepWatchOptions {
  readonly clock: Clock
  readonly wallClockMs: () => number
  readonly timers: TimerQueue
  /** A tick that is later than usual by more than this, on either clock, counts as a sleep. */
  readonly sleepMs: number
  readonly onWake: () => void
}

/** The longest that a browser holds back a timer, in milliseconds; a longer delay is a sleep, whatever was usual. */
const heldBackMaxMs = 60_000
/** Share of the usual delay that is left after a tick that is on time: a few minutes of them, and it is forgotten. */
const usualShare = 0.98

/**
 * Some clocks stand still while a machine sleeps and others do not: a late tick on either one is a sleep. In a hidden
 * page ticks are late again and again: only one that is later than the latest of them counts.
 */
export class SleepWatch {
  readonly #options: SleepWatchOptions
  #cancel: (() => void) | undefined
  /** The longest delay of late. */
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
    const { clock, wallClockMs, timers, sleepMs, onWake } = this.#options
    const setAtMs = clock.now()
    const setAtWallMs = wallClockMs()
    this.#cancel = timers.after(tickMs, () => {
      const lateMs = Math.max(clock.now() - setAtMs, wallClockMs() - setAtWallMs) - tickMs
      const isSleep = lateMs > this.#usualMs + sleepMs
      this.#usualMs = Math.min(Math.max(lateMs, this.#usualMs * usualShare), heldBackMaxMs)
      this.#tick()
      if (isSleep) onWake()
    })
  }
}

/** Both together, while there is a connection to doubt. */
export class WakeWatch {
  readonly #sleepWatch: SleepWatch
  readonly #source: WakeSource
  readonly #onWake: () => void
  #stop: (() => void) | undefined

  constructor(options: SleepWatchOptions, source: WakeSource) {
    this.#sleepWatch = new SleepWatch(options)
    this.#source = source
    this.#onWake = options.onWake
  }

  set(isOn: boolean): void {
    if (isOn === (this.#stop !== undefined)) return
    if (isOn) {
      this.#stop = this.#source(this.#onWake)
      this.#sleepWatch.start()
    } else {
      this.#stop?.()
      this.#stop = undefined
      this.#sleepWatch.stop()
    }
  }
}
