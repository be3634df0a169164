import { once } from "node:events"
import { connect } from "node:net"
import { describe, expect, it, onTestFinished } from "vitest"
import type { WelcomeFrame } from "@hawser/protocol/core"
import { WebSocket } from "ws"
import {
  connectionsReach,
  helloBytes,
  neverBytes,
  openRaw,
  openRawSession,
  startServer,
  until,
  upgradeRequest,
} from "./harness.ts"
import type { RawPeer } from "./harness.ts"
import type { ServerSpec } from "./server-program.ts"
import { describeOver, skipWithout } from "./transports.ts"

interface Upgrade {
  readonly protocols?: string[]
  readonly headers?: Record<string, string>
  readonly perMessageDeflate?: boolean
}

/** 101 with the chosen subprotocol and extensions, or the status of the refusal. */
function upgrade(
  url: string,
  { protocols = [], ...options }: Upgrade = {},
): Promise<{
  status: number
  protocol: string
  extensions: string
  retryAfter: string | undefined
  body: string
}> {
  const socket = new WebSocket(url, protocols, options)
  onTestFinished(() => socket.terminate())
  return new Promise((resolve, reject) => {
    socket.on("error", reject)
    socket.on("open", () => {
      resolve({
        status: 101,
        protocol: socket.protocol,
        extensions: socket.extensions,
        retryAfter: undefined,
        body: "",
      })
    })
    socket.on("unexpected-response", (_request, response) => {
      const { statusCode: status = 0, headers } = response
      const refusal = { status, protocol: "", extensions: "", retryAfter: headers["retry-after"] }
      let body = ""
      response.setEncoding("utf8")
      response.on("data", (part: string) => (body += part))
      response.on("end", () => resolve({ ...refusal, body }))
    })
  })
}

async function statusOf(url: string, headers: Record<string, string> = {}): Promise<number> {
  return (await upgrade(url, { headers })).status
}

describeOver(["ws", "bun"], (transport) => {
  describe("the subprotocol", () => {
    it("is 2.0 for a client that offers none", async () => {
      const world = await startServer(transport)
      const peer = await openRaw(world, "2.0")
      expect(await peer.opened).toBe("")
      peer.send(helloBytes("2.0"))
      expect((await peer.next("welcome")).kind).toBe("welcome")
    })

    it("is refused with 400 for a client that offers none, where 2.0 is not served", async () => {
      const world = await startServer(transport, { serves20: false })
      expect(await upgrade(world.url)).toMatchObject({
        status: 400,
        body: 'offer the subprotocol hawser.1, as in new WebSocket(url, "hawser.1"); for clients of 2.0, which offer none, the server needs the option profile20: profile20() of @hawser/server/profile20\n',
      })
      expect(await upgrade(world.url, { protocols: ["hawser.1"] })).toMatchObject({ status: 101 })
    })

    it("is hawser.1 at any position among several", async () => {
      const world = await startServer(transport)
      expect(await upgrade(world.url, { protocols: ["chat", "hawser.1", "hawser.9"] })).toMatchObject({
        status: 101,
        protocol: "hawser.1",
      })
    })

    it("is refused with 400 when only unknown ones are offered", async () => {
      const world = await startServer(transport)
      expect((await upgrade(world.url, { protocols: ["chat", "hawser.9"] })).status).toBe(400)
      expect((await world.stats()).connectionsAccepted).toBe(0)
    })
  })

  describe("the Origin", () => {
    const list: ServerSpec = { origins: ["https://good.com"] }

    it.each([
      "https://evil.com",
      "null",
      "https://good.com.evil.com",
      "https://evil.com/https://good.com",
      "https://good.com:8443",
      "http://good.com",
      "https://good.com/",
      "",
    ])("abuse-A1 abuse-A2 abuse-A3 %j is refused with 403 by a list without it", async (origin) => {
      const world = await startServer(transport, list)
      expect(await statusOf(world.url, { origin })).toBe(403)
      expect((await world.stats()).connectionsAccepted).toBe(0)
    })

    it.each(["https://good.com", "https://GOOD.com", "https://good.com:443"])(
      "door-1 %s passes when the list has it, in any spelling",
      async (origin) => {
        const world = await startServer(transport, list)
        expect(await statusOf(world.url, { origin })).toBe(101)
        const shouting = await startServer(transport, { origins: ["HTTPS://Good.com:443"] })
        expect(await statusOf(shouting.url, { origin })).toBe(101)
      },
    )

    it("abuse-A3 door-1 of the same host passes in any spelling of the request", async () => {
      const world = await startServer(transport)
      const of = (host: string, origin: string): Promise<number> => statusOf(world.url, { host, origin })
      expect(await of("GAME.example:443", "https://game.example")).toBe(101)
      expect(await of("game.example", "https://Game.Example:443")).toBe(101)
      expect(await of("game.example:80", "http://game.example")).toBe(101)
      expect(await of("game.example:443", "http://game.example")).toBe(403)
      expect(await of("game.example", "https://game.example.evil.com")).toBe(403)
    })

    it("door-1 of this machine passes on this machine where the option says so", async () => {
      const world = await startServer(transport, { origins: [], allowLoopbackOrigins: true })
      const of = (host: string, origin: string): Promise<number> => statusOf(world.url, { host, origin })
      for (const origin of ["http://localhost:5173", "https://127.1.2.3", "http://[::1]:3000"])
        expect(await of(`localhost:${world.port}`, origin)).toBe(101)
      expect(await of("game.example", "http://localhost:5173")).toBe(403)
      expect(await of("localhost", "http://localhost.evil.com")).toBe(403)
      expect(await of("localhost", "http://evil.com")).toBe(403)
      expect(await of("localhost", "null")).toBe(403)
      const behindProxy = await startServer(transport, { allowLoopbackOrigins: true, trustProxy: true })
      const far = { host: "localhost", origin: "http://localhost:5173", "x-forwarded-for": "198.51.100.1" }
      expect(await statusOf(behindProxy.url, far)).toBe(403)
    })

    it("door-1 that is refused is reported to the operator once each, 16 of them, then by their number", async () => {
      const world = await startServer(transport, list)
      for (let index = 0; index < 20; index += 1)
        for (let again = 0; again < 2; again += 1)
          expect(await statusOf(world.url, { origin: `https://evil-${index}.com` })).toBe(403)
      const warnings = await world.warnings()
      expect(warnings).toHaveLength(17)
      expect(warnings[3]).toBe(
        `origin_refused: a page of "https://evil-3.com" was refused with 403: its request is for the host ` +
          `"127.0.0.1:${world.port}". If it may connect, list it in the option origins. If the request passed a proxy, ` +
          `configure the proxy to forward the header Host (nginx: proxy_set_header Host $http_host).`,
      )
      expect(warnings[16]).toMatch(
        /1 more since the last such warning, the last of them "https:\/\/evil-16\.com"/,
      )
      expect((await world.stats()).upgradesRefusedByReason).toEqual({ origin: 40 })
    })

    it("may be absent, as in programs other than browsers", async () => {
      const world = await startServer(transport, list)
      expect(await statusOf(world.url)).toBe(101)
    })

    it("abuse-A1 abuse-A2 of the same host passes without a list, any other host or port does not", async () => {
      const world = await startServer(transport)
      expect(await statusOf(world.url, { origin: `http://127.0.0.1:${world.port}` })).toBe(101)
      expect(await statusOf(world.url, { origin: `https://127.0.0.1:${world.port}` })).toBe(101)
      expect(await statusOf(world.url, { origin: "http://127.0.0.1" })).toBe(403)
      expect(await statusOf(world.url, { origin: `http://localhost:${world.port}` })).toBe(403)
      expect(await statusOf(world.url, { origin: "null" })).toBe(403)
    })

    it("is decided by a function where one is given", async () => {
      const world = await startServer(transport, { origins: "takes those of good.com" })
      expect(await statusOf(world.url, { origin: "https://play.good.com" })).toBe(101)
      expect(await statusOf(world.url, { origin: "https://evil.com" })).toBe(403)
    })

    it("is refused, and nothing else breaks, when that function throws", async () => {
      const world = await startServer(transport, { origins: "throws" })
      expect(await statusOf(world.url, { origin: "https://good.com" })).toBe(403)
      expect(await world.errors()).toEqual(["a fault of the function"])
      expect(await statusOf(world.url)).toBe(101)
    })

    it("abuse-A1 is refused when that function is asynchronous: a promise is no permission", async () => {
      const world = await startServer(transport, { origins: "is asynchronous" })
      expect(await statusOf(world.url, { origin: "https://evil.com" })).toBe(403)
      expect(await world.errors()).toEqual([
        "the option origins must return true or false at once, not a map",
      ])
    })
  })

  describe("the path", () => {
    it("is refused with 404 when it is another one", async () => {
      const world = await startServer(transport)
      expect(await statusOf(`${world.url}x`)).toBe(404)
      expect(await statusOf(world.url.replace("/ws", "/"))).toBe(404)
    })

    it("may carry a query", async () => {
      const world = await startServer(transport)
      expect(await statusOf(`${world.url}?from=menu`)).toBe(101)
    })
  })

  describe("the caps", () => {
    const via = (address: string): Record<string, string> => ({ "x-forwarded-for": address })

    it("abuse-A40 refuse an address with too many connections with 429 and a wait, and no other address", async () => {
      const world = await startServer(transport, { trustProxy: true, limits: { connectionsPerAddress: 2 } })
      for (const token of ["ann", "bob"]) {
        const peer = await openRaw(world, "2.0", via("198.51.100.1"))
        peer.send(helloBytes("2.0", token))
        await peer.next("welcome")
      }
      expect(await upgrade(world.url, { headers: via("198.51.100.1") })).toMatchObject({
        status: 429,
        retryAfter: "10",
      })
      expect(await statusOf(world.url, via("198.51.100.2"))).toBe(101)
    })

    it("give the place back when a connection closes", async () => {
      const world = await startServer(transport, { trustProxy: true, limits: { connectionsPerAddress: 1 } })
      const peer = await openRaw(world, "2.0", via("198.51.100.1"))
      expect(await statusOf(world.url, via("198.51.100.1"))).toBe(429)
      peer.terminate()
      await connectionsReach(world, 0)
      expect(await statusOf(world.url, via("198.51.100.1"))).toBe(101)
    })

    it("keep the place of a connection whose session has ended until its socket is closed", async (context) => {
      skipWithout(context, transport, "closingHandshake")
      const world = await startServer(transport, { trustProxy: true, limits: { connectionsPerAddress: 1 } })
      const peer = await openRaw(world, "2.0", via("198.51.100.1"))
      peer.send(helloBytes("2.0"))
      await peer.next("welcome")
      peer.pause()
      await world.endSessions()
      expect(await world.stats()).toMatchObject({ connections: 1, sessions: 0 })
      expect(await statusOf(world.url, via("198.51.100.1"))).toBe(429)
      peer.resume()
      await connectionsReach(world, 0)
      expect(await statusOf(world.url, via("198.51.100.1"))).toBe(101)
    })

    it("count the unauthenticated of an address apart", async () => {
      const world = await startServer(transport, {
        trustProxy: true,
        limits: { unauthenticatedPerAddress: 1 },
      })
      const peer = await openRaw(world, "2.0", via("198.51.100.1"))
      expect(await statusOf(world.url, via("198.51.100.1"))).toBe(429)
      peer.send(helloBytes("2.0"))
      await peer.next("welcome")
      expect(await statusOf(world.url, via("198.51.100.1"))).toBe(101)
    })

    it("surprise-C5 let fifty clients of one address resume after a reset, and no more new sessions than before", async () => {
      const world = await startServer(transport, { trustProxy: true })
      const office = via("198.51.100.1")
      const log = async (peer: RawPeer, hello: Uint8Array): Promise<WelcomeFrame> => {
        peer.send(hello)
        const welcome = await peer.next("welcome")
        if (welcome.kind !== "welcome") throw new Error("no welcome")
        return welcome
      }
      const players = Array.from({ length: 50 }, (_, index) => `player ${index}`)
      const sessions: { peer: RawPeer; player: string; welcome: WelcomeFrame }[] = []
      for (const player of players) {
        const peer = await openRaw(world, "hawser.1", office)
        sessions.push({ peer, player, welcome: await log(peer, helloBytes("hawser.1", player)) })
      }
      for (const { peer } of sessions.slice(25)) peer.terminate()
      await connectionsReach(world, 25)
      // All dial before the first HELLO; the server does not know yet that 25 of the old connections are dead.
      const dialled: RawPeer[] = []
      for (const _player of players) dialled.push(await openRaw(world, "hawser.1", office))
      for (let newcomer = 0; newcomer < 17; newcomer += 1)
        expect(await statusOf(world.url, office)).toBe(newcomer < 16 ? 101 : 429)
      expect((await world.stats()).upgradesRefusedByReason).toEqual({ address_connections: 1 })
      for (const [index, peer] of dialled.entries()) {
        const { player = "", welcome } = sessions[index] ?? {}
        const { sessionId = "", resumeToken } = welcome ?? {}
        const resume = { sessionId, token: resumeToken ?? "", handled: 0, digest: 0, sent: 0 }
        const back = await log(peer, helloBytes("hawser.1", player, { resume, dial: 2 }))
        expect(back).toMatchObject({ sessionId, resumed: true })
      }
      expect(await world.stats()).toMatchObject({ sessionsResumed: 50, sessionsOpened: 50, sessions: 50 })
    })

    it("surprise-C5 refuse a new session beyond the connections of its address once it has logged in", async () => {
      const world = await startServer(transport, { trustProxy: true, limits: { connectionsPerAddress: 2 } })
      const office = via("198.51.100.1")
      for (const token of ["ann", "ben"]) {
        const peer = await openRaw(world, "hawser.1", office)
        peer.send(helloBytes("hawser.1", token))
        await peer.next("welcome")
      }
      const third = await openRaw(world, "hawser.1", office)
      third.send(helloBytes("hawser.1", "cem"))
      expect(await third.refusal()).toMatchObject({ said: "too_many_connections", code: 4429 })
      expect((await world.stats()).sessions).toBe(2)
    })

    it("abuse-A40 use the last entry of X-Forwarded-For: forged first ones have no effect", async () => {
      const world = await startServer(transport, { trustProxy: true, limits: { connectionsPerAddress: 1 } })
      expect(await statusOf(world.url, via("203.0.113.1, 198.51.100.1"))).toBe(101)
      for (let forged = 2; forged < 12; forged += 1) {
        expect(await statusOf(world.url, via(`203.0.113.${forged}, 127.0.0.1, 198.51.100.1`))).toBe(429)
      }
    })

    it("leave the port of the last entry out", async () => {
      const world = await startServer(transport, { trustProxy: true, limits: { connectionsPerAddress: 1 } })
      expect(await statusOf(world.url, via("198.51.100.1:1111"))).toBe(101)
      expect(await statusOf(world.url, via("198.51.100.1:2222"))).toBe(429)
      expect(await statusOf(world.url, via("[2001:db8::1]:80"))).toBe(101)
      expect(await statusOf(world.url, via("2001:db8::2"))).toBe(429)
    })

    it("use the proxy's own address when the last entry is empty or junk, whatever precedes it", async () => {
      const world = await startServer(transport, { trustProxy: true, limits: { connectionsPerAddress: 1 } })
      expect(await statusOf(world.url)).toBe(101)
      for (const forged of ["", ",", "203.0.113.1,", "203.0.113.2, unknown", "junk", "[]", "1.2.3.4.5"]) {
        expect(await statusOf(world.url, via(forged))).toBe(429)
      }
      expect(await statusOf(world.url, via("127.0.0.1"))).toBe(429)
      expect(await statusOf(world.url, via("198.51.100.1"))).toBe(101)
    })

    it("abuse-A40 count one /64 of IPv6 as one address", async () => {
      const world = await startServer(transport, { trustProxy: true, limits: { connectionsPerAddress: 1 } })
      expect(await statusOf(world.url, via("2001:db8::1"))).toBe(101)
      expect(await statusOf(world.url, via("2001:db8:0:0:ffff::2"))).toBe(429)
      expect(await statusOf(world.url, via("2001:db8:0:1::1"))).toBe(101)
    })

    it("ignore X-Forwarded-For, and exempt loopback, without trustProxy", async () => {
      const world = await startServer(transport, {
        limits: { connectionsPerAddress: 1, unauthenticatedPerAddress: 1 },
      })
      for (let count = 0; count < 4; count += 1)
        expect(await statusOf(world.url, via("198.51.100.1"))).toBe(101)
    })

    it("do not exempt a loopback address that a proxy named", async () => {
      const world = await startServer(transport, { trustProxy: true, limits: { connectionsPerAddress: 1 } })
      expect(await statusOf(world.url, via("127.0.0.1"))).toBe(101)
      expect(await statusOf(world.url, via("127.0.0.1"))).toBe(429)
    })

    it("abuse-A40 refuse every address with 503 when too many log in at once, loopback too", async () => {
      const world = await startServer(transport, { limits: { unauthenticatedTotal: 2 } })
      const first = await openRaw(world, "hawser.1")
      await openRaw(world, "hawser.1")
      expect(await upgrade(world.url)).toMatchObject({ status: 503, retryAfter: "2" })
      first.send(helloBytes("hawser.1"))
      await first.next("welcome")
      expect(await statusOf(world.url)).toBe(101)
    })
  })

  it("abuse-A37 does not negotiate permessage-deflate", async () => {
    const world = await startServer(transport)
    expect(await upgrade(world.url, { perMessageDeflate: true })).toMatchObject({
      status: 101,
      extensions: "",
    })
  })

  it("refuses with 503 while the server closes", async () => {
    const world = await startServer(transport, { limits: { shutdownMs: 400, closeTimeoutMs: 100 } })
    const peer = await openRawSession(world, "hawser.1")
    peer.send(neverBytes("hawser.1"))
    await until(async () => (await world.handled()).length === 1)
    const closing = world.close()
    expect(await statusOf(world.url)).toBe(503)
    await closing
  })

  it("abuse-A39 survives sockets that are reset while they are being refused", async () => {
    const world = await startServer(transport, { origins: [] })
    for (let count = 0; count < 50; count += 1) {
      const socket = connect(world.port, "127.0.0.1")
      socket.on("error", () => {})
      await once(socket, "connect")
      socket.write(upgradeRequest(world.port, ["Origin: https://evil.com"]), () => socket.resetAndDestroy())
      await once(socket, "close")
    }
    expect(await statusOf(world.url)).toBe(101)
  })
})
