// The browser of these tests: Debian's Chromium. Without it a developer's run skips the tests and reports that; a run
// in CI fails, because skipped tests would not be noticed there.
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { chromium } from "playwright-core"
import type { Browser } from "playwright-core"
import { afterAll, beforeAll, beforeEach } from "vitest"

export const executablePath = "/usr/bin/chromium"
const builtPage = fileURLToPath(new URL("../../apps/world/dist/browser/index.html", import.meta.url))

/** No request may leave the machine, and there is no GPU. */
export const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
]

/** Reason why the tests are skipped; undefined when they must run, also where they can only fail. */
const skipReason =
  existsSync(executablePath) || process.env["CI"] !== undefined
    ? undefined
    : `needs Chromium at ${executablePath}: apt-get install chromium`

/** Launches one browser for the tests of a file, which are skipped without Chromium; call it at the top of the file. */
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
    if (browser === undefined)
      throw new Error("the browser is not launched yet: it is launched when the first test begins")
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
