import { TimerQueue } from "@hawser/protocol/core"
import type { Clock } from "@hawser/protocol"
import { SimulatedClock } from "@hawser/protocol/testing"
import { afterEach, describe, expect, it, vi } from "vitest"
import { SleepWatch, pageWakeSource } from "./wake.ts"

describe("SleepWatch", () => {
  /** A machine of which either clock can jump while its timers stand still. */
  function setUp(onWake: (watch: SleepWatch) => void = () => {}) {
    const ticks = new SimulatedClock()
    const jumped = { clockMs: 0, wallMs: 1e12 }
    const clock: Clock = {
      now: () => ticks.now() + jumped.clockMs,
      schedule: (delayMs, callback) => ticks.schedule(delayMs, callback),
    }
    const timers = new TimerQueue(clock, () => {})
    const wakesAtMs: number[] = []
    const watch = new SleepWatch({
      clock,
      timers,
      wallClockMs: () => ticks.now() + jumped.wallMs,
      limits: { sleepMs: 5_000 },
      onWake: () => {
        wakesAtMs.push(ticks.now())
        onWake(watch)
      },
    })
    return { ticks, jumped, timers, wakesAtMs, watch }
  }

  it("tells nothing while both clocks run as they should", async () => {
    const { ticks, watch, wakesAtMs, timers } = setUp()
    watch.start()
    await ticks.advance(600_000)
    expect([wakesAtMs.length, timers.size]).toEqual([0, 1])
  })

  it.each(["clockMs", "wallMs"] as const)(
    "tells of a sleep by %s alone, at the next tick, once",
    async (name) => {
      const { ticks, jumped, watch, wakesAtMs } = setUp()
      watch.start()
      await ticks.advance(10_500)
      jumped[name] += 5_001
      await ticks.advance(499)
      expect(wakesAtMs).toEqual([])
      await ticks.advance(60_000)
      expect(wakesAtMs).toEqual([11_000])
    },
  )

  it("tells once of a sleep that both clocks show", async () => {
    const { ticks, jumped, watch, wakesAtMs } = setUp()
    watch.start()
    jumped.clockMs += 3_600_000
    jumped.wallMs += 3_600_000
    await ticks.advance(5_000)
    expect(wakesAtMs).toEqual([1_000])
  })

  it.each(["clockMs", "wallMs"] as const)(
    "takes a pause of sleepMs for no sleep yet, by %s",
    async (name) => {
      const { ticks, jumped, watch, wakesAtMs } = setUp()
      watch.start()
      for (let pauses = 0; pauses < 5; pauses += 1) {
        jumped[name] += 5_000
        await ticks.advance(2_000)
      }
      expect(wakesAtMs).toEqual([])
    },
  )

  it("takes a wall clock that is set back for no sleep", async () => {
    const { ticks, jumped, watch, wakesAtMs } = setUp()
    watch.start()
    jumped.wallMs -= 86_400_000
    await ticks.advance(10_000)
    expect(wakesAtMs).toEqual([])
    jumped.clockMs += 6_000
    await ticks.advance(1_000)
    expect(wakesAtMs.length).toBe(1)
  })

  it("surprise-A1 takes ticks that are all late, as in a hidden page, for one sleep; a later one on top counts again", async () => {
    const { ticks, jumped, watch, wakesAtMs } = setUp()
    watch.start()
    for (let minute = 0; minute < 10; minute += 1) {
      jumped.clockMs += 59_000
      jumped.wallMs += 59_000
      await ticks.advance(1_000)
    }
    expect(wakesAtMs).toEqual([1_000])
    jumped.wallMs += 59_000 + 6_000
    await ticks.advance(1_000)
    expect(wakesAtMs).toEqual([1_000, 11_000])
  })

  it("takes for a sleep what is longer than browsers hold a timer back, though the tick before was as late", async () => {
    const { ticks, jumped, watch, wakesAtMs } = setUp()
    watch.start()
    for (let hour = 0; hour < 3; hour += 1) {
      jumped.wallMs += 3_600_000
      await ticks.advance(1_000)
    }
    expect(wakesAtMs).toEqual([1_000, 2_000, 3_000])
  })

  it("forgets that ticks were late once they have been on time for a few minutes", async () => {
    const { ticks, jumped, watch, wakesAtMs } = setUp()
    watch.start()
    jumped.wallMs += 59_000
    await ticks.advance(60_000)
    jumped.wallMs += 8_000
    await ticks.advance(1_000)
    expect(wakesAtMs).toEqual([1_000])
    await ticks.advance(240_000)
    jumped.wallMs += 8_000
    await ticks.advance(1_000)
    expect(wakesAtMs).toEqual([1_000, 302_000])
  })

  it("keeps one timer, however often it is started, and none once stopped", async () => {
    const { ticks, jumped, watch, wakesAtMs, timers } = setUp()
    watch.start()
    watch.start()
    expect(timers.size).toBe(1)
    watch.stop()
    watch.stop()
    expect([timers.size, ticks.pendingCount]).toEqual([0, 0])
    jumped.wallMs += 100_000
    await ticks.advance(10_000)
    expect(wakesAtMs).toEqual([])
  })

  it("does not take the time while it was stopped for a sleep", async () => {
    const { ticks, jumped, watch, wakesAtMs } = setUp()
    watch.start()
    watch.stop()
    jumped.wallMs += 100_000
    watch.start()
    await ticks.advance(10_000)
    expect(wakesAtMs).toEqual([])
  })

  it("can be stopped by its listener", async () => {
    const { ticks, jumped, watch, wakesAtMs, timers } = setUp((woken) => woken.stop())
    watch.start()
    for (let turn = 0; turn < 3; turn += 1) {
      jumped.wallMs += 100_000
      await ticks.advance(1_000)
    }
    expect(wakesAtMs).toEqual([1_000])
    expect(timers.size).toBe(0)
  })
})

describe("pageWakeSource", () => {
  afterEach(() => {
    vi.unstubAllGlobals()
  })

  /** A page and its window, with their listeners counted. */
  function openPage() {
    const page = Object.assign(new EventTarget(), { visibilityState: "visible" })
    const view = new EventTarget()
    const listening = new Set<string>()
    const count = (target: EventTarget, where: string) => ({
      addEventListener: (type: string, listener: () => void) => {
        listening.add(`${where} ${type}`)
        target.addEventListener(type, listener)
      },
      removeEventListener: (type: string, listener: () => void) => {
        listening.delete(`${where} ${type}`)
        target.removeEventListener(type, listener)
      },
    })
    const { addEventListener, removeEventListener } = count(view, "window")
    const counted = count(page, "document")
    vi.stubGlobal("addEventListener", addEventListener)
    vi.stubGlobal("removeEventListener", removeEventListener)
    vi.stubGlobal("document", {
      ...counted,
      get visibilityState() {
        return page.visibilityState
      },
    })
    return { page, view, listening }
  }

  it("does nothing where there is no page", () => {
    const onWake = vi.fn<() => void>()
    const stop = pageWakeSource(onWake)
    stop()
    expect(onWake).not.toHaveBeenCalled()
  })

  it.each([
    ["page", "visibilitychange"],
    ["page", "resume"],
    ["view", "online"],
    ["view", "pageshow"],
  ] as const)("wakes when the %s says %s", (where, type) => {
    const opened = openPage()
    const onWake = vi.fn<() => void>()
    pageWakeSource(onWake)
    opened[where].dispatchEvent(new Event(type))
    expect(onWake).toHaveBeenCalledTimes(1)
  })

  it("lets a page sleep that is hidden", () => {
    const { page } = openPage()
    const onWake = vi.fn<() => void>()
    pageWakeSource(onWake)
    page.visibilityState = "hidden"
    page.dispatchEvent(new Event("visibilitychange"))
    expect(onWake).not.toHaveBeenCalled()
    page.visibilityState = "visible"
    page.dispatchEvent(new Event("visibilitychange"))
    expect(onWake).toHaveBeenCalledTimes(1)
  })

  /** Puts a `navigator.connection` in place, and returns how it reports a change. */
  function openNetwork(type?: string): (type?: string) => void {
    const network: EventTarget & { type?: string } = new EventTarget()
    if (type !== undefined) network.type = type
    vi.stubGlobal("navigator", { connection: network })
    return (next) => {
      if (next !== undefined) network.type = next
      network.dispatchEvent(new Event("change"))
    }
  }

  it("surprise-C3 wakes when the network has changed", () => {
    openPage()
    const change = openNetwork()
    const onWake = vi.fn<() => void>()
    const stop = pageWakeSource(onWake)
    change()
    expect(onWake).toHaveBeenCalledTimes(1)
    stop()
    change()
    expect(onWake).toHaveBeenCalledTimes(1)
  })

  it("takes a new estimate of the speed for no change, where the network has a type", () => {
    openPage()
    const change = openNetwork("wifi")
    const onWake = vi.fn<() => void>()
    pageWakeSource(onWake)
    change()
    expect(onWake).not.toHaveBeenCalled()
    change("cellular")
    change("cellular")
    expect(onWake).toHaveBeenCalledTimes(1)
    change("none")
    expect(onWake).toHaveBeenCalledTimes(2)
  })

  it("wakes in a worker, which has a network and no page", () => {
    const view = new EventTarget()
    vi.stubGlobal("addEventListener", view.addEventListener.bind(view))
    vi.stubGlobal("removeEventListener", view.removeEventListener.bind(view))
    const change = openNetwork()
    const onWake = vi.fn<() => void>()
    const stop = pageWakeSource(onWake)
    view.dispatchEvent(new Event("online"))
    change()
    expect(onWake).toHaveBeenCalledTimes(2)
    stop()
    view.dispatchEvent(new Event("online"))
    change()
    expect(onWake).toHaveBeenCalledTimes(2)
  })

  it("reports `offline` when the browser has no network", () => {
    const { view } = openPage()
    const onWake = vi.fn<(moment?: string) => void>()
    const stop = pageWakeSource(onWake)
    view.dispatchEvent(new Event("offline"))
    view.dispatchEvent(new Event("online"))
    stop()
    expect(onWake.mock.calls).toEqual([["offline"], []])
  })

  it("reports nothing after its stop, and leaves no listener behind", () => {
    const { page, view, listening } = openPage()
    const onWake = vi.fn<() => void>()
    const stop = pageWakeSource(onWake)
    expect(listening.size).toBe(5)
    stop()
    stop()
    expect([...listening]).toEqual([])
    for (const type of ["visibilitychange", "resume"]) page.dispatchEvent(new Event(type))
    for (const type of ["online", "pageshow"]) view.dispatchEvent(new Event(type))
    expect(onWake).not.toHaveBeenCalled()
  })
})
