// WebKitGTK's MiniBrowser over WebDriver. It has no headless mode, so it gets a virtual display.
import { once as firstEvent } from "node:events"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { freePort } from "../world/free-port.ts"
import { startChild } from "./child.ts"
import type { Child } from "./child.ts"
import { once } from "./engine.ts"
import type { Engine, Tab } from "./engine.ts"
import { WebDriverSession } from "./web-driver.ts"

const driver = "/usr/bin/WebKitWebDriver"
const display = "/usr/bin/Xvfb"
const binary = ["4.1", "6.0"]
  .map((version) => `/usr/lib/x86_64-linux-gnu/webkit2gtk-${version}/MiniBrowser`)
  .find((path) => existsSync(path))

export const webkit: Engine = {
  name: "webkit",
  cachesSockets: true,
  missing() {
    const absent = [driver, display].filter((path) => !existsSync(path))
    if (binary === undefined) absent.push("MiniBrowser")
    return absent.length === 0
      ? undefined
      : `needs ${absent.join(", ")}: apt-get install webkit2gtk-driver xvfb`
  },
  async launch() {
    const folder = mkdtempSync(join(tmpdir(), "hawser-webkit-"))
    const [screen, port] = await Promise.all([startDisplay(), freePort()])
    const child = startChild(driver, [`--port=${port}`], {
      stdio: "ignore",
      env: { PATH: process.env["PATH"], HOME: folder, DISPLAY: screen.name },
    })
    const session = await WebDriverSession.open(`http://127.0.0.1:${port}`, {
      "webkitgtk:browserOptions": { binary, args: ["--automation"] },
    })
    return {
      async open(url) {
        // The first window stays empty: closing the last one ends the browser.
        const tab = tabOf(session, await session.newWindow())
        await tab.goto(url)
        return tab
      },
      quit: once(async () => {
        await session.end()
        await child.stop()
        await screen.child.stop()
        rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
      }),
    }
  },
}

function tabOf(session: WebDriverSession, handle: string): Tab {
  return {
    evaluate: (expression) => session.evaluate(handle, expression),
    goto: (url) => session.goto(handle, url),
    reload: () => session.reload(handle),
    close: () => session.close(handle),
    picture: () => session.picture(handle),
  }
}

/** Starts a virtual display with the first free number. */
async function startDisplay(): Promise<{ readonly name: string; readonly child: Child }> {
  const args = ["-displayfd", "3", "-screen", "0", "1280x720x24", "-nolisten", "tcp"]
  const child = startChild(display, args, { stdio: ["ignore", "ignore", "ignore", "pipe"] })
  const numbers = child.process.stdio[3]
  if (numbers === null || numbers === undefined) throw new Error("the display has no pipe")
  const number = String(await firstEvent(numbers, "data")).trim()
  return { name: `:${number}`, child }
}
