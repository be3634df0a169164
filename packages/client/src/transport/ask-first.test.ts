import type { Dial, DialEvents } from "@hawser/protocol/core"
import { SimulatedClock, createMemoryNetwork } from "@hawser/protocol/testing"
import type { MemoryNetwork } from "@hawser/protocol/testing"
import { describe, expect, it } from "vitest"
import { askFirst } from "./ask-first.ts"

/** A browser that counts the WebSockets of a page, a network behind it, and the events that the page gets. */
class Page {
  readonly clock = new SimulatedClock()
  readonly network: MemoryNetwork
  readonly seen: string[] = []
  sockets = 0
  asked = 0
  /** How long an answer takes; undefined: none ever comes. */
  answerMs: number | undefined = 5
  readonly #dial: Dial

  constructor() {
    const { clock } = this
    this.network = createMemoryNetwork({ clock, latencyMs: 1, accept: () => silent })
    this.network.listening = false
    const counted: Dial = (...args) => {
      this.sockets += 1
      return this.network.dial(...args)
    }
    this.#dial = askFirst(counted, {
      clock,
      ask: (_url, signal) =>
        new Promise((resolve, reject) => {
          this.asked += 1
          signal.addEventListener("abort", () => reject(new Error("given up")))
          if (this.answerMs !== undefined)
            clock.schedule(this.answerMs, () => resolve(this.network.listening))
        }),
    })
  }

  dial(): ReturnType<Dial> {
    return this.#dial("memory:", ["hawser.1"], {
      ...silent,
      open: () => this.seen.push("open"),
      closed: (code) => this.seen.push(`closed ${code}`),
    })
  }

  /** Dials every 5 s. */
  async dialFor(ms: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += 5_000) {
      this.dial()
      await this.clock.advance(5_000)
    }
  }
}

const silent: DialEvents = {
  open() {},
  message() {},
  text() {},
  drained() {},
  pong() {},
  closed() {},
}

describe("a dial in a browser that holds dials back", () => {
  it("surprise-A9 makes four WebSockets in 125 s without a server, and opens as soon as one answers", async () => {
    const page = new Page()
    await page.dialFor(125_000)
    expect(page).toMatchObject({ sockets: 3, asked: 22 })
    expect(new Set(page.seen)).toEqual(new Set(["closed 1006"]))
    expect(page.seen).toHaveLength(25)
    await page.dialFor(15_000)
    expect(page.sockets).toBe(4)
    page.network.listening = true
    page.dial()
    await page.clock.advance(100)
    expect(page.seen.at(-1)).toBe("open")
  })

  it("asks nothing any more after a dial that opened", async () => {
    const page = new Page()
    await page.dialFor(20_000)
    page.network.listening = true
    const connection = page.dial()
    await page.clock.advance(100)
    const { asked } = page
    expect(connection.send({ bytes: Uint8Array.of(1) })).toBe(true)
    connection.terminate()
    page.network.listening = false
    await page.dialFor(15_000)
    expect(page.asked).toBe(asked)
    await page.dialFor(5_000)
    expect(page.asked).toBe(asked + 1)
  })

  it.each(["terminate", "close"] as const)("stops asking at %s, and tells its end once", async (how) => {
    const page = new Page()
    await page.dialFor(15_000)
    page.seen.length = 0
    page.answerMs = undefined
    const connection = page.dial()
    expect(connection.send({ bytes: Uint8Array.of(1) })).toBe(false)
    expect(connection.bufferedBytes).toBe(0)
    if (how === "close") connection.close(1000, "")
    else connection.terminate()
    connection.terminate()
    page.network.listening = true
    await page.clock.advance(1_000)
    expect(page.seen).toEqual(["closed 1006"])
    expect(page.sockets).toBe(3)
  })

  it("is the plain dial where nothing is held back", () => {
    const dial: Dial = () => {
      throw new Error("not dialled")
    }
    expect(askFirst(dial, { clock: new SimulatedClock(), ask: undefined })).toBe(dial)
  })
})
