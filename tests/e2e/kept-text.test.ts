// Players at their browsers who write, walk or log out while something is missing: another page has taken over, the page
// is reloaded without a network, the pictures have not arrived, the server cannot be reached.
import type { Route } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { WorldProcess } from "../world/start-world.ts"
import { useBrowser } from "./chromium.ts"
import { enterFriend, proxyTo } from "./neighbours.ts"
import { eventually, newName, ofSameSpeakers, openTab } from "./player-tab.ts"
import type { PlayerTab } from "./player-tab.ts"

const browser = useBrowser()
const world = new WorldProcess()

beforeAll(() => world.start(), 60_000)
afterAll(() => world.remove())

/** As after a network's return; otherwise the next attempt may take some seconds. */
const hurry = ({ page }: PlayerTab): Promise<boolean> =>
  page.evaluate(() => window.dispatchEvent(new Event("online")))

/** Share of the canvas that shows ground without pictures. */
const plainShare = ({ page }: PlayerTab): Promise<number> =>
  page.evaluate(() => {
    const canvas = document.querySelector("canvas")
    const { width = 0, height = 0 } = canvas ?? {}
    const { data = [] } = canvas?.getContext("2d")?.getImageData(0, 0, width, height) ?? {}
    let count = 0
    for (let at = 0; at < data.length; at += 4) {
      const colour = [data[at], data[at + 1], data[at + 2]].join()
      if (colour === "63,90,60" || colour === "66,94,63") count += 1
    }
    return count / (width * height)
  })

describe.concurrent("a player's text", { timeout: 120_000 }, () => {
  it("is kept by a page that is replaced while lines wait, and said after Play here", async ({
    onTestFinished,
  }) => {
    const { proxy, url } = await proxyTo(world, onTestFinished)
    const friend = await enterFriend(world, onTestFinished)
    const first = await openTab({ browser: browser(), url, onEnd: onTestFinished })
    const name = await first.register(newName("Ann"))
    expect(await first.find("chat-channel-global").count()).toBe(0)
    proxy.refuse()
    proxy.cut()
    await first.expectState("reconnecting")
    for (const message of ["one", "two"]) await first.say(message)
    const second = await openTab({ browser: browser(), url: world.url, onEnd: onTestFinished })
    await second.submit(name, "login-submit", first.password)
    await second.expectOpen()
    await proxy.accept()
    await hurry(first)
    await first.expectState("closed")
    await first.expectText("chat-unsaid", "2 lines wait for “Play here”.")
    await first.say("three")
    expect(await first.find("chat-input").inputValue()).toBe("three")
    await first.picture("replaced-with-lines")

    await first.find("reconnect").click()
    await first.expectOpen()
    await first.find("chat-send").click()
    const talk = ["one", "two", "three"].map((message) => `${name}: ${message}`)
    await eventually(() => expect(ofSameSpeakers(friend.talk, talk)).toEqual(talk))
    expect(first.ownProblems).toEqual([])
  })

  it("is kept over a reload without a network: waiting lines are said once, and the half-typed line is there", async ({
    onTestFinished,
  }) => {
    const { proxy, url } = await proxyTo(world, onTestFinished)
    const friend = await enterFriend(world, onTestFinished)
    const ann = await openTab({ browser: browser(), url, onEnd: onTestFinished })
    const name = await ann.register(newName("Ann"))
    proxy.refuse()
    proxy.cut()
    await ann.expectState("reconnecting")
    await ann.say("before the reload")
    await ann.find("chat-input").fill("half of a")
    await expect(ann.page.reload()).rejects.toThrow("ERR_CONNECTION_REFUSED")
    await ann.page.waitForURL("chrome-error://chromewebdata/")
    await proxy.accept()
    await ann.page.goto(url)
    await ann.expectOpen()
    const talk = [`${name}: before the reload`]
    await ann.expectTalk(talk)
    expect(ofSameSpeakers(friend.talk, talk)).toEqual(talk)
    expect(await ann.find("chat-input").inputValue()).toBe("half of a")
  })
})

/** Counts how often the note about waiting lines has disappeared. */
async function watchNote({ page }: PlayerTab): Promise<() => Promise<number>> {
  await page.evaluate(() => {
    let count = 0
    new MutationObserver((changes) => {
      const removed = changes.flatMap(({ removedNodes }) => [...removedNodes])
      count += removed.filter((node) => node instanceof HTMLElement && node.matches(".unsaid")).length
      document.body.dataset["goneNotes"] = String(count)
    }).observe(document.body, { childList: true, subtree: true })
  })
  return () => page.evaluate(() => Number(document.body.dataset["goneNotes"] ?? 0))
}

/** Faster than a loaded machine types. */
const sayAtOnce = ({ page }: PlayerTab, lines: readonly string[]): Promise<void> =>
  page.getByTestId("chat-input").evaluate(async (input, all) => {
    if (!(input instanceof HTMLInputElement)) throw new Error("the chat has no input")
    const rendered = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 20))
    for (const line of all) {
      input.value = line
      input.dispatchEvent(new Event("input", { bubbles: true }))
      await rendered()
      input.form?.requestSubmit()
      await rendered()
    }
  }, lines)

describe.concurrent("a player", { timeout: 120_000 }, () => {
  it("talks faster than the limit: the note about waiting lines stays until the last one is said", async ({
    onTestFinished,
  }) => {
    const ann = await openTab({ browser: browser(), url: world.url, onEnd: onTestFinished })
    const name = await ann.register(newName("Ann"))
    const goneNotes = await watchNote(ann)
    const lines = Array.from({ length: 8 }, (_, index) => `line ${index}`)
    await sayAtOnce(ann, lines)
    await ann.find("chat-unsaid").waitFor()
    await ann.expectTalk(lines.map((line) => `${name}: ${line}`))
    await ann.find("chat-unsaid").waitFor({ state: "detached" })
    expect(await goneNotes()).toBe(1)
    expect(ann.problems).toEqual([])
  })

  it("walks before the pictures have arrived, and sees them after a failed download", async ({
    onTestFinished,
  }) => {
    const ann = await openTab({ browser: browser(), url: world.url, onEnd: onTestFinished })
    const held: Route[] = []
    await ann.page.route("**/*.png", async (route) => {
      if (held.length < 2) held.push(route)
      else await route.continue()
    })
    await ann.register(newName("Ann"))
    await ann.walk("ArrowRight", 2)
    expect(held.length).toBe(2)
    expect(await plainShare(ann)).toBeGreaterThan(0.2)
    await ann.picture("no-pictures-yet")

    for (const route of held) await route.abort()
    await eventually(async () => expect(await plainShare(ann)).toBeLessThan(0.01))
    await ann.picture("pictures-after-a-failure")
  })

  it("logs out without a network: the form says so, and the log-in ends when the network returns", async ({
    onTestFinished,
  }) => {
    const ann = await openTab({ browser: browser(), url: world.url, onEnd: onTestFinished })
    const name = await ann.register(newName("Ann"))
    await ann.page.context().setOffline(true)
    await ann.say("too late")
    await ann.find("logout").click()
    await ann.expectText("login-error", "before the world had confirmed your last line.")
    await ann.expectText("login-note", `${name} is logged out on this page, but the server could not end`)
    expect(await ann.page.evaluate(() => sessionStorage.length)).toBe(0)
    await ann.picture("logged-out-offline")
    await ann.page.context().setOffline(false)
    await ann.expectText("login-note", `The log-in of ${name} has ended at the server too.`)
    expect(await ann.page.context().cookies(`${world.url}/auth/session/${name.toLowerCase()}`)).toEqual([])
    expect(await ann.page.evaluate(() => localStorage.length)).toBe(0)
  })
})
