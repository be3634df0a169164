import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { seededRandom } from "../testing/seeded-random.ts"
import { StateWindow } from "./state-window.ts"

const limits = { stateWindowMs: 1_000, stateStartBytes: 10_000 }
const newWindow = (): StateWindow => new StateWindow(limits)

/** Replica updates alone: not the first one, and no values are queued. */
const takes = (window: StateWindow, bytes: number, nowMs: number): boolean =>
  window.takesView(bytes, false, false, nowMs)

/** A link of `bytesPerMs`, and one client that acknowledges each frame on arrival. */
class Link {
  readonly window = newWindow()
  bytesPerMs: number
  readonly #oneWayMs: number
  #freeAtMs = 0
  #frames = 0
  #acknowledgements: { readonly atMs: number; readonly frames: number }[] = []

  constructor(bytesPerMs: number, oneWayMs: number) {
    this.bytesPerMs = bytesPerMs
    this.#oneWayMs = oneWayMs
  }

  /** Returns the arrival time of the frame. */
  send(bytes: number, nowMs: number): number {
    this.window.sent(bytes, true, nowMs)
    this.#frames += 1
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + bytes / this.bytesPerMs
    const atMs = this.#freeAtMs + this.#oneWayMs
    this.#acknowledgements.push({ atMs: atMs + this.#oneWayMs, frames: this.#frames })
    return atMs
  }

  /** Delivers the acknowledgements up to this time. */
  passTo(nowMs: number, isSeenAtMs?: number): void {
    for (const { atMs, frames } of this.#acknowledgements.filter(({ atMs }) => atMs <= nowMs))
      this.window.acknowledge(frames, isSeenAtMs ?? atMs)
    this.#acknowledgements = this.#acknowledgements.filter(({ atMs }) => atMs > nowMs)
  }
}

describe("a window on a link", () => {
  it("always takes state when none is in flight", () => {
    const window = newWindow()
    expect(takes(window, 1_000_000, 0)).toBe(true)
    window.sent(1_000_000, true, 0)
    expect(takes(window, 1, 0)).toBe(false)
    expect(window.acknowledge(1, 90_000)).toBe(true)
    expect([takes(window, 1_000_000, 90_000), window.bytes, window.sinceMs]).toEqual([true, 0, undefined])
  })

  it("allows a burst of events and the first view on a link of unknown rate, for a second at most", () => {
    const window = newWindow()
    for (let sent = 0; sent < 10_000; sent += 100) {
      expect(window.takesEvent(100, false, 0)).toBe(true)
      window.sent(100, false, 0)
    }
    expect(window.takesEvent(100, false, 0)).toBe(false)
    const other = newWindow()
    other.sent(100, false, 0)
    expect(other.takesView(1_000, true, false, 500)).toBe(true)
    expect(other.takesView(1_000, false, false, 500)).toBe(false)
    expect(other.takesView(1_000, true, false, 1_100)).toBe(false)
    expect(other.takesEvent(100, false, 1_100)).toBe(false)
  })

  it("reports the bytes in flight and the time of the oldest", () => {
    const window = newWindow()
    window.sent(100, true, 5)
    window.sent(50, true, 50)
    expect([window.bytes, window.sinceMs]).toEqual([150, 5])
    window.acknowledge(1, 60)
    expect([window.bytes, window.sinceMs, window.acknowledgedFrames]).toEqual([50, 50, 1])
  })

  it("refuses a count of frames that were never sent", () => {
    const window = newWindow()
    window.sent(100, true, 0)
    expect([window.acknowledge(2, 10), window.bytes]).toEqual([false, 100])
  })

  it("counts a batch of frames as acknowledged with its last frame", () => {
    const window = newWindow()
    for (const atMs of [0, 3, 6]) window.sent(100, true, atMs)
    window.acknowledge(2, 50)
    expect([window.bytes, window.sinceMs]).toEqual([300, 0])
    window.acknowledge(3, 60)
    expect([window.bytes, window.sinceMs]).toEqual([0, undefined])
  })

  it("alternates replica updates and other state by bytes while both are queued", () => {
    const window = newWindow()
    // A slow link takes no burst.
    window.sent(2_000, true, 0)
    window.acknowledge(1, 2_000)
    expect(takes(window, 300, 2_000)).toBe(true)
    window.sent(200, true, 2_000)
    window.sent(100, true, 2_000)
    expect(window.takesView(300, false, true, 2_000)).toBe(false)
    for (let sent = 0; sent < 300; sent += 100) {
      expect(window.takesEvent(100, true, 2_000)).toBe(true)
      window.sent(100, false, 2_000)
    }
    expect(window.takesEvent(100, true, 2_000)).toBe(false)
    expect(window.takesView(300, false, true, 2_000)).toBe(true)
    // Without queued replica updates, events are sent.
    expect(window.takesEvent(100, false, 2_000)).toBe(true)
  })

  it.each([
    ["slow", 1.25, 150],
    ["slow, with a short round trip", 1.25, 20],
    ["slow, with a long round trip", 1.25, 1_500],
    ["fast", 1_000, 5],
  ])("bounds the age of displayed state: a link that is %s", (_, bytesPerMs, oneWayMs) => {
    const link = new Link(bytesPerMs, oneWayMs)
    const update = 500
    let [shownAtMs, oldestMs] = [0, 0]
    const arrivals: { atMs: number; ofMs: number }[] = []
    for (let nowMs = 0; nowMs < 60_000; nowMs += 50) {
      link.passTo(nowMs)
      if (takes(link.window, update, nowMs)) arrivals.push({ atMs: link.send(update, nowMs), ofMs: nowMs })
      for (let first = arrivals[0]; first !== undefined && first.atMs <= nowMs; first = arrivals[0]) {
        shownAtMs = first.ofMs
        arrivals.shift()
      }
      if (shownAtMs > 0) oldestMs = Math.max(oldestMs, nowMs - shownAtMs)
    }
    expect(oldestMs).toBeGreaterThan(0)
    expect(oldestMs).toBeLessThanOrEqual(4 * oneWayMs + 2_000)
  })

  it("limits a fast link for one round trip only", () => {
    const link = new Link(12_500, 75)
    const refused: number[] = []
    for (let nowMs = 0; nowMs < 10_000; nowMs += 50) {
      link.passTo(nowMs)
      if (takes(link.window, 50_000, nowMs)) link.send(50_000, nowMs)
      else refused.push(nowMs)
    }
    expect(refused).toEqual([50, 100, 150])
  })

  it("lowers the rate at once at a late acknowledgement, and raises it soon on a link that is fast again", () => {
    const link = new Link(1_000, 50)
    const refusedFrom = (fromMs: number, toMs: number): number => {
      let refused = 0
      for (let nowMs = fromMs; nowMs < toMs; nowMs += 50) {
        link.passTo(nowMs)
        if (takes(link.window, 200, nowMs)) link.send(200, nowMs)
        else refused += 1
      }
      return refused
    }
    refusedFrom(0, 5_000)
    link.bytesPerMs = 1
    expect(refusedFrom(5_000, 30_000)).toBeGreaterThan(300)
    expect(link.window.bytes).toBeLessThan(2_500)
    link.bytesPerMs = 1_000
    refusedFrom(30_000, 34_000)
    expect(refusedFrom(34_000, 40_000)).toBe(0)
  })

  it("bounds the age of displayed state on a slow link with early and late acknowledgements", () => {
    const random = seededRandom(3)
    const link = new Link(1, 150)
    const [under, ages]: [number[], number[]] = [[], []]
    for (let nowMs = 0; nowMs < 900_000; nowMs += 50) {
      // A late acknowledgement arrives together with the next one.
      if (random() < 0.4) link.passTo(nowMs, nowMs)
      if (takes(link.window, 400, nowMs)) ages.push(link.send(400, nowMs) - nowMs)
      under.push(link.window.bytes)
    }
    const most = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), 0)
    const minute = (index: number): number[] => under.slice(index * 1_200, (index + 1) * 1_200)
    expect(most(minute(14))).toBeLessThanOrEqual(1.2 * most(minute(1)))
    expect(most(ages)).toBeLessThan(2_500)
  })

  it("adopts a longer round trip once the link was empty", () => {
    const window = newWindow()
    const trip = (nowMs: number, ms: number): void => {
      window.sent(10_000, true, nowMs)
      window.acknowledge(Math.round(nowMs / 5_000) + 1, nowMs + ms)
    }
    for (let nowMs = 0; nowMs <= 95_000; nowMs += 5_000) trip(nowMs, nowMs < 40_000 ? 100 : 3_500)
    window.sent(10_000, true, 100_000)
    // 10,000 bytes in 3.5 s: two further updates of 2,000 are in flight within the round trip and two seconds.
    expect(takes(window, 2_000, 103_000)).toBe(true)
  })

  it("grows until every update is sent over a fast link with a very long round trip", () => {
    const link = new Link(10_000, 1_500)
    const refused: number[] = []
    for (let nowMs = 0; nowMs < 60_000; nowMs += 50) {
      link.passTo(nowMs)
      if (takes(link.window, 100, nowMs)) link.send(100, nowMs)
      else refused.push(nowMs)
    }
    expect(refused.at(-1)).toBeGreaterThan(3_000)
    expect(refused.at(-1)).toBeLessThan(35_000)
  })
})

describe("any frames and acknowledgements", () => {
  it("leave unacknowledged bytes and frames in flight", () => {
    const step = fc.oneof(
      fc.record({ what: fc.constant("send" as const), size: fc.nat(2_000), ms: fc.nat(40) }),
      fc.record({ what: fc.constant("acknowledge" as const), size: fc.nat(5), ms: fc.nat(200) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
        const window = newWindow()
        const sizes: number[] = []
        let [nowMs, acknowledged] = [0, 0]
        for (const { what, size, ms } of steps) {
          nowMs += ms
          if (what === "send") {
            window.sent(size, true, nowMs)
            sizes.push(size)
          } else {
            acknowledged = Math.min(sizes.length, acknowledged + size)
            expect(window.acknowledge(acknowledged, nowMs)).toBe(true)
          }
          const least = sizes.slice(acknowledged).reduce((sum, one) => sum + one, 0)
          expect(window.bytes).toBeGreaterThanOrEqual(least)
          if (acknowledged === sizes.length) expect([window.bytes, window.sinceMs]).toEqual([0, undefined])
        }
      }),
      { numRuns: 300 },
    )
  })
})
