import { TimerQueue } from "@hawser/protocol/core"
import { SimulatedClock } from "@hawser/protocol/testing"
import { describe, expect, it } from "vitest"
import { CachedStore, SampledStore } from "./store.ts"

const onError = (error: unknown): never => {
  throw error
}

describe("CachedStore", () => {
  it("builds a snapshot when it is read, once until the next change, and freezes it", () => {
    let built = 0
    const store = new CachedStore({ build: () => ({ built: (built += 1) }), onError })
    store.changed()
    expect(built).toBe(0)
    const { snapshot } = store
    const first = snapshot()
    expect([snapshot() === first, Object.isFrozen(first), built]).toEqual([true, true, 1])
    store.changed()
    expect([built, snapshot()]).toEqual([1, { built: 2 }])
  })

  it("calls each subscriber after the change, until it unsubscribes, and reports its errors", () => {
    let value = 1
    const errors: unknown[] = []
    const store = new CachedStore({ build: () => ({ value }), onError: (error) => errors.push(error) })
    const seen: number[] = []
    const { subscribe } = store
    const fault = new Error("a fault of the application")
    subscribe(() => {
      throw fault
    })
    const unsubscribe = subscribe(() => seen.push(store.snapshot().value))
    value = 2
    store.changed()
    unsubscribe()
    store.changed()
    expect([seen, errors]).toEqual([[2], [fault, fault]])
  })
})

describe("SampledStore", () => {
  function setUp() {
    const clock = new SimulatedClock()
    const timers = new TimerQueue(clock, onError)
    const state = { isLive: true }
    const build = (): { atMs: number } => ({ atMs: clock.now() })
    const isLive = (): boolean => state.isLive
    const store = new SampledStore({ build, onError, clock, timers, everyMs: 1_000, isLive })
    return { clock, timers, state, store }
  }

  it("keeps a snapshot for its interval without a timer while nothing subscribes", async () => {
    const { clock, store, timers } = setUp()
    const first = store.snapshot()
    await clock.advance(999)
    expect([store.snapshot() === first, timers.size]).toEqual([true, 0])
    await clock.advance(1)
    expect(store.snapshot()).toEqual({ atMs: 1_000 })
  })

  it("changes at each interval while it is watched, and stops its timer when the value is final", async () => {
    const { clock, state, store, timers } = setUp()
    const seen: number[] = []
    const unsubscribe = store.subscribe(() => seen.push(store.snapshot().atMs))
    await clock.advance(2_500)
    expect([seen, timers.size]).toEqual([[1_000, 2_000], 1])
    state.isLive = false
    store.changed()
    expect([seen.at(-1), timers.size]).toEqual([2_500, 0])
    state.isLive = true
    store.changed()
    unsubscribe()
    expect(timers.size).toBe(0)
  })
})
