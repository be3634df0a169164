// Reports that the page of a client is left: for good, or into the browser's back/forward cache. Knows no connections.

/**
 * `gone`: the page is closed, reloaded or replaced, and never runs again. `cached`: the browser keeps it frozen in its
 * back/forward cache, from which it may return.
 */
export type PageExit = "gone" | "cached"

/** Calls `onLeave` when the page is left; returns the unsubscribe function. */
export type LeaveSource = (onLeave: (how: PageExit) => void) => () => void

interface PageEvents {
  addEventListener(type: string, listener: (event: object) => void): void
  removeEventListener(type: string, listener: (event: object) => void): void
}

/**
 * `pagehide`, by its `persisted`: the application's listeners that were added before the client first connected run
 * before the BYE. A cached page is reported at `freeze`, where nothing of it runs any more; engines
 * without `freeze` close the sockets of a cached page themselves. In Node and in workers it reports nothing.
 */
export const pageLeaveSource: LeaveSource = (onLeave) => {
  const { document: page } = globalThis
  if (typeof page === "undefined") return () => {}
  const view: PageEvents = globalThis
  let isHidden = false
  const onHide = (event: object): void => {
    if (isPersisted(event)) isHidden = true
    else onLeave("gone")
  }
  const onFreeze = (): void => {
    if (isHidden) onLeave("cached")
  }
  const onShow = (): void => {
    isHidden = false
  }
  const stops = [
    listen(view, "pagehide", onHide),
    listen(view, "pageshow", onShow),
    listen(page, "freeze", onFreeze),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}

function isPersisted(event: object): boolean {
  return "persisted" in event && event.persisted === true
}

function listen(target: PageEvents, type: string, listener: (event: object) => void): () => void {
  target.addEventListener(type, listener)
  return () => target.removeEventListener(type, listener)
}

/** Listens to a source while the client has a connection to lose. */
export class LeaveWatch {
  readonly #source: LeaveSource
  readonly #onLeave: (how: PageExit) => void
  #stop: (() => void) | undefined

  constructor(source: LeaveSource, onLeave: (how: PageExit) => void) {
    this.#source = source
    this.#onLeave = onLeave
  }

  set(isOn: boolean): void {
    if (isOn === (this.#stop !== undefined)) return
    if (isOn) {
      this.#stop = this.#source(this.#onLeave)
    } else {
      this.#stop?.()
      this.#stop = undefined
    }
  }
}
