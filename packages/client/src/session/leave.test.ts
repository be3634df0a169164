import { afterEach, describe, expect, it, vi } from "vitest"
import { LeaveWatch, pageLeaveSource } from "./leave.ts"
import type { PageExit } from "./leave.ts"

type Listener = (event: object) => void

/** Calls capturing listeners first and the others then, each time those that listen at that moment, as browsers do. */
class Target {
  readonly #listeners: {
    readonly type: string
    readonly listener: Listener
    readonly isCapturing: boolean
  }[] = []

  readonly addEventListener = (type: string, listener: Listener, isCapturing = false): void => {
    if (this.#find(type, listener, isCapturing) < 0) this.#listeners.push({ type, listener, isCapturing })
  }

  readonly removeEventListener = (type: string, listener: Listener, isCapturing = false): void => {
    const place = this.#find(type, listener, isCapturing)
    if (place >= 0) this.#listeners.splice(place, 1)
  }

  get count(): number {
    return this.#listeners.length
  }

  dispatch(type: string, event: object = {}): void {
    for (const phase of [true, false])
      for (const { listener } of this.#listeners.filter(
        (each) => each.type === type && each.isCapturing === phase,
      ))
        listener(event)
  }

  #find(type: string, listener: Listener, isCapturing: boolean): number {
    return this.#listeners.findIndex(
      (each) => each.type === type && each.listener === listener && each.isCapturing === isCapturing,
    )
  }
}

function openPage() {
  const page = new Target()
  const view = new Target()
  const { addEventListener, removeEventListener } = view
  vi.stubGlobal("addEventListener", addEventListener)
  vi.stubGlobal("removeEventListener", removeEventListener)
  vi.stubGlobal("document", page)
  const exits: string[] = []
  return { page, view, exits, onLeave: (how: PageExit) => exits.push(how) }
}

afterEach(() => {
  vi.unstubAllGlobals()
})

describe("pageLeaveSource", () => {
  it("reports nothing where there is no page", () => {
    const onLeave = vi.fn<() => void>()
    pageLeaveSource(onLeave)()
    expect(onLeave).not.toHaveBeenCalled()
  })

  it("surprise-A8 reports a page that is hidden for good, and no page that may return", () => {
    const { view, exits, onLeave } = openPage()
    pageLeaveSource(onLeave)
    view.dispatch("pagehide", { persisted: true })
    expect(exits).toEqual([])
    view.dispatch("pageshow")
    view.dispatch("pagehide", { persisted: false })
    expect(exits).toEqual(["gone"])
  })

  it("surprise-A8 reports after the page's own listeners, also after those that were added later", () => {
    const { view, exits, onLeave } = openPage()
    view.addEventListener("pagehide", () => exits.push("before"))
    pageLeaveSource(onLeave)
    view.addEventListener("pagehide", () => exits.push("after"))
    view.dispatch("pagehide", { persisted: false })
    expect(exits).toEqual(["before", "after", "gone"])
  })

  it("surprise-A8 reports a cached page when it is frozen, and no other frozen page", () => {
    const { page, view, exits, onLeave } = openPage()
    pageLeaveSource(onLeave)
    page.dispatch("freeze")
    expect(exits).toEqual([])
    view.dispatch("pagehide", { persisted: true })
    page.dispatch("freeze")
    expect(exits).toEqual(["cached"])
    view.dispatch("pageshow", { persisted: true })
    page.dispatch("freeze")
    expect(exits).toEqual(["cached"])
  })

  it("reports nothing once stopped, and leaves no listener behind", () => {
    const { page, view, exits, onLeave } = openPage()
    const stop = pageLeaveSource(onLeave)
    expect([page.count, view.count]).toEqual([1, 3])
    view.dispatch("pagehide", { persisted: true })
    stop()
    stop()
    expect([page.count, view.count]).toEqual([0, 0])
    view.dispatch("pagehide", { persisted: false })
    page.dispatch("freeze")
    expect(exits).toEqual([])
  })
})

describe("LeaveWatch", () => {
  it("listens once while it is on, and not while it is off", () => {
    const stop = vi.fn<() => void>()
    const source = vi.fn<() => () => void>(() => stop)
    const watch = new LeaveWatch(source, () => {})
    watch.set(false)
    watch.set(true)
    watch.set(true)
    expect([source.mock.calls.length, stop.mock.calls.length]).toEqual([1, 0])
    watch.set(false)
    watch.set(false)
    watch.set(true)
    expect([source.mock.calls.length, stop.mock.calls.length]).toEqual([2, 1])
  })
})
