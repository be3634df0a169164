// The example `examples/board` from end to end: `npm start`, and pages in real browsers that draw.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest"
import { z } from "zod"
import { startChild } from "../browsers/child.ts"
import { chromium } from "../browsers/chromium.ts"
import { firefox } from "../browsers/firefox.ts"
import { useEngine } from "../browsers/engine.ts"
import type { Browser, Tab } from "../browsers/engine.ts"
import { startChaosProxy } from "../chaos/proxy.ts"
import { freePort } from "../world/free-port.ts"

const root = join(import.meta.dirname, "../..")
const pictures = join(root, "tests/output/board")
/** Generous, because a loaded machine is slow. */
const waiting = { timeout: 30_000, interval: 50 }

/** Starts the board at a port. Returns the function that ends it. */
async function startBoard(at: number): Promise<() => Promise<void>> {
  const env = { ...process.env, PORT: String(at) }
  const server = startChild("npm", ["start"], { cwd: join(root, "examples/board"), env, detached: true })
  let output = ""
  for (const stream of [server.process.stdout, server.process.stderr])
    stream?.on("data", (text) => (output += String(text)))
  await vi.waitFor(() => expect(output).toContain(`The board is at http://127.0.0.1:${at}/`), waiting)
  return async () => {
    // npm and its child.
    if (server.process.pid !== undefined) process.kill(-server.process.pid)
    await server.ended
  }
}

let stop: () => Promise<void>
let port = 0
beforeAll(async () => {
  port = await freePort()
  stop = await startBoard(port)
}, 60_000)
afterAll(() => stop())

/** A visitor's page. */
class Visitor {
  readonly tab: Tab

  constructor(tab: Tab) {
    this.tab = tab
  }

  static async open(browser: Browser, name: string, at = port): Promise<Visitor> {
    const visitor = new Visitor(await browser.open(`http://127.0.0.1:${at}/?name=${name}`))
    await visitor.shows("document.querySelector('p')?.textContent.startsWith('open: ')", true)
    onTestFinished(() => visitor.tab.close())
    return visitor
  }

  /** Waits until an expression has a value. */
  async shows(expression: string, value: unknown): Promise<void> {
    await vi.waitFor(async () => expect(await this.#read(expression)).toEqual(value), waiting)
  }

  /** Moves the pointer over places of the board, such as `[[0, 0], [100, 50]]`, with the button pressed if it draws. */
  async move(places: readonly (readonly [x: number, y: number])[], draws = true): Promise<void> {
    const types = places.map((_, index) => (index === 0 && draws ? "pointerdown" : "pointermove"))
    for (const [index, [x, y]] of places.entries()) await this.#point(types[index] ?? "", x, y)
    const [x, y] = places.at(-1) ?? [0, 0]
    if (draws) await this.#point("pointerup", x, y)
  }

  /** Draws a straight line. Returns its points as the page writes them. */
  async draw(x: number, y: number): Promise<string> {
    await this.move([
      [x, y],
      [x + 100, y + 50],
    ])
    return `${x},${y} ${x + 100},${y + 50}`
  }

  async strokes(wanted: readonly string[]): Promise<void> {
    await this.shows(
      "[...document.querySelectorAll('polyline')].map((line) => line.getAttribute('points'))",
      wanted,
    )
  }

  async #point(type: string, x: number, y: number): Promise<void> {
    await this.tab.evaluate(`(async () => {
      const board = document.querySelector("svg")
      const { left, top, width, height } = board.getBoundingClientRect()
      const clientX = left + (${x} / 1000) * width, clientY = top + (${y} / 600) * height
      board.dispatchEvent(new PointerEvent("${type}", { bubbles: true, clientX, clientY }))
      await new Promise((resolve) => setTimeout(resolve))
      return true
    })()`)
  }

  async #read(expression: string): Promise<unknown> {
    const text = await this.tab.evaluate(`JSON.stringify(${expression})`)
    return JSON.parse(z.string().parse(text))
  }
}

it("has 200 lines at most", () => {
  const folder = join(root, "examples/board")
  const sources = readdirSync(folder).filter((file) => /\.(?:ts|tsx|html|css)$/.test(file))
  const counts = sources.map((file) => readFileSync(join(folder, file), "utf8").trimEnd().split("\n").length)
  expect(sources).toHaveLength(5)
  expect(counts.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(200)
})

/** Strokes of the tests before: the board is one. */
const before: string[] = []

describe.each([chromium, firefox])("the board in $name", { timeout: 120_000 }, (engine) => {
  const browser = useEngine(engine)

  it("shows two visitors each other's strokes, pointers and names", async () => {
    const ann = await Visitor.open(browser(), "ann")
    const bob = await Visitor.open(browser(), "bob")
    for (const visitor of [ann, bob])
      await visitor.shows("document.querySelector('p').textContent", "open: ann, bob")
    before.push(await ann.draw(100, 100))
    await bob.strokes(before)
    before.push(await bob.draw(400, 200))
    await ann.strokes(before)
    await bob.move([[700, 300]], false)
    await ann.shows("document.querySelector('svg g')?.textContent", "bob")
    await ann.shows("document.querySelector('svg g')?.getAttribute('transform')", "translate(700 300)")
    // The tab that was opened last is visible.
    mkdirSync(pictures, { recursive: true })
    writeFileSync(join(pictures, `${engine.name}.png`), await bob.tab.picture())
  })

  it("shows a visitor who comes later, or reloads the page, all earlier strokes", async () => {
    const cid = await Visitor.open(browser(), "cid")
    await cid.strokes(before)
    await cid.tab.reload()
    await cid.strokes(before)
  })

  it("loses and repeats no stroke when the connections are cut", async () => {
    const proxy = await startChaosProxy({ to: { host: "127.0.0.1", port } })
    onTestFinished(() => proxy.close())
    const ann = await Visitor.open(browser(), "ann", proxy.port)
    const bob = await Visitor.open(browser(), "bob", proxy.port)
    const cid = await Visitor.open(browser(), "cid")
    proxy.refuse()
    proxy.cut()
    await ann.shows("document.querySelector('p').textContent.split(':')[0]", "reconnecting")
    // A stroke without a connection is on the own page at once.
    const away = await ann.draw(50, 400)
    await ann.strokes([...before, away])
    before.push(await cid.draw(250, 400))
    await cid.strokes(before)
    await proxy.accept()
    before.push(away)
    for (const visitor of [ann, bob, cid]) await visitor.strokes(before)
    before.push(await bob.draw(450, 400))
    for (const visitor of [ann, bob, cid]) await visitor.strokes(before)
  })
})

/** Number of strokes whose key no other stroke has. Two with the same key would take each other's place. */
const keyCount = `new Set([...document.querySelectorAll("polyline")].map((line) => {
  const fiber = line[Object.keys(line).find((name) => name.startsWith("__reactFiber$"))]
  return fiber.return.key
})).size`

describe("the board in chromium", { timeout: 120_000 }, () => {
  const browser = useEngine(chromium)

  it("keeps the strokes and tells two with the same offset apart after a restart of the server", async () => {
    const own = await freePort()
    const kill = await startBoard(own)
    const ann = await Visitor.open(browser(), "ann", own)
    const strokes = [await ann.draw(100, 100)]
    await ann.shows(`${keyCount}`, 1)
    // Published, not only drawn.
    await ann.shows("document.querySelector('p').textContent", "open: ann")
    const bob = await Visitor.open(browser(), "bob", own)
    await bob.strokes(strokes)
    await kill()
    const killAgain = await startBoard(own)
    onTestFinished(killAgain)
    await ann.shows("document.querySelector('p').textContent.split(':')[0]", "open")
    await ann.shows(
      "document.querySelector('svg > text')?.textContent",
      "New visitors do not see some of the strokes.",
    )
    strokes.push(await ann.draw(300, 300))
    await ann.strokes(strokes)
    await ann.shows(keyCount, 2)
    await bob.strokes(strokes)
    await bob.shows(keyCount, 2)
  })

  it("keeps all points of a stroke whose events a busy page gets at once, and draws with the main button only", async () => {
    const own = await freePort()
    onTestFinished(await startBoard(own))
    const ann = await Visitor.open(browser(), "ann", own)
    const points = [2, 0].map(
      (button) => `["pointerdown", "pointermove", "pointermove", "pointerup"].map((type, index) => {
        const { left, top, width, height } = document.querySelector("svg").getBoundingClientRect()
        const place = { clientX: left + (index / 10) * width, clientY: top + height / 2 }
        const event = new PointerEvent(type, { bubbles: true, button: ${button}, ...place })
        return document.querySelector("svg").dispatchEvent(event)
      }).length`,
    )
    for (const atOnce of points) await ann.shows(atOnce, 4)
    await ann.strokes(["0,300 100,300 200,300"])
  })

  it("opens with a name of its own if the address has an empty one", async () => {
    const visitor = await Visitor.open(browser(), "")
    await visitor.shows("/^open: .*guest \\d+/.test(document.querySelector('p').textContent)", true)
  })
})
