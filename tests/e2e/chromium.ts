// The browser of these tests: Debian's Chromium. Where it is missing a developer's run leaves the tests out and says
// so; a run in CI fails, because nobody would read that there.
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { chromium } from "playwright-core"
import type { Browser } from "playwright-core"
import { afterAll, beforeAll, beforeEach } from "vitest"

export const executablePath = "/usr/bin/chromium"
const builtPage = fileURLToPath(new URL("../../apps/world/dist/browser/index.html", import.meta.url))

/** Nothing may leave the machine, and no GPU is there. */
export const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
]

/** Why the tests are left out; undefined when they must run, also where they can only fail. */
const skipReason =
  existsSync(executablePath) || process.env["CI"] !== undefined
    ? undefined
    : `needs Chromium at ${executablePath}: apt-get install chromium`

/** One browser for the tests of a file, which are left out where there is none; call it at the top of the file. */
export function useBrowser(): () => Browser {
  let browser: Browser | undefined
  beforeAll(async () => {
    if (skipReason === undefined) browser = await launch()
  }, 60_000)
  afterAll(() => browser?.close())
  beforeEach(({ skip }) => {
    if (skipReason !== undefined) skip(skipReason)
  })
  return () => {
    if (browser === undefined) throw new Error("the browser is launched when the first test begins")
    return browser
  }
}

async function launch(): Promise<Browser> {
  if (!existsSync(executablePath)) {
    throw new Error(`There is no Chromium at ${executablePath}. Install it: apt-get install chromium`)
  }
  if (!existsSync(builtPage)) throw new Error("The page is not built. Build it: npm run build")
  return await chromium.launch({ executablePath, headless: true, args })
}
