// Hawser behind nginx, HAProxy and Caddy, each with its configuration of docs/deploy, by http and https.
import { createClient } from "@hawser/client"
import type { Client, ClientOptions } from "@hawser/client"
import { defaultClientLimits, defaultServerLimits } from "@hawser/protocol"
import { setTimeout as pause } from "node:timers/promises"
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest"
import type { ClientOptions as SocketOptions } from "ws"
import { helloBytes } from "../sockets/harness.ts"
import { freePort } from "../world/free-port.ts"
import { contract, outsideAddress, startBackends } from "./backend.ts"
import type { Backend, Backends } from "./backend.ts"
import type { Edit } from "./configuration.ts"
import { eventually } from "./eventually.ts"
import { missingProgram, skipReason } from "./proxy-kind.ts"
import type { ProxyKind } from "./proxy-kind.ts"
import { proxyKinds } from "./proxy-kinds.ts"
import { pageSocket, startProxy, upgrade, upgradeStatus } from "./start-proxy.ts"
import type { Door, Proxy } from "./start-proxy.ts"

type TestClient = Client<typeof contract>

/** The proxy reaches the server by an address that is not exempt from the caps. */
const host = outsideAddress()
const withoutHost = host === undefined ? "needs an address that is not on the loopback interface" : undefined
const withoutOpenssl = missingProgram("openssl", "version")

/** Idle time of a test, in seconds. */
const idleSeconds = 2
const { connectionsPerAddress, unauthenticatedPerAddress } = defaultServerLimits

async function open(kind: ProxyKind, backend: string, edits: readonly Edit[] = []): Promise<Proxy> {
  const proxy = await startProxy(kind, { backend, edits })
  onTestFinished(() => proxy.stop())
  return proxy
}

interface Dial extends Partial<ClientOptions> {
  readonly path?: string
  readonly socket?: SocketOptions
}

function clientBy(door: Door, { path = "/ws", socket, ...options }: Dial = {}): TestClient {
  const client = createClient(contract, {
    url: `${door.webSocketUrl}${path}`,
    token: "ann",
    webSocket: pageSocket(door, socket),
    autoConnect: false,
    ...options,
  })
  onTestFinished(() => client.close())
  return client
}

interface Talker {
  readonly client: TestClient
  /** Stops sending; asserts that nothing was lost, repeated or reordered in either direction, in one session. */
  readonly expectWhole: () => Promise<void>
}

/** Sends a command every few milliseconds until `stop`. */
async function startTalking(door: Door, { received }: Backend): Promise<Talker> {
  const client = clientBy(door, { token: door.origin })
  await client.connect()
  const { sessionId } = client
  const news: number[] = []
  client.on("news", ({ n }) => news.push(n))
  received.length = 0
  let isOver = false
  let last = 0
  const talk = async (): Promise<void> => {
    while (!isOver) {
      last += 1
      await client.command("say", { n: last })
      await pause(5)
    }
  }
  const talking = talk()
  return {
    client,
    async expectWhole() {
      isOver = true
      await talking
      const all = Array.from({ length: last }, (_, index) => index + 1)
      expect(received).toEqual(all)
      await eventually(() => news.length >= last)
      expect(news).toEqual(all)
      expect(client.sessionId).toBe(sessionId)
      expect(client.stats().sessionsReset).toBe(0)
    },
  }
}

describe.each(proxyKinds)("door-9 behind $name", { timeout: 60_000 }, (kind) => {
  let backends: Backends
  let proxy: Proxy
  const reason = (): string | undefined => skipReason(kind.missing() ?? withoutOpenssl ?? withoutHost)

  beforeAll(async () => {
    if (reason() !== undefined || host === undefined) return
    backends = await startBackends({ host })
    proxy = await startProxy(kind, { backend: backends.address })
  }, 60_000)
  afterAll(async () => {
    await proxy.stop()
    await backends.close()
  })
  beforeEach(({ skip }) => {
    const why = reason()
    if (why !== undefined) skip(why)
  })
  const doors = (): readonly Door[] => Object.values(proxy.doors)

  it("door-9 accepts a page of the proxy's own address, on any port and on the default ones", async () => {
    for (const door of doors()) {
      expect(await upgradeStatus(door, "/ws")).toBe(101)
      const [scheme] = door.origin.split(":")
      const page = { headers: { Host: "world.example" }, origin: `${scheme}://world.example` }
      expect(await upgradeStatus(door, "/ws", page)).toBe(101)
      expect(await upgradeStatus(door, "/ws", { origin: `${scheme}://elsewhere.example` })).toBe(403)
    }
  })

  it("door-9 overwrites an X-Forwarded-For that the client forged", async () => {
    for (const door of doors()) {
      const localAddress = "127.0.0.77"
      const headers = { "X-Forwarded-For": "203.0.113.9" }
      const client = clientBy(door, { token: "forger", socket: { localAddress, headers } })
      await client.connect()
      const [session] = backends.trusting.server.local.sessions("forger")
      expect(session?.user.address).toBe(localAddress)
      session?.end("closed")
    }
  })

  /**
   * Opens clients of this backend with separate addresses, one after the other; returns the number of accepted ones.
   */
  async function crowd({ path, server }: Backend): Promise<number> {
    const clients = Array.from({ length: 80 }, (_, index) =>
      clientBy(proxy.doors.plain, {
        path,
        token: `crowd ${index}`,
        socket: { localAddress: `127.0.2.${index + 1}` },
        reconnect: false,
      }),
    )
    for (const client of clients) await client.connect().catch(() => {})
    const inside = clients.filter(({ current }) => current.state === "open").length
    for (const client of clients) client.close()
    await eventually(() => server.stats().connections === 0)
    return inside
  }

  it("door-9 accepts 80 clients of 80 addresses with trustProxy", async () => {
    expect(await crowd(backends.trusting)).toBe(80)
    expect(backends.trusting.warnings.filter(({ kind: what }) => what !== "origin_refused")).toEqual([])
  })

  it("door-9 accepts only the cap of one address without trustProxy, and warns with the reason", async () => {
    expect(await crowd(backends.unaware)).toBe(connectionsPerAddress)
    expect(backends.unaware.server.stats().handshakesRefusedByCode).toEqual({
      too_many_connections: 80 - connectionsPerAddress,
    })
    // The upgrade itself refuses sockets that do not log in.
    const { plain } = proxy.doors
    const opened = await Promise.all(
      Array.from({ length: unauthenticatedPerAddress + 4 }, (_, index) =>
        upgrade(plain, "/unaware", { localAddress: `127.0.3.${index + 1}` }),
      ),
    )
    for (const { socket } of opened) socket.terminate()
    expect(opened.filter(({ status }) => status === 429)).toHaveLength(4)
    const kinds = ["proxy_unexpected", "login_refused", "upgrade_refused"]
    expect(backends.unaware.warnings.map(({ kind: what }) => what)).toEqual(kinds)
    const [unexpected, full, refused] = backends.unaware.warnings
    expect(unexpected?.message).toContain("set trustProxy: true")
    expect(full?.message).toMatch(
      /too_many_connections.*If it is your proxy's address, set trustProxy: true/s,
    )
    expect(refused?.message).toMatch(/429.*If it is your proxy's address, set trustProxy: true/s)
  })

  it.each(kind.hostless)(
    "door-9 refuses every page $how, and warns with the necessary setting of the proxy",
    async ({ edit }) => {
      const { address, trusting } = backends
      const bad = await open(kind, address, [edit])
      const known = trusting.warnings.length
      for (const door of Object.values(bad.doors)) {
        expect(await upgradeStatus(door, "/ws")).toBe(403)
        const warning = trusting.warnings.at(-1)
        expect(warning?.kind).toBe("origin_refused")
        expect(warning?.message).toContain(door.origin)
        expect(warning?.message).toContain("configure the proxy to forward")
      }
      expect(trusting.warnings).toHaveLength(known + 2)
    },
  )

  const { idle } = kind
  if (idle !== undefined)
    it("door-9 keeps an idle connection that pings, and no other", async () => {
      const documentedSeconds = 90
      const { probeAfterMs, probeTimeoutMaxMs } = defaultClientLimits
      expect(documentedSeconds * 1_000).toBeGreaterThanOrEqual(probeAfterMs + probeTimeoutMaxMs)
      const quiet = await startBackends({ host: host ?? "", limits: { pingAfterMs: 60_000 } })
      onTestFinished(() => quiet.close())
      const short = await open(kind, quiet.address, [[idle(documentedSeconds), idle(idleSeconds)]])
      const client = clientBy(short.doors.secure, { limits: { probeAfterMs: 400 } })
      await client.connect()
      const states: string[] = []
      client.onStatus(({ state }) => states.push(state))
      const silent = new (pageSocket(short.doors.secure))(`${short.doors.secure.webSocketUrl}/ws`, [
        "hawser.1",
      ])
      let isCut = false
      silent.on("open", () => silent.send(helloBytes("hawser.1", "silent")))
      silent.on("error", () => {})
      silent.on("close", () => (isCut = true))
      await eventually(() => isCut)
      expect(quiet.trusting.server.stats().sessions).toBe(2)
      expect(states).toEqual([])
      expect(await client.command("say", { n: 1 })).toEqual({ n: 1 })
    })

  if (kind.outlives !== undefined)
    it("door-9 keeps open connections over a reload", async () => {
      const reloaded = await open(kind, backends.address)
      const { client, expectWhole } = await startTalking(reloaded.doors.secure, backends.trusting)
      const states: string[] = []
      client.onStatus(({ state }) => states.push(state))
      await reloaded.reload()
      expect(await upgradeStatus(reloaded.doors.secure, "/ws")).toBe(101)
      await expectWhole()
      expect(states).toEqual([])
    })

  it("door-9 loses no session and no message when a reload ends a connection", async () => {
    const { outlives } = kind
    const edits: readonly Edit[] = outlives === undefined ? [] : [[outlives(600), outlives(1)]]
    const reloaded = await open(kind, backends.address, edits)
    const { client, expectWhole } = await startTalking(reloaded.doors.plain, backends.trusting)
    await reloaded.reload()
    await eventually(() => client.stats().sessionsResumed > 0)
    await expectWhole()
    expect(await upgradeStatus(reloaded.doors.secure, "/ws")).toBe(101)
  })

  it(`door-9 answers ${kind.absentStatus} while the server is down, and its clients reconnect`, async () => {
    const port = await freePort()
    const first = await startBackends({ host: host ?? "", port })
    const passing = await open(kind, first.address)
    const client = clientBy(passing.doors.secure)
    await client.connect()
    await first.close()
    expect(await upgradeStatus(passing.doors.plain, "/ws")).toBe(kind.absentStatus)
    const second = await startBackends({ host: host ?? "", port })
    onTestFinished(() => second.close())
    await eventually(() => client.current.state === "open")
    expect(await client.command("say", { n: 1 })).toEqual({ n: 1 })
    expect(client.stats().sessionsResetByCause).toEqual({ session_unknown: 1 })
  })
})
