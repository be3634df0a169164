import { describe, expect, it, vi } from "vitest"
import { PageWatch } from "./page-watch.ts"

describe("PageWatch", () => {
  it("listens once while it is on, and not while it is off", () => {
    const stop = vi.fn<() => void>()
    const source = vi.fn<() => () => void>(() => stop)
    const watch = new PageWatch(source)
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
