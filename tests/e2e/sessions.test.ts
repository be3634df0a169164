// Players at their browsers when connections, pages and machines fail: no loss while the world keeps their session, and
// a notice after its end. The tests run concurrently, because freezing takes minutes.
import { setTimeout as pause } from "node:timers/promises"
import type { Locator } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { ResumingPlayer } from "../world/resuming-player.ts"
import { WorldProcess } from "../world/start-world.ts"
import { useBrowser } from "./chromium.ts"
import { openDesk } from "./desk.ts"
import { enterFriend, proxyTo } from "./neighbours.ts"
import { PlayerTab, eventually, newName, ofSameSpeakers, openTab, waitMs } from "./player-tab.ts"

/** Longest life of a doubted connection with long round trips (`probeTimeoutMaxMs`), and a dial after it. */
const doubtMaxMs = 60_000 + waitMs

const browser = useBrowser()
const world = new WorldProcess()
/** For a picture without the other tests' players. */
const quietWorld = new WorldProcess()
/** Here sessions outlive their connection by one second. */
const shortWorld = new WorldProcess({ env: { RESUME_WINDOW_SECONDS: "1" } })

/** Tokens last for 15 s here. */
const tokenWorld = new WorldProcess({ env: { TOKEN_SECONDS: "15" } })

const worlds = [world, quietWorld, shortWorld, tokenWorld]

beforeAll(() => Promise.all(worlds.map((one) => one.start())), 60_000)
afterAll(() => Promise.all(worlds.map((one) => one.remove())))

const greeting = "Welcome to the harbour."

/** No line appears twice and no player joined again. */
async function expectNoGreeting(tab: PlayerTab): Promise<void> {
  expect((await tab.news()).filter((line) => line === greeting || line.includes("new session"))).toEqual([
    greeting,
  ])
}

function entryOf(tab: PlayerTab, name: string): Locator {
  return tab.find("player-list").locator("li").filter({ hasText: name })
}

/** Records the badge's text from this call on, change by change. */
async function watchBadge({ page }: PlayerTab): Promise<() => Promise<readonly string[]>> {
  await page.evaluate(() => {
    const badge = document.querySelector('[data-testid="badge"]')
    if (badge === null) throw new Error("there is no badge")
    const states: string[] = []
    new MutationObserver(() => {
      states.push(badge.getAttribute("data-state") ?? "")
      document.body.dataset["badgeStates"] = states.join(" ")
    }).observe(badge, { attributeFilter: ["data-state"] })
  })
  return () => page.evaluate(() => (document.body.dataset["badgeStates"] ?? "").split(" "))
}

describe.concurrent("a player whose connection is lost", { timeout: 120_000 }, () => {
  it("loses the network, and all chat lines of both players arrive once", async ({ onTestFinished }) => {
    const { proxy, url } = await proxyTo(quietWorld, onTestFinished)
    const [ann, bob] = await Promise.all([
      openTab({ browser: browser(), url, onEnd: onTestFinished }),
      openTab({ browser: browser(), url: quietWorld.url, onEnd: onTestFinished }),
    ])
    const [annName, bobName] = [newName("Ann"), newName("Bob")]
    await Promise.all([ann.register(annName), bob.register(bobName)])
    await ann.page.keyboard.press("F2")
    await bob.find("dev-toggle").click()
    for (const tab of [ann, bob]) await tab.expectText("dev-resumed", "0")
    const [session, at] = [await ann.text("dev-session"), await ann.position()]
    const badgeStates = await watchBadge(ann)

    await ann.find("pull-plug").click()
    await ann.expectText("dev-resumed", "1")
    await ann.expectOpen()
    expect(await badgeStates()).toEqual(["reconnecting", "open"])

    proxy.refuse()
    await ann.find("pull-plug").click()
    await ann.expectState("reconnecting")
    await entryOf(bob, annName).filter({ hasText: "away" }).waitFor()
    await bob.say("into the outage")
    await bob.expectTalk([`${bobName}: into the outage`])
    await ann.say("from the outage")
    await ann.expectText("chat-unsaid", "1 line waits for the connection")
    await ann.page.keyboard.press("Escape")
    await ann.page.keyboard.press("ArrowRight")
    await ann.picture("plug-pulled")

    await proxy.accept()
    // As after a network's return; otherwise the next attempt may take some seconds.
    await ann.page.evaluate(() => window.dispatchEvent(new Event("online")))
    await ann.expectOpen()
    for (const tab of [ann, bob])
      await tab.expectTalk([`${bobName}: into the outage`, `${annName}: from the outage`])
    await ann.expectText("dev-resumed", "2")
    await ann.expectText("badge-resumed", "2× resumed")
    await ann.expectText("badge-replayed", "replayed")
    expect(await ann.text("dev-session")).toBe(session)
    expect(await ann.position()).toEqual(at)
    await entryOf(bob, annName).filter({ hasNotText: "away" }).waitFor()
    await ann.walk("ArrowRight", 2)
    await bob.expectSeen(annName, await ann.position())
    await ann.picture("resumed")
    for (const tab of [ann, bob]) await expectNoGreeting(tab)
    expect(await bob.text("chat-log")).not.toContain(`${annName} has left`)
    expect([...ann.ownProblems, ...bob.ownProblems]).toEqual([])
  })

  it("goes offline and is online again: the connection without an answer is abandoned", async ({
    onTestFinished,
  }) => {
    const { proxy, url } = await proxyTo(world, onTestFinished)
    const friend = await enterFriend(world, onTestFinished)
    const context = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }
    const ann = await openTab({ browser: browser(), url, context, onEnd: onTestFinished })
    const name = await ann.register(newName("Ann"))
    await ann.find("dev-toggle").tap()
    await ann.page.context().setOffline(true)
    for (const connection of proxy.connections) connection.blackHole()
    await friend.say("to who is offline")
    await ann.say("from who is offline")
    expect((await ann.talk()).join()).not.toContain("offline")
    await ann.page.context().setOffline(false)
    const talk = [`${friend.username}: to who is offline`, `${name}: from who is offline`]
    // Ten pages share the machine, and a slow page measures long round trips.
    await ann.expectTalk(talk, doubtMaxMs)
    await expectReceived(friend, talk)
    await ann.expectText("dev-resumed", "1")
    await expectNoGreeting(ann)
    await ann.picture("phone-online-again")
    expect(ann.ownProblems).toEqual([])
  })
})

describe.concurrent("a page that is not looked at", { timeout: 240_000 }, () => {
  it("is hidden, loses its connection and is shown again: nothing is missing", async ({ onTestFinished }) => {
    const { proxy, url } = await proxyTo(world, onTestFinished)
    const friend = await enterFriend(world, onTestFinished)
    const desk = await openDesk(url, onTestFinished)
    const name = await desk.tab.register(newName("Ann"))
    await desk.hide()
    await friend.say("while you look away")
    proxy.cut()
    await friend.say("and after the cut")
    await desk.show()
    await desk.tab.expectOpen()
    const talk = ["while you look away", "and after the cut"].map((line) => `${friend.username}: ${line}`)
    await desk.tab.expectTalk(talk)
    await desk.tab.say("seen")
    await desk.tab.expectTalk([...talk, `${name}: seen`])
    await desk.tab.expectText("badge-resumed", "1× resumed")
    await expectNoGreeting(desk.tab)
    expect(friend.left).not.toContain(name)
    expect(desk.tab.ownProblems).toEqual([])
  })

  // 110 s are longer than a server waits for a silent reader (90 s), so the session is detached then.
  it.for([
    { seconds: 10, lines: 6, isAway: false },
    { seconds: 110, lines: 12, isAway: true },
  ])(
    "is frozen for $seconds s: everything arrives once, in order",
    async ({ seconds, lines, isAway }, { onTestFinished }) => {
      const friend = await enterFriend(world, onTestFinished)
      const desk = await openDesk(world.url, onTestFinished)
      const { tab } = desk
      const name = await tab.register(newName("Ann"))
      await tab.page.keyboard.press("F2")
      const session = await tab.text("dev-session")
      await desk.hide()
      await desk.freeze()
      const thawAtMs = performance.now() + seconds * 1_000
      const talk = await sayLines(friend, lines)
      await pause(thawAtMs - performance.now())
      expect(friend.seen.get(name)?.away).toBe(isAway)
      await desk.thaw()
      await desk.show()

      await tab.expectOpen()
      await tab.expectTalk(talk)
      await tab.say("thawed")
      await tab.expectTalk([...talk, `${name}: thawed`])
      await expectReceived(friend, [...talk, `${name}: thawed`])
      expect(await tab.text("dev-session")).toBe(session)
      await expectNoGreeting(tab)
      expect(await desk.longestPauseMs()).toBeGreaterThan(seconds * 950)
      expect(friend.left).not.toContain(name)
      expect(tab.ownProblems).toEqual([])
      await tab.picture(`frozen-${seconds}-s`)
    },
  )

  it("is frozen for longer than its session is kept: shows a notice and the current world", async ({
    onTestFinished,
  }) => {
    const friend = await enterFriend(shortWorld, onTestFinished)
    const desk = await openDesk(shortWorld.url, onTestFinished)
    const { tab } = desk
    const name = await tab.register(newName("Ann"))
    await tab.walk("ArrowLeft", 2)
    const at = await tab.position()
    await tab.page.keyboard.press("F2")
    const session = await tab.text("dev-session")
    await desk.hide()
    await desk.freeze()
    await friend.say("said to who is frozen")
    await eventually(() => expect(friend.left).toEqual([name]), 150_000)
    await friend.say("said to who has left")
    await friend.move("UP")
    await desk.thaw()
    await desk.show()

    await tab.expectLine(
      "system",
      "You were away for longer than the world keeps your place. A new session has begun",
    )
    await tab.expectOpen()
    await eventually(async () => expect(await tab.text("dev-session")).not.toBe(session))
    expect(await tab.position()).toEqual(at)
    await tab.expectSeen(friend.username, [friend.at?.x ?? NaN, friend.at?.y ?? NaN])
    await tab.walk("ArrowRight", 1)
    await tab.say("anew")
    // The world tells a new session the last lines; each is shown once.
    const missed = ["said to who is frozen", "said to who has left"].map(
      (text) => `${friend.username}: ${text}`,
    )
    await tab.expectTalk([...missed, `${name}: anew`])
    expect(friend.joined.filter((joined) => joined === name)).toHaveLength(2)
    expect(tab.ownProblems).toEqual([])
    await tab.picture("session-reset")
  })
})

/** Number of login renewals in that world with this outcome. */
async function renewals(outcome: string): Promise<number> {
  const text = await (await fetch(`${tokenWorld.url}/metrics`)).text()
  return Number(
    new RegExp(`^world_login_renewals_total{outcome="${outcome}"} (\\d+)$`, "m").exec(text)?.[1] ?? 0,
  )
}

describe.concurrent("a player whose token ends", { timeout: 240_000 }, () => {
  it("door-6 plays for two minutes with tokens of 15 s, beside another player in the same browser", async ({
    onTestFinished,
  }) => {
    const ann = await openTab({ browser: browser(), url: tokenWorld.url, onEnd: onTestFinished })
    const annName = await ann.register(newName("Ann"))
    const bob = new PlayerTab(await ann.page.context().newPage())
    await bob.page.goto(tokenWorld.url)
    const bobName = await bob.register(newName("Bob"))
    const tabs = [ann, bob]
    await Promise.all(tabs.map((tab) => tab.find("dev-toggle").click()))
    const sessions = await Promise.all(tabs.map((tab) => tab.text("dev-session")))
    const badges = await Promise.all(tabs.map(watchBadge))

    const endMs = performance.now() + 120_000
    const said: string[] = []
    for (let round = 0; performance.now() < endMs; round += 1) {
      for (const [tab, name] of [
        [ann, annName],
        [bob, bobName],
      ] as const) {
        await tab.walk(round % 2 === 0 ? "ArrowLeft" : "ArrowRight", 1)
        await tab.say(`round ${round}`)
        said.push(`${name}: round ${round}`)
        await Promise.all(tabs.map((one) => one.expectTalk(said)))
      }
      await pause(5_000)
    }
    // Each renewal comes at about half of a token's life.
    expect(await renewals("renewed")).toBeGreaterThan(2 * 8)
    expect(await renewals("reused")).toBe(0)
    expect(await Promise.all(tabs.map((tab) => tab.text("dev-session")))).toEqual(sessions)
    expect(await Promise.all(badges.map((changes) => changes()))).toEqual([[""], [""]])
    expect(await ann.page.evaluate(() => document.cookie)).toBe("")
    expect([...ann.problems, ...bob.problems]).toEqual([])
  })

  it("door-6 returns to the world after leaving the page for longer than the token lasts", async ({
    onTestFinished,
  }) => {
    const tab = await openTab({ browser: browser(), url: tokenWorld.url, onEnd: onTestFinished })
    const name = await tab.register(newName("Ann"))
    await tab.page.goto("about:blank")
    // An expired token is accepted for 30 s more, because clocks differ.
    await pause(50_000)
    await tab.page.goto(tokenWorld.url)
    await tab.expectOpen()
    expect(await tab.text("own-name")).toBe(name)
    expect(tab.problems).toEqual([])
  })

  it("door-6 must log in again after the renewal's end, with the name filled in, and finds the half-written line", async ({
    onTestFinished,
  }) => {
    const tab = await openTab({ browser: browser(), url: tokenWorld.url, onEnd: onTestFinished })
    const name = await tab.register(newName("Ann"))
    await tab.find("chat-channel-dm").click()
    await tab.find("chat-recipient").fill("Eve")
    await tab.find("chat-input").fill("I was just about to")
    await tab.page.context().clearCookies()

    await tab.expectText("login-error", "You were logged out. Log in again to go on where you were.")
    expect(await tab.find("login-username").inputValue()).toBe(name)
    await tab.picture("logged-out")
    await tab.find("login-password").fill(tab.password)
    await tab.find("login-submit").click()
    await tab.expectOpen()
    expect(await tab.find("chat-input").inputValue()).toBe("I was just about to")
    expect(await tab.find("chat-recipient").inputValue()).toBe("Eve")

    // Another player of the same browser does not find it.
    await tab.find("logout").click()
    await tab.submit(newName("Bob"), "register-submit", "another password")
    await tab.expectOpen()
    expect(await tab.find("chat-input").inputValue()).toBe("")
    // The browser itself reports the 401.
    expect(tab.problems.filter((problem) => !/status of 401/.test(problem))).toEqual([])
  })
})

describe.concurrent("a duplicated tab", { timeout: 120_000 }, () => {
  it("takes over; the first tab shows it, does not reconnect by itself, and can be chosen again", async ({
    onTestFinished,
  }) => {
    const friend = await enterFriend(world, onTestFinished)
    const first = await openTab({ browser: browser(), url: world.url, onEnd: onTestFinished })
    const name = await first.register(newName("Ann"))
    const opened = first.page.context().waitForEvent("page")
    await first.page.evaluate(() => void window.open(location.href))
    const second = new PlayerTab(await opened)
    await second.expectOpen()
    expect(await second.text("own-name")).toBe(name)
    await first.expectState("closed")
    await first.expectText("banner", "You are playing somewhere else")

    // Far longer than the first attempts of a client that reconnects: a walk, and chat.
    await second.walk("ArrowLeft", 4)
    await second.say("It is me")
    await expectReceived(friend, [`${name}: It is me`])
    expect(first.socketCount).toBe(1)
    await first.expectState("closed")

    await first.page.bringToFront()
    await first.find("reconnect").click()
    await first.expectOpen()
    await first.expectLine("system", "You were playing somewhere else. A new session has begun")
    await second.expectState("closed")
    expect(await first.position()).toEqual(await second.position())
    expect(friend.left).not.toContain(name)
    expect([...first.problems, ...second.problems]).toEqual([])
  })
})

/** Waits until this player has received these lines, and no others of these players. */
async function expectReceived(friend: ResumingPlayer, lines: readonly string[]): Promise<void> {
  await eventually(() => expect(ofSameSpeakers(friend.talk, lines)).toEqual(lines))
}

/** Sends at the pace that the world allows. Resolves with the lines as every player receives them. */
async function sayLines(friend: ResumingPlayer, count: number): Promise<readonly string[]> {
  const lines = Array.from({ length: count }, (_, index) => `line ${index}`)
  for (const line of lines) {
    await friend.say(line)
    await pause(1_000)
  }
  return lines.map((line) => `${friend.username}: ${line}`)
}
