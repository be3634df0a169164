// A browser window with several tabs, of which one is visible, and which can be frozen.
import type { BrowserContext, CDPSession } from "playwright-core"
import { startChromium } from "../browsers/chromium.ts"
import { PlayerTab } from "./player-tab.ts"
import type { OnEnd } from "./player-tab.ts"

/** One player's tab in a separate window, with methods to hide and to freeze it. */
export class Desk {
  readonly tab: PlayerTab
  readonly #context: BrowserContext
  readonly #devTools: CDPSession

  constructor(context: BrowserContext, tab: PlayerTab, devTools: CDPSession) {
    this.#context = context
    this.tab = tab
    this.#devTools = devTools
  }

  /** Brings another tab to the front. */
  async hide(): Promise<void> {
    await this.#context.newPage()
    await this.#expectVisibility("hidden")
  }

  async show(): Promise<void> {
    await this.tab.page.bringToFront()
    await this.#expectVisibility("visible")
  }

  /** Stops all scripts of the page. Only a hidden page can be frozen. */
  async freeze(): Promise<void> {
    await this.#devTools.send("Page.setWebLifecycleState", { state: "frozen" })
  }

  async thaw(): Promise<void> {
    await this.#devTools.send("Page.setWebLifecycleState", { state: "active" })
  }

  /** The longest time during which no timer of the page ran. */
  async longestPauseMs(): Promise<number> {
    return await this.tab.page.evaluate(() => Number(document.body.dataset["longestPauseMs"]))
  }

  async #expectVisibility(state: "hidden" | "visible"): Promise<void> {
    const polling = 50
    await this.tab.page.waitForFunction((wanted) => document.visibilityState === wanted, state, { polling })
  }
}

/** A separate browser that ends with the test, and the world's page in it. */
export async function openDesk(url: string, onEnd: OnEnd): Promise<Desk> {
  const { context, quit } = await startChromium()
  onEnd(quit)
  const page = await context.newPage()
  const tab = new PlayerTab(page)
  await page.goto(url)
  await page.evaluate(measurePauses)
  return new Desk(context, tab, await context.newCDPSession(page))
}

/** Runs in the page. */
function measurePauses(): void {
  let longestMs = 0
  let lastMs = performance.now()
  setInterval(() => {
    const nowMs = performance.now()
    longestMs = Math.max(longestMs, nowMs - lastMs)
    lastMs = nowMs
    document.body.dataset["longestPauseMs"] = String(longestMs)
  }, 100)
}
