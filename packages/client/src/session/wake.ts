// Tells when the world may have moved on without this process: a page shown again, a network back, a machine that
// slept. Knows no connections.
import type { Clock, TimerQueue } from "@hawser/protocol"

/** Calls `onWake` at such moments; returns how to stop. */
export type WakeSource = (onWake: () => void) => () => void

interface PageEvents {
  addEventListener(type: string, listener: () => void): void
  removeEventListener(type: string, listener: () => void): void
}

/** The events of a page: shown, thawed, restored from the back-forward cache, online. In Node nothing. */
export const pageWakeSource: WakeSource = (onWake) => {
  const { document: page } = globalThis
  if (typeof page === "undefined") return () => {}
  const onVisible = (): void => {
    if (page.visibilityState === "visible") onWake()
  }
  const stops = [
    listen(page, "visibilitychange", onVisible),
    listen(page, "resume", onWake),
    listen(globalThis, "online", onWake),
    listen(globalThis, "pageshow", onWake),
  ]
  return () => {
    for (const stop of stops) stop()
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
  /** A tick that is late by more than this, on either clock, counts as a sleep. */
  readonly sleepMs: number
  readonly onWake: () => void
}

/** Some clocks stand still while a machine sleeps and others do not: a late tick on either one tells. */
export class SleepWatch {
  readonly #options: SleepWatchOptions
  #cancel: (() => void) | undefined

  constructor(options: SleepWatchOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#cancel === undefined) this.#tick()
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
      this.#tick()
      if (lateMs > sleepMs) onWake()
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
