import { defaultClientLimits } from "@hawser/protocol"
import { TimerQueue } from "@hawser/protocol/core"
import { SimulatedClock } from "@hawser/protocol/testing"
import { describe, expect, it } from "vitest"
import { createClientCounters } from "../base/counters.ts"
import { Outage } from "./outage.ts"
import type { SessionEvent } from "./session-event.ts"

function setUp() {
  const clock = new SimulatedClock()
  const timers = new TimerQueue(clock, () => {})
  const counters = createClientCounters()
  const emitted: (readonly [SessionEvent, number])[] = []
  const limits = { ...defaultClientLimits, prolongedOutageMs: 15_000 }
  const onSession = (event: SessionEvent): void => void emitted.push([event, clock.now()])
  const outage = new Outage({ clock, timers, limits, counters, onSession })
  return { clock, timers, counters, emitted, outage }
}

describe("Outage", () => {
  it("measures from the loss of a connection to the next one", async () => {
    const { clock, outage, counters } = setUp()
    await clock.advance(1_000)
    outage.begin()
    await clock.advance(700)
    expect(outage.end()).toBe(700)
    expect(counters).toMatchObject({ outagesMs: 700, longestOutageMs: 700 })
  })

  it("adds up outages, and keeps the longest", async () => {
    const { clock, outage, counters } = setUp()
    for (const lengthMs of [300, 900, 100]) {
      outage.begin()
      await clock.advance(lengthMs)
      expect(outage.end()).toBe(lengthMs)
      await clock.advance(5_000)
    }
    expect(counters).toMatchObject({ outagesMs: 1_300, longestOutageMs: 900 })
  })

  it("counts connections that fail one after the other as one outage", async () => {
    const { clock, outage, timers } = setUp()
    outage.begin()
    await clock.advance(200)
    outage.begin()
    await clock.advance(200)
    expect(timers.size).toBe(1)
    expect(outage.end()).toBe(400)
  })

  it("counts outages, and those that ended in a connection; emits nothing after the client has closed", async () => {
    const { clock, outage, counters, emitted, timers } = setUp()
    outage.begin()
    await clock.advance(100)
    expect(outage.lastsMs).toBe(100)
    outage.end()
    outage.begin()
    await clock.advance(300)
    outage.giveUp()
    outage.giveUp()
    expect([outage.lastsMs, timers.size]).toEqual([0, 0])
    await clock.advance(60_000)
    expect(emitted).toEqual([])
    expect(counters).toMatchObject({ outages: 2, reconnections: 1, outagesMs: 400, longestOutageMs: 300 })
  })

  it("has no length where there was none", () => {
    const { outage, counters } = setUp()
    expect([outage.end(), outage.end()]).toEqual([0, 0])
    expect(counters).toMatchObject({ outagesMs: 0, longestOutageMs: 0 })
  })

  it("tells once of an outage that takes long, when it has", async () => {
    const { clock, outage, emitted } = setUp()
    outage.begin()
    await clock.advance(10_000)
    outage.begin()
    await clock.advance(4_999)
    expect(emitted).toEqual([])
    await clock.advance(100_000)
    expect(emitted).toEqual([[{ kind: "prolonged", outageMs: 15_000 }, 15_000]])
    expect(outage.end()).toBe(114_999)
  })

  it("tells nothing of an outage that ends in time, and starts over with the next", async () => {
    const { clock, outage, emitted, timers } = setUp()
    outage.begin()
    await clock.advance(14_999)
    outage.end()
    expect([timers.size, clock.pendingCount]).toEqual([0, 0])
    outage.begin()
    await clock.advance(14_999)
    expect(emitted).toEqual([])
    await clock.advance(1)
    expect(emitted).toEqual([[{ kind: "prolonged", outageMs: 15_000 }, 29_999]])
  })
})
