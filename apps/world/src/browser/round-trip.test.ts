import type { ClientStatus } from "@hawser/client"
import type { Clock } from "@hawser/protocol"
import { describe, expect, it } from "vitest"
import { measureRoundTrip } from "./round-trip.ts"
import { createStore } from "./store.ts"

/** A page with one thread that may be busy: a due timer then fires late, and so does the answer to a ping. */
class Page implements Clock {
  /** Network time of an answer. */
  readonly networkMs = 8
  readonly shown = createStore<number | undefined>(undefined)
  readonly silentSeconds = createStore<number | undefined>(undefined)
  /** True while no answer arrives from the network. */
  isSilent = false
  readonly seen: (number | undefined)[] = []
  readonly stop: () => void
  #nowMs = 0
  #timers: { readonly atMs: number; readonly callback: () => void }[] = []
  readonly #unanswered: ((ms: number) => void)[] = []
  #status: ClientStatus = { state: "connecting", attempt: 0 }
  #onStatus = (_status: ClientStatus): void => {}

  constructor() {
    this.shown.subscribe((ms) => this.seen.push(ms))
    const status = (): ClientStatus => this.#status
    const client = {
      get current() {
        return status()
      },
      ping: () => this.#ping(),
      onStatus: (listener: (status: ClientStatus) => void) => {
        this.#onStatus = listener
        return () => {}
      },
    }
    this.stop = measureRoundTrip(client, { roundTripMs: this.shown, silentSeconds: this.silentSeconds }, this)
  }

  now(): number {
    return this.#nowMs
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, callback }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  get timers(): number {
    return this.#timers.length
  }

  become(status: ClientStatus): void {
    this.#status = status
    this.#onStatus(status)
  }

  /** Delivers the delayed answers. */
  thaw(ms: number): void {
    this.isSilent = false
    for (const resolve of this.#unanswered.splice(0)) resolve(ms)
  }

  /** Blocks the thread for this time. */
  work(ms: number): void {
    this.#nowMs += ms
  }

  /** Stays idle for this time: due timers fire, the late ones first. */
  async idle(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    for (;;) {
      const [next] = this.#timers.toSorted((one, other) => one.atMs - other.atMs)
      if (next === undefined || next.atMs > untilMs) break
      this.#timers = this.#timers.filter((other) => other !== next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.callback()
      await settlePromises()
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs)
  }

  #ping(): Promise<number> {
    if (this.isSilent) return new Promise((resolve) => this.#unanswered.push(resolve))
    const sentAtMs = this.#nowMs
    return new Promise((resolve) => {
      this.schedule(this.networkMs, () => resolve(this.#nowMs - sentAtMs))
    })
  }
}

const settlePromises = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe("the round trip", () => {
  it("surprise-A11 is first measured when the page has settled", async () => {
    const page = new Page()
    page.become({ state: "open" })
    for (const ms of [700, 300, 120]) {
      page.work(ms)
      await page.idle(60)
    }
    expect(page.shown.value).toBeUndefined()
    await page.idle(1_000)
    await page.idle(4_000)
    expect(page.seen).toEqual([8])
  })

  it("is measured after the time limit on a page whose timers are always late", async () => {
    const page = new Page()
    page.become({ state: "open" })
    for (let busy = 0; busy < 60; busy += 1) {
      page.work(100)
      await page.idle(1)
    }
    await page.idle(100)
    expect(page.seen).toHaveLength(1)
  })

  it("is unknown after a lost connection until the next measurement, also if the old connection answers", async () => {
    const page = new Page()
    page.become({ state: "open" })
    await page.idle(155)
    page.become({ state: "reconnecting", attempt: 1, delayMs: 0, waiting: false, error: undefined })
    await page.idle(1_000)
    expect(page.seen).toEqual([])
    page.become({ state: "open" })
    await page.idle(1_000)
    expect(page.seen).toEqual([8])
    page.become({ state: "reconnecting", attempt: 1, delayMs: 0, waiting: false, error: undefined })
    expect(page.shown.value).toBeUndefined()
    expect(page.timers).toBe(0)
  })

  it("surprise-A11 is replaced on a silent connection by the time without an answer", async () => {
    const page = new Page()
    page.become({ state: "open" })
    await page.idle(1_000)
    expect(page.shown.value).toBe(8)
    page.isSilent = true
    await page.idle(2_000)
    expect(page.silentSeconds.value).toBeUndefined()
    await page.idle(3_200)
    expect(page.silentSeconds.value).toBe(3)
    await page.idle(5_000)
    expect(page.silentSeconds.value).toBe(8)
    page.thaw(9_000)
    await page.idle(0)
    expect([page.silentSeconds.value, page.shown.value]).toEqual([undefined, 9_000])
    page.isSilent = true
    await page.idle(8_000)
    expect(page.silentSeconds.value).toBeGreaterThan(3)
    page.become({ state: "reconnecting", attempt: 1, delayMs: 0, waiting: false, error: undefined })
    expect(page.silentSeconds.value).toBeUndefined()
    expect(page.timers).toBe(0)
  })

  it("ends with its timers", async () => {
    const page = new Page()
    page.become({ state: "open" })
    await page.idle(1_000)
    page.stop()
    expect(page.timers).toBe(0)
  })
})
