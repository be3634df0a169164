// One player at one browser tab: their actions, and the page's display. Every error of the page is kept.
import { randomBytes } from "node:crypto"
import { fileURLToPath } from "node:url"
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core"
import { expect, onTestFinished, vi } from "vitest"

/** Generous, because a loaded machine draws slowly. */
export const waitMs = 20_000

const pictures = fileURLToPath(new URL("../output/e2e/", import.meta.url))

/** Repeats a check until it holds. `expect.poll` cannot be used where tests run beside each other. */
export const eventually = (check: () => unknown, timeout = waitMs): Promise<unknown> =>
  vi.waitFor(check, { timeout, interval: 50 })

/** Filters `heard` to senders of one of `lines`: other players may chat in the same world. */
export function ofSameSpeakers(received: readonly string[], lines: readonly string[]): readonly string[] {
  const speakers = new Set(lines.map((line) => line.split(":", 1)[0]))
  return received.filter((line) => speakers.has(line.split(":", 1)[0]))
}

export type Key = "ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight"

const offsets: Readonly<Record<Key, readonly [dx: number, dy: number]>> = {
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
}

/** The browser's own message about an unreachable server. */
const refusedConnection = /WebSocket connection to .* failed|net::ERR_CONNECTION_(REFUSED|RESET|CLOSED)/

export interface TabOptions {
  readonly browser: Browser
  /** The world's address. */
  readonly url: string
  readonly context?: BrowserContextOptions
  /** For a test that runs beside others: its own `onTestFinished`. */
  readonly onEnd?: OnEnd
}

/** Registers work for the end of the test. */
export type OnEnd = (cleanup: () => void | Promise<void>) => void

export class PlayerTab {
  readonly page: Page
  readonly password = randomBytes(8).toString("hex")
  /** Page errors, and errors and warnings of its console. */
  readonly problems: string[] = []
  /** WebSockets that the page has opened so far. */
  socketCount = 0

  constructor(page: Page) {
    this.page = page
    page.setDefaultTimeout(waitMs)
    page.on("pageerror", (error) => this.problems.push(String(error)))
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.problems.push(message.text())
    })
    page.on("websocket", () => (this.socketCount += 1))
  }

  /** Errors of the page, without the connections that were refused while the server was down. */
  get ownProblems(): readonly string[] {
    return this.problems.filter((problem) => !refusedConnection.test(problem))
  }

  find(testId: string): Locator {
    return this.page.getByTestId(testId)
  }

  text(testId: string): Promise<string> {
    return this.find(testId).innerText()
  }

  /** Fills the form and submits it by one of its buttons. */
  async submit(
    username: string,
    button: "login-submit" | "register-submit",
    password = this.password,
  ): Promise<void> {
    await this.find("login-username").fill(username)
    await this.find("login-password").fill(password)
    await this.find(button).click()
  }

  /** Registers an account by the form, and waits until its player is in the world and the world is drawn. */
  async register(name: string): Promise<string> {
    await this.submit(name, "register-submit")
    await this.expectOpen()
    expect(await this.text("own-name")).toBe(name)
    return name
  }

  async expectOpen(timeout = waitMs): Promise<void> {
    await this.page.locator('[data-testid="badge"][data-state="open"]').waitFor({ timeout })
    await this.find("banner").waitFor({ state: "detached" })
    await this.find("position").waitFor()
  }

  async position(): Promise<readonly [x: number, y: number]> {
    const [x, y] = (await this.text("position")).split(",").map(Number)
    return [x ?? NaN, y ?? NaN]
  }

  /** Taps an arrow key `count` times, each after the previous step is done. */
  async walk(key: Key, count: number): Promise<void> {
    const [dx, dy] = offsets[key]
    for (let done = 0; done < count; done += 1) {
      const [x, y] = await this.position()
      await this.pressKey({ code: key, key })
      await this.expectText("position", `${x + dx},${y + dy}`)
    }
  }

  /**
   * Presses and releases in one turn of the page: on a loaded machine a real key is held for longer than a step takes.
   */
  async pressKey(pressed: { readonly code: string; readonly key: string }): Promise<void> {
    await this.page.evaluate((init) => {
      const at = document.activeElement ?? document.body
      for (const type of ["keydown", "keyup"])
        at.dispatchEvent(new KeyboardEvent(type, { ...init, bubbles: true, cancelable: true }))
    }, pressed)
  }

  async expectText(testId: string, text: string): Promise<void> {
    await this.find(testId).filter({ hasText: text }).waitFor()
    expect(await this.text(testId)).toContain(text)
  }

  /** Waits until the list of visible players contains another one. */
  async expectSeen(name: string, at: readonly [x: number, y: number]): Promise<void> {
    const entry = this.find("player-list").locator("li").filter({ hasText: name })
    await entry.filter({ hasText: at.join(",") }).waitFor()
  }

  /** All chat lines to players near by, as the log shows them: `SENDER: TEXT`. */
  async talk(): Promise<readonly string[]> {
    return await this.#lines("local")
  }

  /** Lines of the system in the log. */
  async news(): Promise<readonly string[]> {
    return await this.#lines("system")
  }

  #lines(kind: string): Promise<readonly string[]> {
    const lines = this.find("chat-log").locator(`[data-kind="${kind}"]`)
    return lines.evaluateAll((all) =>
      all.map((line) => [...line.querySelectorAll("b, span")].map((part) => part.textContent).join("")),
    )
  }

  /** Waits until these lines, and no others of these players, are shown. */
  async expectTalk(lines: readonly string[], withinMs = waitMs): Promise<void> {
    await eventually(async () => expect(ofSameSpeakers(await this.talk(), lines)).toEqual(lines), withinMs)
  }

  /** Waits until the badge shows this state. */
  async expectState(state: "open" | "reconnecting" | "closed"): Promise<void> {
    await this.page.locator(`[data-testid="badge"][data-state="${state}"]`).waitFor()
  }

  async say(message: string, recipient?: string): Promise<void> {
    await this.find(recipient === undefined ? "chat-channel-local" : "chat-channel-dm").click()
    if (recipient !== undefined) await this.find("chat-recipient").fill(recipient)
    await this.find("chat-input").fill(message)
    await this.find("chat-send").click()
  }

  /** Waits for a line of the chat of this kind with this text. */
  async expectLine(kind: "local" | "global" | "dm" | "system" | "error", text: string): Promise<void> {
    await this.find("chat-log").locator(`[data-kind="${kind}"]`).filter({ hasText: text }).first().waitFor()
  }

  /** Experience in a skill, from its tooltip. */
  async xp(skill: string): Promise<number> {
    const title = await this.find("skills").locator(`[data-skill="${skill}"]`).getAttribute("title")
    return Number.parseInt(title ?? "", 10)
  }

  /** Writes a picture for readers: tests/output/e2e/NAME.png. */
  async picture(name: string): Promise<void> {
    await this.page.screenshot({ path: `${pictures}${name}.png` })
  }
}

/** A tab with a separate context, so that only the world is shared with other players. */
export async function openTab({
  browser,
  url,
  context = {},
  onEnd = onTestFinished,
}: TabOptions): Promise<PlayerTab> {
  const opened = await browser.newContext({
    viewport: { width: 1280, height: 720 },
    locale: "en-GB",
    ...context,
  })
  onEnd(() => opened.close())
  const tab = new PlayerTab(await opened.newPage())
  await tab.page.goto(url)
  return tab
}

/** A name that no other test has used. */
export function newName(first: string): string {
  return `${first}-${randomBytes(3).toString("hex")}`
}
