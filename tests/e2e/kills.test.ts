// Two players at their browsers, one who talks and one who reads, while the world's process is killed again and again.
import type { Page } from "playwright-core"
import { describe, expect, it, onTestFinished } from "vitest"
import { freePort } from "../world/free-port.ts"
import { startWorld } from "../world/start-world.ts"
import { useBrowser } from "./chromium.ts"
import { eventually, newName, openTab } from "./player-tab.ts"
import type { PlayerTab } from "./player-tab.ts"

const browser = useBrowser()
const kills = 10
/** Longer than the longest wait between two attempts, 30 s. */
const returnMs = 45_000

/** Counts loads of the page, and marks its document. */
async function watchLoads(page: Page): Promise<() => Promise<{ loads: number; isMarked: boolean }>> {
  const count = { loads: 0 }
  page.on("load", () => (count.loads += 1))
  await page.evaluate(() => (document.body.dataset["mark"] = "same document"))
  return async () => ({
    ...count,
    isMarked: await page.evaluate(() => document.body.dataset["mark"] === "same document"),
  })
}

/** Number of resumes that the badge shows; 0 before the first. */
async function resumes({ page }: PlayerTab): Promise<number> {
  const shown = page.getByTestId("badge-resumed")
  return (await shown.count()) === 0 ? 0 : Number.parseInt(await shown.innerText(), 10)
}

const draftOf = (tab: PlayerTab): Promise<string> => tab.find("chat-input").inputValue()

describe("a world whose process is killed ten times", { timeout: 300_000 }, () => {
  it("costs a talking player and a reader a blink each: no line, no draft, no session is lost", async () => {
    const world = await startWorld({ port: await freePort(), program: "compiled" })
    onTestFinished(() => world.remove())
    const open = (): Promise<PlayerTab> => openTab({ browser: browser(), url: world.url })
    const [ann, bob] = [await open(), await open()]
    const [annName] = [await ann.register(newName("Ann")), await bob.register(newName("Bob"))]
    const loads = await Promise.all([ann, bob].map(({ page }) => watchLoads(page)))
    const news = [await ann.news(), await bob.news()]
    const said: string[] = []
    const say = async (line: string): Promise<void> => {
      said.push(`${annName}: ${line}`)
      await ann.say(line)
    }

    for (let kill = 1; kill <= kills; kill += 1) {
      // On its way, or in the server, when the process dies.
      await say(`line ${kill} before`)
      const killed = world.kill()
      await ann.find("chat-input").fill(`draft ${kill}`)
      await killed
      await Promise.all([ann.expectState("reconnecting"), bob.expectState("reconnecting")])
      if (kill === 1) await ann.picture("killed")
      expect(await draftOf(ann)).toBe(`draft ${kill}`)
      if (kill % 2 === 0) await say(`line ${kill} while it is down`)
      else await ann.page.keyboard.type(", longer")

      await world.start()
      await Promise.all([ann.expectOpen(returnMs), bob.expectOpen(returnMs)])
      await eventually(async () => expect([await resumes(ann), await resumes(bob)]).toEqual([kill, kill]))
      expect(await draftOf(ann)).toBe(kill % 2 === 0 ? "" : `draft ${kill}, longer`)
      await Promise.all([ann.expectTalk(said, returnMs), bob.expectTalk(said, returnMs)])
    }

    await ann.walk("ArrowLeft", 1)
    await bob.expectSeen(annName, await ann.position())
    await ann.picture("after-ten-kills")
    await bob.picture("reader-after-ten-kills")
    // No reload, no new session, no word about a loss.
    expect(await Promise.all(loads.map((read) => read()))).toEqual([
      { loads: 0, isMarked: true },
      { loads: 0, isMarked: true },
    ])
    expect([await ann.news(), await bob.news()]).toEqual(news)
    expect(await ann.find("login-username").count()).toBe(0)
    expect([...ann.ownProblems, ...bob.ownProblems]).toEqual([])
    expect(world.output.match(/^The journal continued 2 sessions/gm)).toHaveLength(kills)
  })
})
