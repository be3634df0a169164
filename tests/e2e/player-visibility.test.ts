// The players that other players at their browsers see.
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { WorldProcess } from "../world/start-world.ts"
import { useBrowser } from "./chromium.ts"
import { newName, openTab, waitMs } from "./player-tab.ts"
import type { PlayerTab } from "./player-tab.ts"

const world = new WorldProcess()
const browser = useBrowser()

beforeAll(() => world.start(), 60_000)
afterAll(() => world.remove())

const open = (): Promise<PlayerTab> => openTab({ browser: browser(), url: world.url })

describe("two players at two browsers", { timeout: 120_000 }, () => {
  it("register, see each other and see each other walk", async () => {
    const [ann, bob] = await Promise.all([open(), open()])
    await ann.picture("login")
    const [annName, bobName] = [newName("Ann"), newName("Bob")]
    await Promise.all([ann.register(annName), bob.register(bobName)])
    await ann.expectSeen(bobName, await bob.position())
    await bob.expectSeen(annName, await ann.position())
    await bob.walk("ArrowRight", 3)
    await ann.walk("ArrowLeft", 2)
    await ann.expectSeen(bobName, await bob.position())
    await bob.expectSeen(annName, await ann.position())
    expect(await bob.position()).not.toEqual(await ann.position())
    await ann.picture("two-players")
    await bob.find("logout").click()
    await bob.find("login-submit").waitFor()
    await ann.expectLine("system", `${bobName} has left`)
    await ann.find("player-list").locator("li").filter({ hasText: bobName }).waitFor({ state: "detached" })
    expect([...ann.problems, ...bob.problems]).toEqual([])
  })

  it("chat to all players near by, and to one alone", async () => {
    const [ann, bob, eve] = await Promise.all([open(), open(), open()])
    const [annName, bobName] = [newName("Ann"), newName("Bob")]
    await Promise.all([ann.register(annName), bob.register(bobName), eve.register(newName("Eve"))])
    await ann.say("Ahoy, all of you!")
    for (const tab of [ann, bob, eve]) await tab.expectLine("local", `${annName}: Ahoy, all of you!`)
    await bob.say("Only for you", annName)
    await ann.expectLine("dm", `${bobName}: Only for you`)
    await bob.expectLine("dm", `to ${annName}: Only for you`)
    await eve.say("What do you whisper?")
    await ann.expectLine("local", "What do you whisper?")
    await eve.expectLine("local", "What do you whisper?")
    expect(await eve.text("chat-log")).not.toContain("Only for you")
    await ann.say("Are you there?", newName("Nobody"))
    await ann.expectLine("error", "is not online")
    await ann.picture("chat")
    expect([ann, bob, eve].flatMap(({ problems }) => problems)).toEqual([])
  })
})

describe("three players at three browsers", { timeout: 120_000 }, () => {
  it("meet at the edge of the market, as in the picture of the README", async () => {
    const [mara, tom, ines] = await Promise.all([open(), open(), open()])
    await Promise.all([mara.register("Mara"), tom.register("Tom"), ines.register("Ines")])
    await mara.walk("ArrowDown", 5)
    await tom.walk("ArrowDown", 6)
    await Promise.all([tom.walk("ArrowRight", 4), ines.walk("ArrowDown", 3)])
    await Promise.all([tom.walk("ArrowLeft", 1), ines.walk("ArrowRight", 1)])
    await tom.say("Morning! Has the boat come in?")
    await ines.say("An hour ago. Rope, lamps, and no cheese.")
    await mara.say("Meet me at the jetty", "Ines")
    await tom.say("No cheese?!")
    await mara.expectSeen("Tom", await tom.position())
    await mara.expectSeen("Ines", await ines.position())
    await mara.expectLine("local", "Tom: No cheese?!")
    await ines.expectLine("dm", "Mara: Meet me at the jetty")
    await mara.find("chat-channel-local").click()
    await mara.picture("three-players")
    expect([mara, tom, ines].flatMap(({ problems }) => problems)).toEqual([])
  })
})

describe("a player at a browser", { timeout: 120_000 }, () => {
  it("sees the state of the connection and its round trip", async () => {
    const tab = await open()
    await tab.register(newName("Ann"))
    expect(await tab.find("badge").getAttribute("data-state")).toBe("open")
    await expect.poll(() => tab.text("badge-round-trip"), { timeout: waitMs }).toMatch(/^(<1|\d+) ms$/)
    expect(tab.problems).toEqual([])
  })

  it("surprise-A11 chats and walks by the keys of the keypad", async () => {
    const tab = await open()
    await tab.register(newName("Ann"))
    const [x, y] = await tab.position()
    // Without NumLock the keypad has arrows.
    await tab.pressKey({ code: "Numpad6", key: "ArrowRight" })
    await tab.expectText("position", `${x + 1},${y}`)
    await tab.page.keyboard.press("NumpadEnter")
    await tab.page.keyboard.type("from the keypad")
    await tab.page.keyboard.press("NumpadEnter")
    await tab.expectLine("local", "from the keypad")
    expect(tab.problems).toEqual([])
  })

  it("gains experience by walking and by felling a tree", async () => {
    const tab = await open()
    await tab.register(newName("Ann"))
    const before = { exploration: await tab.xp("exploration"), woodcutting: await tab.xp("woodcutting") }
    expect(before).toEqual({ exploration: 0, woodcutting: 0 })
    await tab.walk("ArrowUp", 17)
    await tab.walk("ArrowRight", 8)
    await expect.poll(() => tab.xp("exploration"), { timeout: waitMs }).toBe(20)
    await tab.page.keyboard.press("ArrowRight")
    await tab.page.keyboard.press("e")
    await tab.expectLine("system", "+25 woodcutting experience")
    await expect.poll(() => tab.xp("woodcutting"), { timeout: waitMs }).toBe(25)
    await tab.picture("gathering")
    expect(tab.problems).toEqual([])
  })

  it("sees the reason of a refused login, and gets in with the right password", async () => {
    const tab = await open()
    const name = newName("Ann")
    await tab.submit(name, "login-submit")
    await tab.find("login-error").filter({ hasText: /\w/ }).waitFor()
    await tab.picture("login-refused")
    await tab.submit(name, "register-submit", "short")
    await tab
      .find("login-error")
      .filter({ hasText: /password/i })
      .waitFor()
    await tab.register(name)
    await tab.page.reload()
    await tab.expectOpen()
    expect(await tab.text("own-name")).toBe(name)
    // The browser itself reports the failed requests of a page.
    const refused = /the server responded with a status of (401|422)/
    expect(tab.problems.filter((problem) => !refused.test(problem))).toEqual([])
  })

  it("walks and gathers by thumb on a phone", async () => {
    const context = {
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
      deviceScaleFactor: 2,
    }
    const tab = await openTab({ browser: browser(), url: world.url, context })
    await tab.register(newName("Ann"))
    const [x, y] = await tab.position()
    const pad = await tab.find("touch-pad").boundingBox()
    if (pad === null) throw new Error("the pad is not shown")
    await tab.page.touchscreen.tap(pad.x + pad.width * 0.9, pad.y + pad.height / 2)
    await tab.expectText("position", `${x + 1},${y}`)
    await tab.find("gather").tap()
    await tab.expectLine("error", "there is no tree or rock within reach")
    await tab.say("Hello from a phone")
    await tab.expectLine("local", "Hello from a phone")
    await tab.picture("phone")
    expect(tab.problems).toEqual([])
  })
})
