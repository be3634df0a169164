// Players at their browsers when the server dies, and when they log in a second time.
import { describe, expect, it, onTestFinished } from "vitest"
import { openDatabase } from "../../apps/world/src/server/store/database.ts"
import { createPlayerStore } from "../../apps/world/src/server/store/player-store.ts"
import { freePort } from "../world/free-port.ts"
import { startWorld } from "../world/start-world.ts"
import type { WorldProcess } from "../world/start-world.ts"
import { useBrowser } from "./chromium.ts"
import { newName, openTab, waitMs } from "./player-tab.ts"
import type { PlayerTab } from "./player-tab.ts"

const browser = useBrowser()

/** A separate world of the test, on a port that stays free while it is down. */
async function ownWorld(): Promise<WorldProcess> {
  const world = await startWorld({ port: await freePort() })
  onTestFinished(() => world.remove())
  return world
}

/** Longer than the longest wait between two attempts, 30 s. */
const returnMs = 45_000

const open = ({ url }: WorldProcess): Promise<PlayerTab> => openTab({ browser: browser(), url })

/** Waits until the world's store holds a player's place: it saves at intervals, not with every step. */
async function expectSaved(folder: string, name: string, at: readonly [x: number, y: number]): Promise<void> {
  const database = await openDatabase(`file:${folder}/data/world.sqlite`)
  const store = createPlayerStore(database)
  try {
    await expect
      .poll(async () => await store.findByName(name), { timeout: waitMs })
      .toMatchObject({ x: at[0], y: at[1] })
  } finally {
    await store.close()
  }
}

describe("a server that is killed", { timeout: 120_000 }, () => {
  it("resumes with both players at the same place when it runs again", async () => {
    const world = await ownWorld()
    const [ann, bob] = await Promise.all([open(world), open(world)])
    const [annName, bobName] = [newName("Ann"), newName("Bob")]
    await Promise.all([ann.register(annName), bob.register(bobName)])
    await Promise.all([ann.walk("ArrowUp", 4), bob.walk("ArrowRight", 3)])
    const [annAt, bobAt] = [await ann.position(), await bob.position()]
    await Promise.all([expectSaved(world.folder, annName, annAt), expectSaved(world.folder, bobName, bobAt)])

    await world.kill()
    for (const tab of [ann, bob]) {
      await tab.page.locator('[data-testid="badge"][data-state="reconnecting"]').waitFor()
      await expect.poll(() => tab.text("badge-attempt"), { timeout: waitMs }).toMatch(/^attempt [1-9]\d*$/)
      await tab.expectText("banner", "Connection lost")
    }
    await ann.find("badge-countdown").waitFor()
    expect(await ann.text("badge-countdown")).toMatch(/^\d+\.\d s$/)
    await ann.picture("reconnecting")

    await world.start()
    await Promise.all([ann.expectOpen(returnMs), bob.expectOpen(returnMs)])
    expect([await ann.position(), await bob.position()]).toEqual([annAt, bobAt])
    await ann.expectSeen(bobName, bobAt)
    await bob.expectSeen(annName, annAt)
    await bob.walk("ArrowRight", 1)
    await ann.expectSeen(bobName, await bob.position())
    await ann.say("Here again")
    await bob.expectLine("local", `${annName}: Here again`)
    await ann.picture("back-again")
    expect([...ann.ownProblems, ...bob.ownProblems]).toEqual([])
  })
})

describe("a second login of the same player", { timeout: 120_000 }, () => {
  it("takes over: the first page shows it and does not reconnect", async () => {
    const world = await ownWorld()
    const [first, second, other] = await Promise.all([open(world), open(world), open(world)])
    const [name, otherName] = [newName("Ann"), newName("Bob")]
    await Promise.all([first.register(name), other.register(otherName)])
    await first.walk("ArrowRight", 2)
    const at = await first.position()

    await second.submit(name, "login-submit", first.password)
    await second.expectOpen()
    expect(await second.position()).toEqual(at)
    await first.page.locator('[data-testid="badge"][data-state="closed"]').waitFor()
    await first.expectText("banner", "You are playing somewhere else")
    await first.picture("replaced")

    // Far longer than the first attempts of a client that reconnects: a walk, and chat.
    await second.walk("ArrowUp", 4)
    await other.expectSeen(name, await second.position())
    await second.say("It is me")
    await other.expectLine("local", `${name}: It is me`)
    expect(first.socketCount).toBe(1)
    expect(await first.find("badge").getAttribute("data-state")).toBe("closed")
    expect(await other.text("chat-log")).not.toContain("has left")

    await first.find("reconnect").click()
    await first.expectOpen()
    await second.page.locator('[data-testid="badge"][data-state="closed"]').waitFor()
    expect(await first.position()).toEqual(await second.position())
    expect([first, second, other].flatMap(({ problems }) => problems)).toEqual([])
  })
})
