// Reports that the page of a client ends, or enters the browser's back/forward cache. Must not know connections.
import { listen } from "./page-watch.ts"

/**
 * End of a page. `gone`: it was closed, reloaded or replaced, and never runs again. `cached`: the browser has frozen it in
 * the back/forward cache, and may show it again.
 */
export type PageExit = "gone" | "cached"

/** Calls `onLeave` when the page ends or is cached. Returns the unsubscribe function. */
export type LeaveSource = (onLeave: (how: PageExit) => void) => () => void

/**
 * Default source: `pagehide` of the page, by its `persisted`. Listeners that the application added before the first
 * connection run before the BYE. A cached page is reported at `freeze`, after its last task; engines without `freeze` close
 * the sockets of a cached page themselves. Reports nothing in Node and in workers.
 */
export const pageLeaveSource: LeaveSource = (onLeave) => {
  const { document: page } = globalThis
  if (typeof page === "undefined") return () => {}
  let isHidden = false
  const onHide = (event: object): void => {
    if ("persisted" in event && event.persisted === true) isHidden = true
    else onLeave("gone")
  }
  const onFreeze = (): void => {
    if (isHidden) onLeave("cached")
  }
  const onShow = (): void => {
    isHidden = false
  }
  const stops = [
    listen(globalThis, "pagehide", onHide),
    listen(globalThis, "pageshow", onShow),
    listen(page, "freeze", onFreeze),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}
