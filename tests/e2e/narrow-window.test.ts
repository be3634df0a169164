// A player at a narrow window whose connection falls silent, is lost, and is taken over: what the page says is visible.
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest"
import type { Locator } from "playwright-core"
import { WorldProcess } from "../world/start-world.ts"
import { useBrowser } from "./chromium.ts"
import { proxyTo } from "./neighbours.ts"
import { eventually, newName, openTab } from "./player-tab.ts"
import type { PlayerTab } from "./player-tab.ts"

const browser = useBrowser()
const world = new WorldProcess()

beforeAll(() => world.start(), 60_000)
afterAll(() => world.remove())

const narrow = { width: 360, height: 640 }

/** Share of the element that no other element covers, by 9 points of it. */
function uncovered(place: Locator): Promise<number> {
  return place.evaluate((element) => {
    const { left, top, width, height } = element.getBoundingClientRect()
    const shares = [0.05, 0.5, 0.95]
    const points = shares.flatMap((x) => shares.map((y) => [left + x * width, top + y * height] as const))
    // Hit tests leave out elements that let clicks through.
    const styled = element.closest<HTMLElement>(".veil")
    if (styled !== null) styled.style.pointerEvents = "auto"
    const free = points.filter(([x, y]) => element.contains(document.elementFromPoint(x, y)))
    if (styled !== null) styled.style.pointerEvents = ""
    return free.length / points.length
  })
}

async function distanceToEnd({ page }: PlayerTab): Promise<number> {
  const log = page.getByTestId("chat-log")
  return await log.evaluate(({ scrollHeight, scrollTop, clientHeight }) =>
    Math.round(scrollHeight - scrollTop - clientHeight),
  )
}

it("shows its state, its news and its button uncovered", { timeout: 120_000 }, async () => {
  const { proxy, url } = await proxyTo(world, onTestFinished)
  // Wide at first: there the skills are open.
  const ann = await openTab({ browser: browser(), url })
  const name = await ann.register(newName("Ann"))
  const lines = Array.from({ length: 8 }, (_, index) => `${name}: line ${index}`)
  for (const line of lines) await ann.say(line.slice(name.length + 2))
  await ann.expectTalk(lines)
  await ann.page.setViewportSize(narrow)
  await eventually(async () => expect(await distanceToEnd(ann)).toBeLessThanOrEqual(1))
  await ann.find("dev-toggle").click()
  const boxes = [ann.page.locator(".top-right"), ann.page.locator(".chat")].map((place) =>
    place.boundingBox(),
  )
  const [panels, chat] = await Promise.all(boxes)
  expect((panels?.y ?? NaN) + (panels?.height ?? NaN)).toBeLessThanOrEqual(chat?.y ?? NaN)
  await ann.find("dev-toggle").click()

  for (const connection of proxy.connections) connection.blackHole()
  await ann.page.locator('[data-testid="badge"][data-state="doubtful"]').waitFor()
  const silence = ann.find("badge-silent")
  await silence.waitFor()
  await eventually(async () => expect(await ann.text("badge")).toMatch(/^No answer\s+for \d+ s/))

  proxy.refuse()
  proxy.cut()
  await ann.expectState("reconnecting")
  await ann
    .find("badge-attempt")
    .filter({ hasText: /attempt [2-9]/ })
    .waitFor()
  expect(await uncovered(ann.find("badge"))).toBe(1)
  expect(await uncovered(ann.find("banner").locator(".banner"))).toBe(1)
  await ann.picture("narrow-outage")

  const second = await openTab({ browser: browser(), url: world.url })
  await second.submit(name, "login-submit", ann.password)
  await second.expectOpen()
  await proxy.accept()
  await ann.page.evaluate(() => window.dispatchEvent(new Event("online")))
  await ann.expectState("closed")
  expect(await uncovered(ann.find("reconnect"))).toBe(1)
  await ann.find("reconnect").click()
  await ann.expectOpen()
  expect(ann.ownProblems).toEqual([])
})
