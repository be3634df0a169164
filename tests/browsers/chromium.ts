// Debian's Chromium over CDP. Playwright's own launch never hides a page and turns the back/forward cache off, so the
// browser is started here, and Playwright is connected without its defaults.
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { chromium as playwright } from "playwright-core"
import type { BrowserContext, Page } from "playwright-core"
import { args, executablePath } from "../e2e/chromium.ts"
import { startChild } from "./child.ts"
import { once } from "./engine.ts"
import type { Engine, Tab } from "./engine.ts"

const addressLine = /DevTools listening on (\S+)/

export interface StartedChromium {
  /** Context of its one window. A new tab hides the one before it. */
  readonly context: BrowserContext
  /** Closes its pages and resolves when the process has ended. Idempotent. */
  readonly quit: () => Promise<void>
}

/** Starts a headless browser with a profile of its own. */
export async function startChromium(flags: readonly string[] = []): Promise<StartedChromium> {
  const folder = mkdtempSync(join(tmpdir(), "hawser-chromium-"))
  const own = ["--headless", "--remote-debugging-port=0", "--lang=en-GB", `--user-data-dir=${folder}`]
  const child = startChild(
    executablePath,
    [...args, ...own, ...flags, "--window-size=1280,720", "about:blank"],
    {
      stdio: ["ignore", "ignore", "pipe"],
    },
  )
  const { stderr } = child.process
  if (stderr === null) throw new Error("the browser has no output")
  const browser = await playwright.connectOverCDP(await addressOf(stderr), { noDefaults: true })
  const [context] = browser.contexts()
  if (context === undefined) throw new Error("the browser has no window")
  const quit = once(async () => {
    const devTools = await browser.newBrowserCDPSession()
    await devTools.send("Browser.close")
    await child.ended
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })
  return { context, quit }
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
    close: () => page.close(),
    picture: () => page.screenshot(),
  }
}

/** Reads the address of CDP, and all further output: a browser whose output is not read may hang. */
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
