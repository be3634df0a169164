// Peers that break or stretch HTTP before there is a WebSocket, and peers that are silent after it.
import { once } from "node:events"
import { connect } from "node:net"
import type { Socket } from "node:net"
import { describe, expect, it, onTestFinished } from "vitest"
import {
  connectionsReach,
  helloBytes,
  maskedFrame,
  nextTurn,
  openTcp,
  profiles,
  startServer,
  until,
  upgradeRequest,
} from "./harness.ts"
import type { SocketServer } from "./harness.ts"
import { describeOver, skipWithout } from "./transports.ts"

interface Peer {
  readonly socket: Socket
  /** All bytes from the server. */
  readonly read: () => string
  readonly closed: Promise<unknown>
}

async function openPeer(port: number): Promise<Peer> {
  const socket = connect(port, "127.0.0.1")
  onTestFinished(() => void socket.destroy())
  socket.on("error", () => {})
  let text = ""
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1")
  })
  const closed = new Promise((resolve) => socket.once("close", resolve))
  await once(socket, "connect")
  return { socket, read: () => text, closed }
}

/** Sends one byte in every turn of the event loop until the server ends the socket. */
async function trickle({ socket }: Peer, byte: string): Promise<void> {
  while (socket.writable) {
    socket.write(byte)
    await nextTurn()
  }
}

async function expectServed(world: SocketServer): Promise<void> {
  await connectionsReach(world, 0)
  const client = world.client({ token: "next" })
  await client.connect()
  expect(await client.command("echo", { text: "on" })).toEqual({ text: "on" })
  expect(await world.handled()).toEqual(["on"])
}

function withHeader(port: number, name: string, value: string | undefined): string {
  const line = value === undefined ? "" : `${name}: ${value}\r\n`
  return upgradeRequest(port, []).replace(new RegExp(`${name}: .*\r\n`), line)
}

function headers(count: number, value: string): string[] {
  return Array.from({ length: count }, (_, index) => `${index.toString(36)}:${value}`)
}

describeOver(["ws", "bun"], (transport) => {
  describe("a slow peer", () => {
    const httpTimeoutMs = 100
    // The server checks every fifth of the time; the rest is for a busy machine, and less than the default of 5 s.
    const boundMs = 1.2 * httpTimeoutMs + 4_000

    it.for([
      ["sends nothing", ""],
      ["sends a line of the head and nothing more", "GET /ws HTTP/1.1\r\n"],
      ["sends all of the head but its end", upgradeRequest(80, []).slice(0, -2)],
    ] as const)("is dropped when it %s", async ([_what, begin], context) => {
      skipWithout(context, transport, "httpTimeout")
      const world = await startServer(transport, { limits: { httpTimeoutMs } })
      const startedMs = performance.now()
      const peer = await openPeer(world.port)
      peer.socket.write(begin)
      await peer.closed
      const tookMs = performance.now() - startedMs
      expect(tookMs).toBeGreaterThan(httpTimeoutMs - 10)
      expect(tookMs).toBeLessThan(boundMs)
      expect(peer.read()).toMatch(/^HTTP\/1\.1 408 /)
      expect(await world.errors()).toEqual([])
      await expectServed(world)
    })

    it("abuse-A38 is dropped when its head never ends, byte by byte", async () => {
      const world = await startServer(transport, { limits: { httpTimeoutMs } })
      const startedMs = performance.now()
      const peer = await openPeer(world.port)
      peer.socket.write("GET /ws HTTP/1.1\r\nHost: a\r\nX: ")
      await trickle(peer, "x")
      expect(performance.now() - startedMs).toBeLessThan(boundMs)
      expect(peer.read()).toMatch(/^HTTP\/1\.1 4(08|31) /)
      await expectServed(world)
    })

    it("abuse-A38 is dropped when the body of its request never ends", async () => {
      const world = await startServer(transport, { limits: { httpTimeoutMs } })
      const peer = await openPeer(world.port)
      peer.socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
      await trickle(peer, "x")
      await peer.closed
      await expectServed(world)
    })

    it("is dropped when it sends requests and never reads the answers", async () => {
      const world = await startServer(transport, { limits: { httpTimeoutMs } })
      const peer = await openPeer(world.port)
      peer.socket.pause()
      // Whole requests each time, so that none is incomplete when the server's buffer is full.
      const requests = "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1_000)
      while (peer.socket.writable) {
        if (peer.socket.writableLength === 0) peer.socket.write(requests)
        await nextTurn()
      }
      await expectServed(world)
    })

    it.each(profiles)(
      "abuse-A38 is dropped when it upgrades to %s and stays silent, also after the close",
      async (profile) => {
        const limits = { authTimeoutMs: 50, closeTimeoutMs: 50 }
        const world = await startServer(transport, { limits })
        const startedMs = performance.now()
        const socket = await openTcp(world.port, profile)
        socket.resume()
        await once(socket, "close")
        const tookMs = performance.now() - startedMs
        const waitMs = transport.lacks.closingHandshake === undefined ? limits.closeTimeoutMs : 0
        expect(tookMs).toBeGreaterThan(limits.authTimeoutMs + waitMs - 10)
        expect(tookMs).toBeLessThan(limits.authTimeoutMs + limits.closeTimeoutMs + 5_000)
        await connectionsReach(world, 0)
        expect(await world.stats()).toMatchObject({ sessions: 0, timers: 0 })
        expect(await world.verified()).toEqual([])
        await expectServed(world)
      },
    )

    it.each(profiles)(
      "is dropped when it upgrades to %s and sends a head without its message",
      async (profile) => {
        const world = await startServer(transport, { limits: { authTimeoutMs: 50, closeTimeoutMs: 50 } })
        const socket = await openTcp(world.port, profile)
        socket.resume()
        socket.write(Uint8Array.of(0x82, 0xfe, 0x10, 0x00))
        await once(socket, "close")
        await expectServed(world)
      },
    )

    it("is one of 500 that are all dropped, while a good client is served", async () => {
      const world = await startServer(transport, { limits: { httpTimeoutMs: 1_000 } })
      const startedMs = performance.now()
      const peers = await Promise.all(Array.from({ length: 500 }, () => openPeer(world.port)))
      for (const { socket } of peers) socket.write("GET /ws HTTP/1.1\r\nX: ")
      await expectServed(world)
      await Promise.all(peers.map(({ closed }) => closed))
      const dueMs = transport.lacks.httpTimeout === undefined ? 1_200 : 12_000
      expect(performance.now() - startedMs).toBeLessThan(dueMs + 5_000)
    })
  })

  describe("an invalid upgrade request", () => {
    it.each<[string, (port: number) => string, number, number?]>([
      ["64 KB of one header", (port) => upgradeRequest(port, [`X: ${"x".repeat(65_536)}`]), 431],
      ["2,000 headers of 40 bytes", (port) => upgradeRequest(port, headers(2_000, "x".repeat(32))), 431],
      ["2,000 short headers", (port) => upgradeRequest(port, headers(2_000, "")), 431],
      ["another protocol", (port) => withHeader(port, "Upgrade", "h2c\r\nConnection: close"), 426],
      ["no key", (port) => withHeader(port, "Sec-WebSocket-Key", undefined), 400],
      ["a short key", (port) => withHeader(port, "Sec-WebSocket-Key", "x"), 400],
      ["no version", (port) => withHeader(port, "Sec-WebSocket-Version", undefined), 400, 426],
      ["version 14", (port) => withHeader(port, "Sec-WebSocket-Version", "14"), 400, 426],
      ["version 13, twice", (port) => withHeader(port, "Sec-WebSocket-Version", "13, 13"), 400, 426],
      ["another method", (port) => upgradeRequest(port, []).replace("GET", "POST"), 405],
      ["no upgrade at all", (port) => withHeader(port, "Connection", "close"), 426],
      ["bytes that are not HTTP", () => "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400],
      [
        "a subprotocol that cannot be one",
        (port) => upgradeRequest(port, ["Sec-WebSocket-Protocol: ,"]),
        400,
      ],
    ])(
      "abuse-A39 with %s is refused, and the next is served",
      async (...[_name, request, status, statusOnBun]) => {
        const world = await startServer(transport)
        const peer = await openPeer(world.port)
        peer.socket.write(request(world.port), "latin1")
        await peer.closed
        const expected = transport.name === "bun" ? (statusOnBun ?? status) : status
        expect(peer.read()).toMatch(new RegExp(`^HTTP/1\\.1 ${expected} `))
        expect((await world.stats()).connectionsAccepted).toBe(0)
        await expectServed(world)
      },
    )
  })

  describe("a reset", () => {
    const times = 25

    it.each(profiles)(
      "abuse-A39 while a bad token of %s is being refused leaves no resource",
      async (profile) => {
        const world = await startServer(transport)
        for (let count = 0; count < times; count += 1) {
          const socket = await openTcp(world.port, profile)
          socket.write(maskedFrame(helloBytes(profile, "bad")), () => socket.resetAndDestroy())
          await once(socket, "close")
        }
        await until(async () => (await world.stats()).connectionsClosed === times)
        expect(await world.stats()).toMatchObject({ connections: 0, sessions: 0, timers: 0 })
        await expectServed(world)
      },
    )

    it.each(profiles)("while a token of %s is being verified leaves no resource", async (profile) => {
      const world = await startServer(transport)
      for (let count = 0; count < times; count += 1) {
        const socket = await openTcp(world.port, profile)
        socket.write(maskedFrame(helloBytes(profile, "broken")))
        socket.resetAndDestroy()
        await once(socket, "close")
      }
      await until(async () => (await world.stats()).connectionsClosed === times)
      expect(await world.stats()).toMatchObject({ connections: 0, sessions: 0, timers: 0 })
    })

    it("directly after the request, before its answer, leaves no resource", async () => {
      const world = await startServer(transport)
      for (let count = 0; count < times; count += 1) {
        const { socket, closed } = await openPeer(world.port)
        socket.write(upgradeRequest(world.port, []), () => socket.resetAndDestroy())
        await closed
      }
      await expectServed(world)
      const { connectionsClosed, connectionsAccepted } = await world.stats()
      expect(connectionsClosed).toBe(connectionsAccepted - 1)
    })

    it("of a refused request leaves no resource", async () => {
      const world = await startServer(transport, { origins: [] })
      for (let count = 0; count < times; count += 1) {
        const { socket, closed } = await openPeer(world.port)
        const forbidden = upgradeRequest(world.port, ["Origin: https://evil.com"])
        socket.write(forbidden + forbidden, () => socket.resetAndDestroy())
        await closed
      }
      await expectServed(world)
      expect((await world.stats()).connectionsAccepted).toBe(1)
    })
  })
})
