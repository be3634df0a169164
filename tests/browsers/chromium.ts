// Debian's Chromium as a person has it: tabs of one window hide each other, and pages go into the back/forward cache.
// A tool's usual browsers do neither, so this one is started and spoken to without the tool's settings.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { chromium as playwright } from "playwright-core"
import type { Browser as PlaywrightBrowser, BrowserContext, Page } from "playwright-core"
import { args, executablePath } from "../e2e/chromium.ts"
import type { Engine, Tab } from "./engine.ts"

const addressLine = /DevTools listening on (\S+)/

export interface StartedChromium {
  readonly browser: PlaywrightBrowser
  /** Of its one window. */
  readonly context: BrowserContext
  /** Resolves when the process has ended. */
  quit(): Promise<void>
  kill(): Promise<void>
}

/** Starts a browser with a profile of its own. */
export async function startChromium(flags: readonly string[] = []): Promise<StartedChromium> {
  const folder = mkdtempSync(join(tmpdir(), "hawser-chromium-"))
  const own = ["--headless", "--remote-debugging-port=0", "--lang=en-GB", `--user-data-dir=${folder}`]
  const child = spawn(executablePath, [...args, ...own, ...flags, "--window-size=1280,720", "about:blank"], {
    stdio: ["ignore", "ignore", "pipe"],
  })
  const ended = once(child, "close").then(() =>
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  )
  const browser = await playwright.connectOverCDP(await addressOf(child.stderr), { noDefaults: true })
  const [context] = browser.contexts()
  if (context === undefined) throw new Error("the browser has no window")
  return {
    browser,
    context,
    async quit() {
      const devTools = await browser.newBrowserCDPSession()
      await devTools.send("Browser.close")
      await ended
    },
    async kill() {
      child.kill()
      await ended
    },
  }
}

export const chromium: Engine = {
  name: "chromium",
  cachesSockets: true,
  missing: () =>
    existsSync(executablePath) ? undefined : `needs ${executablePath}: apt-get install chromium`,
  async launch() {
    const { context, quit } = await startChromium()
    return {
      async open(url) {
        const page = await context.newPage()
        await page.goto(url)
        return tabOf(page)
      },
      quit,
    }
  },
}

export function tabOf(page: Page): Tab {
  return {
    evaluate: (expression) => page.evaluate<unknown>(expression),
    async goto(url) {
      await page.goto(url)
    },
    async reload() {
      await page.reload()
    },
    show: () => page.bringToFront(),
    close: () => page.close(),
    picture: () => page.screenshot(),
  }
}

/** What the browser says is read to its end: it may hang when nobody takes it. */
function addressOf(output: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ""
    output.on("data", (part) => {
      text += String(part)
      const address = addressLine.exec(text)?.[1]
      if (address !== undefined) resolve(address)
    })
    output.on("end", () => reject(new Error(`the browser ended:\n${text}`)))
  })
}
