import { afterEach, describe, expect, it, vi } from "vitest"
import { pageLeaveSource } from "./leave.ts"
import type { PageExit } from "./leave.ts"

/** An event target whose listeners are counted. */
class Target extends EventTarget {
  count = 0

  override addEventListener(...parameters: Parameters<EventTarget["addEventListener"]>): void {
    this.count += 1
    super.addEventListener(...parameters)
  }

  override removeEventListener(...parameters: Parameters<EventTarget["removeEventListener"]>): void {
    this.count -= 1
    super.removeEventListener(...parameters)
  }

  dispatch(type: string, fields: object = {}): void {
    this.dispatchEvent(Object.assign(new Event(type), fields))
  }
}

function openPage() {
  const page = new Target()
  const view = new Target()
  vi.stubGlobal("addEventListener", view.addEventListener.bind(view))
  vi.stubGlobal("removeEventListener", view.removeEventListener.bind(view))
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
    expect([page.count, view.count]).toEqual([1, 2])
    view.dispatch("pagehide", { persisted: true })
    stop()
    expect([page.count, view.count]).toEqual([0, 0])
    view.dispatch("pagehide", { persisted: false })
    page.dispatch("freeze")
    expect(exits).toEqual([])
  })
})
