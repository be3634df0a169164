// The suite of the client in a real browser, the same for each engine. One browser and one server serve all tests of an
// engine; each test opens a tab of its own, and the last one quits the browser.
import type { Client } from "@hawser/client"
import { mkdirSync, writeFileSync } from "node:fs"
import { setTimeout as pause } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest"
import { useEngine, skipReason } from "./engine.ts"
import type { Browser, Engine } from "./engine.ts"
import { startHost } from "./host.ts"
import type { Door, Host } from "./host.ts"
import type { contract } from "./page/contract.ts"
import { openProbe } from "./probe-tab.ts"
import type { Place, ProbeTab } from "./probe-tab.ts"

const pictures = fileURLToPath(new URL("../output/browsers/", import.meta.url))
const places: readonly Place[] = ["page", "worker"]
/** Commands between two cuts. */
const cutEvery = 20
const leaveWindowMs = 2_000
/** Window of a page that was left, and a margin for a loaded machine; a lost connection has 120 s. */
const goneMs = leaveWindowMs + 15_000

/** Parts that the tests of one engine share. */
interface Suite {
  readonly engine: Engine
  readonly browser: () => Browser
  readonly host: () => Host
  /** A client outside the browser, in the room. */
  readonly watcher: () => Client<typeof contract>
  readonly open: (place: Place, door?: Door) => Promise<{ readonly probe: ProbeTab; readonly user: string }>
  /** For each membership of the user in the room: true if it is detached. */
  readonly memberships: (user: string) => readonly boolean[]
  readonly expectMemberships: (user: string, wanted: readonly boolean[]) => Promise<void>
}

export function browserSuite(engine: Engine): void {
  describe(`the client in ${engine.name}`, { timeout: 120_000 }, () => {
    const suite = setUp(engine)
    testMessages(suite)
    testCuts(suite)
    testFailedDials(suite)
    testReloads(suite)
    testCache(suite)
    testQuit(suite)
  })
}

function setUp(engine: Engine): Suite {
  const browser = useEngine(engine)
  let host: Host
  let watcher: Client<typeof contract>
  let users = 0

  beforeAll(async () => {
    if (skipReason(engine) !== undefined) return
    host = await startHost({ leaveWindowMs })
    watcher = await host.watcher()
  })
  afterAll(async () => {
    if (skipReason(engine) !== undefined) return
    watcher.close()
    await host.close()
  })

  const memberships = (user: string): readonly boolean[] =>
    [...watcher.topic("room").presence].flatMap((member) => (member.user === user ? [member.away] : []))
  return {
    engine,
    browser,
    host: () => host,
    watcher: () => watcher,
    async open(place, door = host) {
      users += 1
      return { probe: await openProbe(browser(), door, place), user: `user-${users}` }
    },
    memberships,
    expectMemberships: (user, wanted) =>
      vi.waitFor(() => expect(memberships(user)).toEqual(wanted), { timeout: goneMs, interval: 50 }),
  }
}

function testMessages({ engine, host, open, watcher }: Suite): void {
  it.for(places)(
    "surprise-A11 exchanges requests, a stream, a topic and a replica under a strict policy, in a %s",
    async (place) => {
      const { probe, user } = await open(place)
      await probe.enter({ url: host().webSocketUrl, token: user })
      expect(await probe.call("echo", "Ahoy, ünïcode ⚓")).toBe("Ahoy, ünïcode ⚓")
      const items = Array.from({ length: 100 }, (_, index) => index + 1)
      expect(await probe.call("count", items.length)).toEqual(items)
      await watcher()
        .topic("room")
        .publish("line", { text: `to ${user}` })
      await probe.call("publish", `from ${user}`)
      await probe.eventually(async () => {
        const { lines, members, boats } = await probe.state()
        expect(lines).toEqual([`to ${user}`, `from ${user}`])
        expect(members.map((member) => member.user)).toEqual(expect.arrayContaining([user, "watcher"]))
        expect(boats).toEqual({ tern: { name: "Tern", cargo: 3 } })
      })
      expect((await probe.state()).errors).toEqual([])
      // The page causes the one violation itself, to show that the policy is in force.
      const { violations, mayEval } = await probe.surroundings()
      expect({ violations, mayEval }).toEqual({ violations: ["script-src eval"], mayEval: false })
      await savePicture(probe, `${engine.name}-${place}`)
      await probe.tab.close()
    },
  )
}

function testCuts({ host, open }: Suite): void {
  it.for([
    ["page", 50],
    ["worker", 10],
  ] as const)(
    "surprise-A11 loses, repeats and reorders nothing, in a %s, over %i cuts",
    async ([place, cuts]) => {
      const { proxy, webSocketUrl: url } = host().proxied
      const { probe, user } = await open(place, host().proxied)
      // Cuts come faster than the default budget lets a client dial.
      const limits = { dialBurst: 100, dialsPerMinute: 60_000 }
      await probe.enter({ url, token: user, everyMs: 5, limits })
      let done = 0
      host().onSay = (sayer) => {
        if (sayer !== user || host().received(user).length % cutEvery !== 0 || done === cuts) return
        done += 1
        // Cuts alternate: before the reply is written, and after it.
        if (done % 2 === 0) proxy.cut()
        else setImmediate(() => proxy.cut())
      }
      onTestFinished(() => {
        host().onSay = () => {}
      })
      const numbers = Array.from({ length: (cuts + 1) * cutEvery }, (_, index) => index)
      expect(await probe.call("talk", numbers.length)).toEqual(numbers)
      await probe.eventually(async () => expect((await probe.state()).status.state).toBe("open"))
      const { news, errors, sessions, stats } = await probe.state()
      expect(host().received(user)).toEqual(numbers)
      expect(news.map(({ n }) => n)).toEqual(numbers)
      expect(errors).toEqual([])
      expect(done).toBe(cuts)
      // A cut may fall into a dial.
      expect(stats.sessionsResumed).toBeGreaterThan(cuts * 0.8)
      expect(new Set(sessions.map(({ kind }) => kind))).toEqual(new Set(["opened", "resumed"]))
      expect(stats.sessionsReset).toBe(0)
      await probe.tab.close()
    },
  )
}

function testFailedDials({ host, open }: Suite): void {
  it.for(places)(
    "surprise-A11 reports a socket that never opened, whatever the cause, in a %s",
    async (place) => {
      const { probe, user } = await open(place)
      const urls = {
        "nobody listens": host().deadUrl,
        "another path": host().webSocketUrl.replace(/ws$/, "nowhere"),
        "no TLS": host().webSocketUrl.replace("ws:", "wss:"),
        "hung up on": host().hangUpUrl,
        "against the policy": host().proxied.webSocketUrl,
      }
      for (const [why, url] of Object.entries(urls)) {
        await probe.tab.reload()
        await probe.expectLoaded()
        await probe.call("start", { url, token: user })
        await probe.eventually(async () => {
          const { statuses } = await probe.state()
          const [error] = statuses.flatMap(({ status }) => status.error ?? [])
          expect(error, why).toMatchObject({ code: "connection_failed" })
          expect(error?.message, why).toMatch(/never opened|no socket could be made/)
        })
      }
      await probe.tab.close()
    },
  )
}

function testReloads({ expectMemberships, host, open }: Suite): void {
  it.for(places)(
    "surprise-A8 leaves no ghosts in presence after six reloads, with the client in a %s",
    async (place) => {
      const { probe, user } = await open(place)
      await probe.enter({ url: host().webSocketUrl, token: user })
      for (let reloads = 1; reloads <= 6; reloads += 1) {
        await probe.tab.reload()
        await probe.enter({ url: host().webSocketUrl, token: user })
      }
      await expectMemberships(user, [false])
      await probe.tab.close()
      await expectMemberships(user, [])
    },
  )
}

function testCache({ engine, expectMemberships, host, open, memberships }: Suite): void {
  it(`surprise-A8 ${engine.cachesSockets ? "returns from the back/forward cache with its session" : "leaves no ghost where the back/forward cache takes no sockets"}`, async () => {
    const { probe, user } = await open("page")
    await probe.enter({ url: host().webSocketUrl, token: user })
    const { sessionId } = await probe.state()
    await probe.tab.goto(`${host().origin}/elsewhere`)
    if (!engine.cachesSockets) {
      await expectMemberships(user, [])
      await probe.tab.close()
      return
    }
    await pause(leaveWindowMs * 1.5)
    expect(memberships(user)).toHaveLength(1)
    await probe.tab.evaluate("void setTimeout(() => history.back())")
    await probe.eventually(async () => {
      expect(await probe.surroundings()).toMatchObject({ restored: 1 })
      expect((await probe.state()).status.state).toBe("open")
    })
    expect(await probe.call("echo", "back again")).toBe("back again")
    const state = await probe.state()
    expect(state.sessionId).toBe(sessionId)
    expect(state.sessions.map(({ kind }) => kind)).toEqual(["opened", "resumed"])
    await expectMemberships(user, [false])
    await probe.tab.close()
    await expectMemberships(user, [])
  })
}

function testQuit({ browser, expectMemberships, host, open }: Suite): void {
  it("surprise-A8 leaves presence soon after the browser was quit", async () => {
    const entered = []
    for (const place of places) {
      const { probe, user } = await open(place)
      await probe.enter({ url: host().webSocketUrl, token: user })
      await expectMemberships(user, [false])
      entered.push(user)
    }
    await browser().quit()
    for (const user of entered) await expectMemberships(user, [])
  })
}

/** Writes tests/output/browsers/NAME.png. */
async function savePicture({ tab }: ProbeTab, name: string): Promise<void> {
  mkdirSync(pictures, { recursive: true })
  writeFileSync(`${pictures}${name}.png`, await tab.picture())
}
