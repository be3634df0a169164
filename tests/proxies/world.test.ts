// The world behind each proxy, as players' browsers reach it, and behind one that loses the header Host.
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest"
import { newName, openTab } from "../e2e/player-tab.ts"
import { useBrowser } from "../e2e/chromium.ts"
import { newAccount } from "../conformance-2.0/player.ts"
import { helloBytes } from "../sockets/harness.ts"
import { caseContext } from "../world/case-context.ts"
import { startWorld } from "../world/start-world.ts"
import type { Environment, WorldProcess } from "../world/start-world.ts"
import { eventually } from "./eventually.ts"
import { nginx } from "./nginx.ts"
import { missingProgram, skipReason } from "./proxy-kind.ts"
import { proxyKinds } from "./proxy-kinds.ts"
import { startProxy, upgrade } from "./start-proxy.ts"

const withoutOpenssl = missingProgram("openssl", "version")
const production: Environment = { NODE_ENV: "production" }

const backendOf = (world: WorldProcess): string => new URL(world.url).host

describe("door-9 the world that trusts its proxy", { timeout: 60_000 }, () => {
  let world: WorldProcess

  beforeAll(async () => {
    world = await startWorld({ env: { ...production, TRUST_PROXY: "true" } })
  }, 60_000)
  afterAll(() => world.remove())

  it.for(proxyKinds)("door-9 serves its page and its players by $name", async (kind, { skip }) => {
    const reason = skipReason(kind.missing() ?? withoutOpenssl)
    if (reason !== undefined) skip(reason)
    const proxy = await startProxy(kind, { backend: backendOf(world) })
    onTestFinished(() => proxy.stop())
    const page = await fetch(proxy.doors.plain.origin, { headers: { accept: "text/html" } })
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining("<title>")])
    const { token } = await newAccount(caseContext(world))
    for (const door of Object.values(proxy.doors)) {
      const { status, socket } = await upgrade(door, "/ws")
      expect(status).toBe(101)
      let first: number | undefined
      socket.on("message", (bytes) => {
        if (Buffer.isBuffer(bytes)) first ??= bytes[0]
      })
      socket.send(helloBytes("hawser.1", token))
      // WELCOME.
      await eventually(() => first === 0x02)
      socket.terminate()
    }
    expect(world.output).not.toContain("trustProxy")
  })

  it("door-9 answers 426 to an upgrade whose header Upgrade a proxy has dropped", async ({ skip }) => {
    const reason = skipReason(nginx.missing() ?? withoutOpenssl)
    if (reason !== undefined) skip(reason)
    const edits = [["proxy_set_header Upgrade $http_upgrade;", "# no Upgrade"] as const]
    const proxy = await startProxy(nginx, { backend: backendOf(world), edits })
    onTestFinished(() => proxy.stop())
    expect((await upgrade(proxy.doors.plain, "/ws")).status).toBe(426)
  })
})

describe("door-9 the world behind a proxy that passes Host on without the port", { timeout: 120_000 }, () => {
  const browser = useBrowser()
  beforeEach(({ skip }) => {
    const reason = skipReason(nginx.missing() ?? withoutOpenssl)
    if (reason !== undefined) skip(reason)
  })

  it("door-9 shows on the page that it was never reached, and logs the reason", async () => {
    const world = await startWorld({ env: production })
    onTestFinished(() => world.remove())
    const edits = [["proxy_set_header Host $http_host;", "proxy_set_header Host $host;"] as const]
    const proxy = await startProxy(nginx, { backend: backendOf(world), edits })
    onTestFinished(() => proxy.stop())
    const { origin } = proxy.doors.plain
    const tab = await openTab({ browser: browser(), url: origin })
    await tab.submit(newName("Ann"), "register-submit")
    await tab.expectText("banner", "Cannot reach the world")
    await tab.expectText("cause", "something on the way blocks it")
    expect(await tab.text("badge")).toContain("Connecting")
    expect(await tab.text("banner")).not.toContain("lost")
    await tab.picture("never-reached")
    const refused = await world.waitForOutput(/^.*"kind":"origin_refused".*$/m)
    expect(refused).toContain(origin)
    expect(refused).toContain("proxy_set_header Host $http_host")
    const unexpected = await world.waitForOutput(/^.*"kind":"proxy_unexpected".*$/m)
    expect(unexpected).toContain("trustProxy: true")
  })
})
