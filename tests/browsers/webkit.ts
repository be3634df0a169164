// WebKitGTK's own little browser, spoken to by WebDriver. It needs a display, so each gets a virtual one.
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import type { Engine, Tab } from "./engine.ts"
import { freePort } from "../world/free-port.ts"
import { WebDriverSession } from "./web-driver.ts"

const driver = "/usr/bin/WebKitWebDriver"
const display = "/usr/bin/Xvfb"
const browsers = ["4.1", "6.0", "4.0"].map(
  (version) => `/usr/lib/x86_64-linux-gnu/webkit2gtk-${version}/MiniBrowser`,
)

export const webkit: Engine = {
  name: "webkit",
  cachesSockets: true,
  missing() {
    const absent = [driver, display].filter((path) => !existsSync(path))
    if (!browsers.some((path) => existsSync(path))) absent.push("MiniBrowser")
    return absent.length === 0
      ? undefined
      : `needs ${absent.join(", ")}: apt-get install webkit2gtk-driver xvfb`
  },
  async launch() {
    const screen = await startDisplay()
    const port = await freePort()
    const child = spawn(driver, [`--port=${port}`], {
      stdio: "ignore",
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], DISPLAY: screen.name, GTK_A11Y: "none" },
    })
    const session = await WebDriverSession.open(`http://127.0.0.1:${port}`, {
      "webkitgtk:browserOptions": {
        binary: browsers.find((path) => existsSync(path)),
        args: ["--automation"],
      },
    })
    return {
      async open(url) {
        // The first window stays empty: closing the last one would end the browser.
        const tab = tabOf(session, await session.newWindow())
        await tab.goto(url)
        return tab
      },
      async quit() {
        await session.end()
        for (const process of [child, screen.child]) await stop(process)
      },
    }
  },
}

function tabOf(session: WebDriverSession, handle: string): Tab {
  return {
    evaluate: (expression) => session.evaluate(handle, expression),
    goto: (url) => session.goto(handle, url),
    reload: () => session.reload(handle),
    show: () => session.show(handle),
    close: () => session.closeTab(handle),
    picture: () => session.picture(handle),
  }
}

/** A virtual display of the first free number. */
async function startDisplay(): Promise<{ readonly name: string; readonly child: ChildProcess }> {
  const child = spawn(display, ["-displayfd", "3", "-screen", "0", "1280x720x24", "-nolisten", "tcp"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  })
  const [, , , numbers] = child.stdio
  if (numbers === null || numbers === undefined) throw new Error("the display has no pipe")
  const [number] = await once(numbers, "data")
  return { name: `:${String(number).trim()}`, child }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, "close")
  child.kill()
  await ended
}
