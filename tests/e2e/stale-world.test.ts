// The world on the screen while the connection is lost: unchanged, marked as stale, and exact after the resume.
import { cellOf, staysInView } from "@hawser/protocol/core"
import { pino } from "pino"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect, it, onTestFinished } from "vitest"
import { world as contract } from "../../apps/world/src/contract.ts"
import { startWorld } from "../../apps/world/src/server/world-server.ts"
import type { RunningWorld } from "../../apps/world/src/server/world-server.ts"
import { jwtSecret } from "../world/start-world.ts"
import { useBrowser } from "./chromium.ts"
import { enterFriend, proxyTo } from "./neighbours.ts"
import { eventually, newName, openTab } from "./player-tab.ts"
import type { PlayerTab } from "./player-tab.ts"

const browser = useBrowser()
const appDir = fileURLToPath(new URL("../../apps/world", import.meta.url))
const names = ["players", "creatures", "resources", "groundItems"] as const

type Records = Readonly<Record<string, Readonly<Record<string, object>>>>

/** In this process, so that the test can read its records. */
async function ownWorld(): Promise<RunningWorld> {
  const folder = mkdtempSync(join(tmpdir(), "hawser-world-"))
  const world = await startWorld({
    config: {
      port: 0,
      host: "127.0.0.1",
      databaseUrl: `file:${folder}/world.sqlite`,
      journalFolder: `${folder}/journal`,
      jwtSecret,
      origins: undefined,
      trustProxy: false,
      resumeWindowMs: 90_000,
      restartMs: 3_000,
      tokenTtlMs: 1_800_000,
      registrationsPerMinute: 6,
      isProduction: false,
      logLevel: "warn",
      metricsToken: undefined,
    },
    log: pino({ level: "warn" }),
    version: "0.0.0",
    pageDir: `${appDir}/dist/browser`,
    assetsDir: `${appDir}/assets`,
  })
  onTestFinished(async () => {
    await world.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return world
}

/** Records of the server in the cells around a place, all of which are visible from there. */
function recordsAround({ server }: RunningWorld, place: { readonly x: number; readonly y: number }): Records {
  return Object.fromEntries(
    names.map((name) => {
      const replica = server.replica(name)
      const { cellSize = 1, range = 1 } = contract.replicas[name].area ?? {}
      const near = [...replica.ids()].flatMap((id) => {
        const record = replica.get(id)
        const isNear =
          record !== undefined && staysInView(cellOf(record, cellSize), cellOf(place, cellSize), range - 1)
        return isNear ? [[id, record]] : []
      })
      return [name, Object.fromEntries(near)]
    }),
  )
}

/** Records of the page; the developer panel must be open. */
async function shownBy({ page }: PlayerTab): Promise<Records> {
  return await page.evaluate<Records>("hawser.records()")
}

const isStale = (tab: PlayerTab, wanted: boolean): Promise<void> =>
  tab.page.locator(`[data-testid="world-canvas"][data-stale="${wanted}"]`).waitFor()

it("stays unchanged, shows its age, and is exact after the resume", { timeout: 120_000 }, async () => {
  const world = await ownWorld()
  const { proxy, url } = await proxyTo(world, onTestFinished)
  const friend = await enterFriend(world, onTestFinished)
  const ann = await openTab({ browser: browser(), url })
  await ann.register(newName("Ann"))
  await ann.find("dev-toggle").click()
  await ann.walk("ArrowRight", 2)
  const [x, y] = await ann.position()
  const expectExact = (): Promise<unknown> =>
    eventually(async () => expect(await shownBy(ann)).toEqual(recordsAround(world, { x, y })))
  await expectExact()
  await isStale(ann, false)
  await ann.picture("world-live")

  proxy.refuse()
  proxy.cut()
  await ann.expectState("reconnecting")
  await isStale(ann, true)
  const held = await shownBy(ann)
  expect(Object.keys(held["players"] ?? {})).toHaveLength(2)
  // The limit of consecutive steps.
  for (const direction of ["DOWN", "DOWN", "RIGHT"] as const) await friend.move(direction)
  await ann
    .find("stale-age")
    .filter({ hasText: /as it was ([3-9]|1\d) s ago/ })
    .waitFor()
  expect(await shownBy(ann)).toEqual(held)
  expect(held).not.toEqual(recordsAround(world, { x, y }))
  expect(await ann.find("world-canvas").evaluate((canvas) => getComputedStyle(canvas).filter)).toContain(
    "grayscale(0.85)",
  )
  await ann.picture("world-stale")

  await proxy.accept()
  // As after a network's return; otherwise the next attempt may take some seconds.
  await ann.page.evaluate(() => window.dispatchEvent(new Event("online")))
  await ann.expectOpen()
  await isStale(ann, false)
  await ann.find("stale-age").waitFor({ state: "detached" })
  await expectExact()
  await ann.expectSeen(friend.username, [friend.at?.x ?? NaN, friend.at?.y ?? NaN])
  await ann.picture("world-exact-again")
  expect(ann.ownProblems).toEqual([])
})
