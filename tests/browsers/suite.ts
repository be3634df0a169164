// What the client does in a real browser, the same in each engine. One browser, one server; each test opens tabs of its
// own, and the last one ends the browser.
import { writeFileSync, mkdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest"
import type { Client } from "@hawser/client"
import type { Browser, Engine } from "./engine.ts"
import { startHost } from "./host.ts"
import type { Host } from "./host.ts"
import type { contract } from "./page/contract.ts"
import { openProbe } from "./probe-tab.ts"
import type { Place, ProbeTab } from "./probe-tab.ts"

const pictures = fileURLToPath(new URL("../output/browsers/", import.meta.url))
const places: readonly Place[] = ["page", "worker"]
/** Commands between two cuts. */
const cutEvery = 20
/** The window of a session whose page was left is 5 s; the rest is for a loaded machine. */
const goneMs = 15_000

export function browserSuite(engine: Engine): void {
  describe(`the client in ${engine.name}`, { timeout: 120_000 }, () => {
    const missing = engine.missing()
    let browser: Browser
    let host: Host
    let watcher: Client<typeof contract>
    let users = 0

    beforeAll(async () => {
      if (missing !== undefined && process.env["CI"] === undefined) return
      if (missing !== undefined) throw new Error(missing)
      host = await startHost()
      browser = await engine.launch()
      watcher = await host.watcher()
    }, 60_000)
    beforeEach(({ skip }) => {
      if (missing !== undefined) skip(missing)
    })
    afterAll(async () => {
      watcher.close()
      await browser.quit()
      await host.close()
    })

    async function open(place: Place): Promise<{ probe: ProbeTab; user: string }> {
      const user = `user-${(users += 1)}`
      const probe = await openProbe(browser, host, place)
      return { probe, user }
    }

    const stays = (user: string): readonly boolean[] =>
      [...watcher.topic("room").presence].flatMap((member) => (member.user === user ? [member.away] : []))

    const expectStays = (user: string, wanted: readonly boolean[], timeout = goneMs): Promise<void> =>
      vi.waitFor(() => expect(stays(user)).toEqual(wanted), { timeout, interval: 50 })

    it.for(places)(
      "surprise-A11 exchanges requests, a stream, a topic and a replica under a strict policy, in a %s",
      async (place) => {
        const { probe, user } = await open(place)
        await probe.enter({ url: host.webSocketUrl, token: user })
        expect(await probe.call("echo", "Ahoy, ünïcode ⚓")).toBe("Ahoy, ünïcode ⚓")
        const items = Array.from({ length: 100 }, (_, index) => index + 1)
        expect(await probe.call("count", items.length)).toEqual(items)
        await watcher.topic("room").publish("line", { text: `to ${user}` })
        await probe.call("publish", `from ${user}`)
        await probe.eventually(async () => {
          const { lines, members, boats } = await probe.state()
          expect(lines).toEqual([`to ${user}`, `from ${user}`])
          expect(members.map((member) => member.user)).toEqual(expect.arrayContaining([user, "watcher"]))
          expect(boats).toEqual({ tern: { name: "Tern", cargo: 3 } })
        })
        expect((await probe.state()).errors).toEqual([])
        // The one violation is the page's own, which shows that the policy is in force.
        expect(await probe.surroundings()).toMatchObject({ violations: ["script-src eval"], mayEval: false })
        await picture(probe, `${engine.name}-${place}`)
        await probe.tab.close()
      },
    )

    it.for([
      { place: "page", cuts: 50 },
      { place: "worker", cuts: 10 },
    ] as const)(
      "surprise-A11 loses, repeats and reorders nothing over $cuts cuts, in a $place",
      async ({ place, cuts }) => {
        const { probe, user } = await open(place)
        await probe.enter({ url: host.webSocketUrl, token: user, everyMs: 5 })
        let done = 0
        host.onSay = (sayer) => {
          if (sayer !== user || host.heard(user).length % cutEvery !== 0 || done === cuts) return
          done += 1
          // Before the reply is written, and after it.
          if (done % 2 === 0) host.proxy.cut()
          else setImmediate(() => host.proxy.cut())
        }
        onTestFinished(() => {
          host.onSay = () => {}
        })
        const numbers = Array.from({ length: (cuts + 1) * cutEvery }, (_, index) => index)
        expect(await probe.call("talk", numbers.length)).toEqual(numbers)
        await probe.eventually(async () => expect((await probe.state()).status.state).toBe("open"))
        const { told, errors, sessions, stats } = await probe.state()
        expect(host.heard(user)).toEqual(numbers)
        expect(told.map(({ n }) => n)).toEqual(numbers)
        expect(errors).toEqual([])
        expect(done).toBe(cuts)
        // Two cuts may fall into one connection.
        expect(stats.sessionsResumed).toBeGreaterThan(cuts * 0.8)
        expect(sessions.filter(({ kind }) => kind !== "resumed").map(({ kind }) => kind)).toEqual(["opened"])
        await probe.tab.close()
      },
    )

    it.for(places)(
      "surprise-A11 says that a socket never opened, whatever kept it from opening, in a %s",
      async (place) => {
        const { probe, user } = await open(place)
        for (const [why, url] of Object.entries({
          refused: host.deadUrl,
          "nothing there": host.webSocketUrl.replace(/ws$/, "nowhere"),
          "no TLS": host.webSocketUrl.replace("ws:", "wss:"),
          "hung up": host.hangUpUrl,
          "against the policy": host.forbiddenUrl,
        })) {
          await probe.tab.reload()
          await probe.expectLoaded()
          await probe.call("start", { url, token: user })
          await probe.eventually(async () => {
            const { statuses } = await probe.state()
            const error = statuses.find(({ status }) => status.state === "reconnecting")?.status.error
            expect(error?.message, why).toMatch(/never opened/)
            expect(error?.message, why).not.toMatch(/code \d|undefined/)
          }, 8_000)
        }
        await probe.tab.close()
      },
    )

    it.for(places)(
      "surprise-A8 leaves no ghosts in presence after six reloads, with the client in a %s",
      async (place) => {
        const { probe, user } = await open(place)
        await probe.enter({ url: host.webSocketUrl, token: user })
        for (let reloads = 1; reloads <= 6; reloads += 1) {
          await probe.tab.reload()
          await probe.enter({ url: host.webSocketUrl, token: user })
        }
        await expectStays(user, [false])
        await probe.tab.close()
        await expectStays(user, [])
      },
    )

    it("surprise-A8 comes back from the back/forward cache with its session, or leaves no ghost", async () => {
      const { probe, user } = await open("page")
      await probe.enter({ url: host.webSocketUrl, token: user })
      const { sessionId } = await probe.state()
      await probe.tab.goto(`${host.origin}/elsewhere`)
      if (!engine.cachesSockets) {
        await expectStays(user, [])
        return
      }
      // Longer than the window of a page that is gone.
      await new Promise((resolve) => setTimeout(resolve, 6_000))
      expect(stays(user)).toHaveLength(1)
      await probe.tab.evaluate("void setTimeout(() => history.back())")
      await probe.eventually(async () => {
        expect(await probe.surroundings()).toMatchObject({ restored: 1 })
        expect((await probe.state()).status.state).toBe("open")
      })
      expect(await probe.call("echo", "back again")).toBe("back again")
      const { sessions } = await probe.state()
      expect((await probe.state()).sessionId).toBe(sessionId)
      expect(sessions.map(({ kind }) => kind)).toEqual(["opened", "resumed"])
      await expectStays(user, [false])
      await probe.tab.close()
    })

    it("surprise-A8 is gone from presence soon after the browser was quit", async () => {
      const [page, worker] = await Promise.all([open("page"), open("worker")])
      for (const { probe, user } of [page, worker]) {
        await probe.enter({ url: host.webSocketUrl, token: user })
        await expectStays(user, [false])
      }
      await browser.quit()
      for (const { user } of [page, worker]) await expectStays(user, [])
    })
  })
}

/** For whoever wants to look: tests/output/browsers/NAME.png. */
async function picture({ tab }: ProbeTab, name: string): Promise<void> {
  mkdirSync(pictures, { recursive: true })
  writeFileSync(`${pictures}${name}.png`, await tab.picture())
}
