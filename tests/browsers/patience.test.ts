// Tests that take minutes: a hidden tab whose timers run once a minute, and a server that is down for long. They mostly
// wait, so they run concurrently, and the file starts before all others (scripts/patient-first.ts).
import { describe, expect, it } from "vitest"
import { chromium, startChromium, tabOf } from "./chromium.ts"
import { skipReason } from "./engine.ts"
import { firefox } from "./firefox.ts"
import { startHost } from "./host.ts"
import { ProbeTab, openProbe } from "./probe-tab.ts"

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const hiddenMs = 175_000
const eventEveryMs = 4_000
const downMs = 200_000

/** The timers of a hidden page run once a minute after 10 s instead of 5 minutes. */
const intensiveThrottling = "--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/10"

describe.concurrent("a page that waits for minutes", { timeout: 300_000 }, () => {
  it("surprise-A1 keeps its connection and sees each event at once, hidden, with timers that run once a minute", async (context) => {
    context.skip(skipReason(chromium) !== undefined, skipReason(chromium))
    const host = await startHost()
    context.onTestFinished(() => host.close())
    const started = await startChromium([intensiveThrottling])
    context.onTestFinished(() => started.quit())
    const page = await started.context.newPage()
    await page.goto(host.origin)
    const probe = new ProbeTab(tabOf(page), "page")
    await probe.enter({ url: host.webSocketUrl, token: "hidden" })
    await probe.tab.evaluate("void hawser.measurePauses()")
    const front = await started.context.newPage()
    await front.bringToFront()
    expect((await probe.surroundings()).visibility).toBe("hidden")

    const [session] = host.server.local.sessions("hidden")
    const sentAtMs: number[] = []
    while (sentAtMs.length * eventEveryMs < hiddenMs) {
      session?.send("news", { n: sentAtMs.length })
      sentAtMs.push(Date.now())
      await sleep(eventEveryMs)
    }

    const { news, stats, statuses } = await probe.state()
    const { longestPauseMs, visibility } = await probe.surroundings()
    expect(visibility).toBe("hidden")
    // Proof that the browser did throttle the page's timers.
    expect(longestPauseMs).toBeGreaterThan(50_000)
    expect(statuses.map(({ status }) => status)).toEqual([
      { state: "connecting", attempt: 0 },
      { state: "open" },
    ])
    expect(stats).toMatchObject({ dials: 1, connectionsLost: 0, sessionsReset: 0 })
    expect(news.map(({ n }) => n)).toEqual(sentAtMs.map((_, n) => n))
    // Each event arrived before the next one was sent.
    const late = news.filter(({ n, atMs }) => atMs - (sentAtMs[n] ?? 0) >= eventEveryMs)
    expect(late).toEqual([])
  })

  it("surprise-A9 is open within 30 s after a server's outage of 200 s, though Firefox delays dials", async (context) => {
    context.skip(skipReason(firefox) !== undefined, skipReason(firefox))
    const host = await startHost()
    context.onTestFinished(() => host.close())
    const browser = await firefox.launch()
    context.onTestFinished(() => browser.quit())
    const { proxy, webSocketUrl: url } = host.proxied
    const probe = await openProbe(browser, host.proxied)
    await probe.enter({ url, token: "patient" })
    proxy.refuse()
    proxy.cut()
    await sleep(downMs)
    const down = await probe.state()
    await proxy.accept()
    const backAtMs = Date.now()
    await probe.eventually(async () => expect((await probe.state()).status.state).toBe("open"), 60_000)

    const { statuses } = await probe.state()
    const openAtMs = statuses.at(-1)?.atMs ?? Infinity
    expect(openAtMs - backAtMs).toBeLessThan(30_000)
    expect(down.status.state).toBe("reconnecting")
    // The port had no listener, so no dial can have timed out.
    const codes = new Set(statuses.map(({ status }) => status.error?.code))
    expect([...codes]).not.toContain("connection_timeout")
    expect(await probe.call("echo", "back")).toBe("back")
  })
})
