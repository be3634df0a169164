import { afterEach, describe, expect, it, vi } from "vitest"
import { pageAsk } from "./page-ask.ts"

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0"
const chromium =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"

/** Loads a page of an origin into this process. */
function load(origin: string, userAgent: string, answer: () => Promise<{ status: number }>) {
  const asked: string[] = []
  const events = new EventTarget()
  vi.stubGlobal("location", new URL(`${origin}/game`))
  vi.stubGlobal("navigator", { userAgent })
  vi.stubGlobal("addEventListener", events.addEventListener.bind(events))
  vi.stubGlobal("fetch", (address: URL, init: { method: string }) => {
    asked.push(`${init.method} ${address.href}`)
    return answer()
  })
  return { asked, events, ask: pageAsk() }
}

const { signal } = new AbortController()

afterEach(() => {
  vi.unstubAllGlobals()
})

describe("asking by HTTP", () => {
  it.each([
    [200, true],
    [404, true],
    [426, true],
    [502, false],
    [503, false],
  ])("surprise-A9 takes the status %i for an answer: %s", async (status, answers) => {
    const page = load("https://a.test", firefox, () => Promise.resolve({ status }))
    expect(await page.ask?.("wss://a.test/ws?x=1", signal)).toBe(answers)
    expect(await page.ask?.("/ws", signal)).toBe(answers)
    expect(page.asked).toEqual(["HEAD https://a.test/ws?x=1", "HEAD https://a.test/ws"])
  })

  it("surprise-A9 reports an address where nothing listens", async () => {
    const page = load("http://a.test", firefox, () => Promise.reject(new TypeError("NetworkError")))
    expect(await page.ask?.("ws://a.test/ws", signal)).toBe(false)
  })

  it.each(["ws://b.test/ws", "ws://a.test:81/ws", "wss://a.test/ws", "http://["])(
    "does not ask another origin than the page's: %s",
    async (url) => {
      const page = load("http://a.test", firefox, () => Promise.reject(new TypeError("NetworkError")))
      expect(await page.ask?.(url, signal)).toBe(true)
      expect(page.asked).toEqual([])
    },
  )

  it("stands in no dial's way where the page's policy forbids it", async () => {
    const page = load("http://a.test", firefox, () => {
      page.events.dispatchEvent(
        Object.assign(new Event("securitypolicyviolation"), { effectiveDirective: "connect-src" }),
      )
      return Promise.reject(new TypeError("NetworkError"))
    })
    expect(await page.ask?.("ws://a.test/ws", signal)).toBe(true)
    expect(await page.ask?.("ws://a.test/ws", signal)).toBe(true)
    expect(page.asked).toHaveLength(1)
  })

  it("is left out in engines that hold no dials back, and in Node", () => {
    expect(load("http://a.test", chromium, () => Promise.resolve({ status: 200 })).ask).toBeUndefined()
    vi.unstubAllGlobals()
    expect(pageAsk()).toBeUndefined()
  })
})
