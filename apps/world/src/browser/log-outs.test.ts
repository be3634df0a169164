import { expect, test } from "vitest"
import { LogOuts } from "./log-outs.ts"
import type { TextSlot } from "./text-slot.ts"

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** The storage of a browser, and a server that can be unreachable. */
class Browser {
  isReachable = false
  nowMs = 1_000
  /** Names of the ends that were sent. */
  readonly sent: string[] = []
  readonly timers: { readonly delayMs: number; readonly run: () => void }[] = []
  text: string | undefined
  readonly slot: TextSlot = {
    read: () => this.text,
    write: (text) => {
      this.text = text
    },
  }

  page() {
    return new LogOuts({
      slot: this.slot,
      endLogin: async (name) => {
        this.sent.push(name)
        await turn()
        return this.isReachable ? "ended" : "later"
      },
      clock: {
        schedule: (delayMs, run) => {
          const timer = { delayMs, run }
          this.timers.push(timer)
          return () => {
            this.timers.splice(0, this.timers.length, ...this.timers.filter((other) => other !== timer))
          }
        },
      },
      nowMs: () => this.nowMs,
    })
  }

  /** Runs the next timer, and waits for the answers. Returns its delay. */
  async runNext(): Promise<number> {
    const next = this.timers.shift()
    if (next === undefined) throw new Error("no timer is set")
    next.run()
    await this.answers()
    return next.delayMs
  }

  async answers(): Promise<void> {
    for (let count = 0; count < 4; count += 1) await turn()
  }
}

test("stores nothing and shows nothing if the server ends the log-in at once", async () => {
  const browser = new Browser()
  browser.isReachable = true
  const logOuts = browser.page()
  logOuts.end("Ann")
  await browser.answers()
  expect([browser.sent, browser.text, logOuts.news.value]).toEqual([["Ann"], undefined, undefined])
})

test("repeats the end of a log-in until the server can be reached, and shows both", async () => {
  const browser = new Browser()
  const logOuts = browser.page()
  logOuts.end("Ann")
  await browser.answers()
  expect(logOuts.news.value).toEqual({ kind: "waiting", name: "Ann" })
  expect(await browser.runNext()).toBe(1_000)
  browser.isReachable = true
  expect(await browser.runNext()).toBe(3_000)
  expect(logOuts.news.value).toEqual({ kind: "ended", name: "Ann" })
  expect([browser.sent.length, browser.text, browser.timers.length]).toEqual([3, undefined, 0])
})

test("gives up after some attempts until the network returns", async () => {
  const browser = new Browser()
  const logOuts = browser.page()
  logOuts.end("Ann")
  await browser.answers()
  let count = 0
  for (; browser.timers.length > 0; count += 1) await browser.runNext()
  expect(count).toBe(8)
  browser.isReachable = true
  logOuts.retry()
  await browser.answers()
  expect(logOuts.news.value).toEqual({ kind: "ended", name: "Ann" })
})

test("repeats the end after a reload, and stores the name alone, for 30 days at most", async () => {
  const browser = new Browser()
  browser.page().end("Ann")
  await browser.answers()
  expect(browser.text).toBe('[{"name":"Ann","sinceMs":1000}]')
  browser.isReachable = true
  browser.page().retry()
  await browser.answers()
  expect([browser.sent, browser.text]).toEqual([["Ann", "Ann"], undefined])

  browser.isReachable = false
  browser.page().end("Ann")
  await browser.answers()
  browser.nowMs += 30 * 86_400_000
  browser.sent.length = 0
  browser.page().retry()
  expect(browser.sent).toEqual([])
})

test("sends no end during and after a new log-in of the player, which it would end", async () => {
  const browser = new Browser()
  const logOuts = browser.page()
  logOuts.end("Ann")
  let sentBefore = 0
  await logOuts.around("ann", async () => {
    // The answer of the end has come before the log-in begins.
    expect(logOuts.news.value?.kind).toBe("waiting")
    sentBefore = browser.sent.length
    logOuts.retry()
    await browser.answers()
    return { ok: true }
  })
  logOuts.retry()
  await browser.answers()
  expect([browser.sent.length - sentBefore, browser.text, logOuts.news.value]).toEqual([
    0,
    undefined,
    undefined,
  ])
})

test("goes on with the end if the log-in fails", async () => {
  const browser = new Browser()
  const logOuts = browser.page()
  logOuts.end("Ann")
  browser.isReachable = true
  await logOuts.around("Ann", async () => ({ ok: false }))
  await browser.answers()
  expect(browser.text).toBeUndefined()
})
