import { SimulatedClock, seededRandom } from "@hawser/protocol/testing"
import { once } from "node:events"
import { Socket, connect, createServer } from "node:net"
import type { Server } from "node:net"
import { setImmediate as nextTurn } from "node:timers/promises"
import { describe, expect, it, onTestFinished, vi } from "vitest"
import { randomPlan, scripted, slowDrain } from "./behaviour.ts"
import type { ConnectionBehaviour, Direction, Stop } from "./behaviour.ts"
import { startChaosProxy } from "./proxy.ts"
import type { ChaosConnection, ChaosProxy, ChaosProxyOptions } from "./proxy.ts"

/** Checks again after every turn of the event loop; the test's timeout is the bound. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await nextTurn()
}

/** One end of a connection, with a record of its events. */
class Peer {
  readonly socket: Socket
  readonly chunks: Buffer[] = []
  hasEnded = false
  isClosed = false
  failure: string | undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.on("data", (bytes) => this.chunks.push(Buffer.from(bytes)))
    socket.on("end", () => (this.hasEnded = true))
    socket.on("error", (error) => (this.failure = "code" in error ? String(error.code) : error.message))
    socket.on("close", () => (this.isClosed = true))
    onTestFinished(() => void socket.destroy())
  }

  get received(): Buffer {
    return Buffer.concat(this.chunks)
  }

  get receivedBytes(): number {
    return this.chunks.reduce((sum, { length }) => sum + length, 0)
  }
}

interface Setup {
  readonly proxy: ChaosProxy
  readonly connection: ChaosConnection
  readonly client: Peer
  readonly server: Peer
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  onTestFinished(() => void server.close())
  const address = server.address()
  return address !== null && typeof address === "object" ? address.port : 0
}

async function proxyTo(port: number, options: Partial<ChaosProxyOptions> = {}): Promise<ChaosProxy> {
  const proxy = await startChaosProxy({ to: { host: "127.0.0.1", port }, ...options })
  onTestFinished(() => proxy.close())
  return proxy
}

/** A client and a server at either end of one proxied connection. */
async function setUp(
  behaviour: ConnectionBehaviour = {},
  options: Partial<ChaosProxyOptions> = {},
): Promise<Setup> {
  const accepted: Peer[] = []
  const listener = createServer({ allowHalfOpen: true }, (socket) => accepted.push(new Peer(socket)))
  const port = await listen(listener)
  const proxy = await proxyTo(port, { plan: () => behaviour, ...options })
  const client = new Peer(connect({ port: proxy.port, host: proxy.host, allowHalfOpen: true }))
  await until(() => accepted.length > 0 && proxy.connections.length > 0)
  const [connection] = proxy.connections
  const [server] = accepted
  if (connection === undefined || server === undefined) throw new Error("nothing has connected")
  return { proxy, connection, client, server }
}

function randomBytes(length: number, seed = 1): Buffer {
  const random = seededRandom(seed)
  return Buffer.from(Uint8Array.from({ length }, () => Math.floor(random() * 256)))
}

/** Sender and receiver of a direction. */
function endsOf(setup: Setup, direction: Direction): { readonly from: Peer; readonly to: Peer } {
  const { client, server } = setup
  return direction === "toServer" ? { from: client, to: server } : { from: server, to: client }
}

const both: readonly Direction[] = ["toServer", "toClient"]

describe("bytes that pass", () => {
  it.each<[string, ConnectionBehaviour]>([
    ["as they come", {}],
    [
      "late, with jitter",
      { toServer: { latencyMs: 4, jitterMs: 4 }, toClient: { latencyMs: 2, jitterMs: 2 } },
    ],
    [
      "at a limited rate",
      { toServer: { bytesPerSecond: 4_000_000 }, toClient: { bytesPerSecond: 4_000_000 } },
    ],
    ["in small pieces", { toServer: { writeBytes: 777 }, toClient: { writeBytes: 1_000 } }],
    ["joined", { toServer: { coalesceMs: 3 }, toClient: { coalesceMs: 5, latencyMs: 1 } }],
    ["through a slow drain", { toServer: slowDrain(4_000_000), toClient: slowDrain(4_000_000) }],
  ])("are the same and in order: %s", async (_, behaviour) => {
    const setup = await setUp(behaviour)
    const up = randomBytes(300_000, 1)
    const down = randomBytes(200_000, 2)
    for (let at = 0; at < up.length; at += 9_999) setup.client.socket.write(up.subarray(at, at + 9_999))
    setup.server.socket.end(down)
    setup.client.socket.end()
    await until(() => setup.client.hasEnded && setup.server.hasEnded)
    expect(setup.server.received.equals(up)).toBe(true)
    expect(setup.client.received.equals(down)).toBe(true)
    await setup.connection.closed
    expect([setup.connection.toServer.forwardedBytes, setup.connection.toClient.forwardedBytes]).toEqual([
      up.length,
      down.length,
    ])
    expect([setup.client.failure, setup.server.failure]).toEqual([undefined, undefined])
  })

  it("return from an echo server through 20 connections of one proxy", async () => {
    const port = await listen(createServer((socket) => void socket.pipe(socket)))
    const proxy = await proxyTo(port, { plan: randomPlan({ maxLatencyMs: 5, stops: [] }), seed: 11 })
    const sent = Array.from({ length: 20 }, (_, index) => randomBytes(500, index))
    const peers = sent.map((bytes) => {
      const peer = new Peer(connect(proxy.port, proxy.host))
      peer.socket.end(bytes)
      return peer
    })
    await until(() => peers.every(({ isClosed }) => isClosed))
    expect(peers.map(({ received }) => received.toString("hex"))).toEqual(
      sent.map((bytes) => bytes.toString("hex")),
    )
    expect(proxy.connections.map(({ index }) => index)).toEqual(sent.map((_, index) => index))
  })

  it("arrive one by one when a write carries one byte", async () => {
    const { client, server } = await setUp({ toServer: { writeBytes: 1 } })
    client.socket.write("the quick brown fox")
    await until(() => server.receivedBytes === 19)
    expect(server.received.toString()).toBe("the quick brown fox")
    // The kernel may still join some bytes.
    expect(server.chunks.length).toBeGreaterThan(9)
  })

  it("arrive as one chunk when writes within a window are joined", async () => {
    const clock = new SimulatedClock()
    const { client, server, connection } = await setUp({ toServer: { coalesceMs: 10 } }, { clock })
    await clock.advance(1)
    for (const [index, letter] of ["a", "b", "c", "d", "e", "f"].entries()) {
      client.socket.write(letter)
      await until(() => connection.toServer.receivedBytes === index + 1)
      await clock.advance(1)
    }
    expect(connection.toServer.waitingBytes).toBe(6)
    const write = vi.spyOn(Socket.prototype, "write")
    onTestFinished(() => write.mockRestore())
    await clock.advance(3)
    await until(() => server.receivedBytes === 6)
    expect(server.received.toString()).toBe("abcdef")
    expect(write).toHaveBeenCalledOnce()
  })
})

describe("time", () => {
  it("delays each chunk by the latency and keeps the order whatever the jitter", async () => {
    const clock = new SimulatedClock()
    const { client, server, connection } = await setUp(
      { toServer: { latencyMs: 100, jitterMs: 50 } },
      { clock },
    )
    for (let sent = 1; sent <= 20; sent += 1) {
      client.socket.write(String.fromCharCode(64 + sent))
      await until(() => connection.toServer.receivedBytes === sent)
    }
    await clock.advance(49)
    expect(connection.toServer.waitingBytes).toBe(20)
    for (let ms = 49; ms < 151; ms += 1) {
      await clock.advance(1)
      await nextTurn()
    }
    await until(() => server.receivedBytes === 20)
    expect(server.received.toString()).toBe("ABCDEFGHIJKLMNOPQRST")
    expect(clock.pendingCount).toBe(0)
  })

  it("gives a receiver no more bytes than the bandwidth allows", async () => {
    const clock = new SimulatedClock()
    const { client, server, connection } = await setUp({ toServer: { bytesPerSecond: 1_000 } }, { clock })
    client.socket.write(randomBytes(5_000))
    const lane = connection.toServer
    await until(() => lane.receivedBytes === 5_000 && lane.forwardedBytes === 50)
    for (let portions = 2; portions <= 41; portions += 1) {
      await clock.advance(50)
      await until(() => lane.forwardedBytes === 50 * portions)
    }
    expect(clock.now()).toBe(2_000)
    await until(() => server.receivedBytes === 2_050)
    expect(lane.waitingBytes).toBe(2_950)
  })

  it("passes a slow drain's backpressure to the sender: the proxy never buffers more than one read", async () => {
    const clock = new SimulatedClock()
    const { client, connection } = await setUp({ toServer: slowDrain(20) }, { clock })
    const lane = connection.toServer
    const mostBytes = 64 * 1_024
    while (client.socket.writableLength < 8 * mostBytes) {
      client.socket.write(randomBytes(mostBytes))
      await nextTurn()
    }
    for (let turn = 0; turn < 200; turn += 1) {
      await clock.advance(50)
      await nextTurn()
      expect(lane.waitingBytes).toBeLessThanOrEqual(mostBytes)
    }
    expect(lane.receivedBytes - lane.waitingBytes).toBeLessThanOrEqual(201)
    expect(client.socket.writableLength).toBeGreaterThan(0)
  })
})

describe("a stop after exactly so many bytes", () => {
  const length = 40
  const cases = both.flatMap((direction) =>
    (["rst", "fin", "blackHole", "hold"] as const).map((how) => [how, direction] as const),
  )

  async function stopAt(how: Stop, direction: Direction, afterBytes: number): Promise<Setup> {
    const setup = await setUp({ [direction]: { stop: { afterBytes, how } } })
    const { from, to } = endsOf(setup, direction)
    from.socket.write(randomBytes(length))
    await until(() => to.receivedBytes >= afterBytes)
    return setup
  }

  it.each(cases)("forwards them all and not one more: %s %s", async (how, direction) => {
    for (let afterBytes = 0; afterBytes <= length; afterBytes += 1) {
      const setup = await stopAt(how, direction, afterBytes)
      const { from, to } = endsOf(setup, direction)
      const { connection, client, server } = setup
      if (how === "rst") await until(() => client.isClosed && server.isClosed)
      if (how === "fin") await until(() => to.hasEnded)
      if (how === "blackHole") await until(() => connection[direction].receivedBytes === length)
      for (let turn = 0; turn < 3; turn += 1) await nextTurn()
      expect(to.received.equals(randomBytes(length).subarray(0, afterBytes)), String(afterBytes)).toBe(true)
      expect(connection[direction].forwardedBytes).toBe(afterBytes)
      expect(to.failure, String(afterBytes)).toBe(how === "rst" ? "ECONNRESET" : undefined)
      expect(to.hasEnded).toBe(how === "fin")
      expect(to.isClosed).toBe(how === "rst")
      expect(from.isClosed).toBe(how === "rst")
    }
  })

  it.each(both)("leaves the other direction open after a FIN %s", async (direction) => {
    const setup = await stopAt("fin", direction, 7)
    const { from, to } = endsOf(setup, direction)
    await until(() => to.hasEnded)
    to.socket.end(randomBytes(100_000, 5))
    await until(() => from.hasEnded)
    expect(from.received.equals(randomBytes(100_000, 5))).toBe(true)
  })

  it("counts over several writes", async () => {
    const { client, server, connection } = await setUp({
      toServer: { stop: { afterBytes: 10, how: "blackHole" }, writeBytes: 3 },
    })
    for (let sent = 4; sent <= 40; sent += 4) {
      client.socket.write("abcd")
      await until(() => connection.toServer.receivedBytes === sent)
    }
    await until(() => server.receivedBytes === 10)
    expect(server.received.toString()).toBe("abcdabcdab")
  })
})

describe("a black hole", () => {
  it("swallows both ways, and neither end gets the other's end", async () => {
    const { connection, client, server } = await setUp()
    client.socket.write("before")
    await until(() => server.receivedBytes === 6)
    connection.blackHole()
    client.socket.write("lost")
    server.socket.write("lost too")
    await until(() => connection.toServer.receivedBytes === 10 && connection.toClient.receivedBytes === 8)
    server.socket.resetAndDestroy()
    client.socket.end()
    await until(() => server.isClosed)
    for (let turn = 0; turn < 20; turn += 1) await nextTurn()
    expect([server.received.toString(), client.received.toString()]).toEqual(["before", ""])
    expect([client.hasEnded, client.isClosed, client.failure]).toEqual([false, false, undefined])
  })

  it.each(both)("swallows one way and lets the other pass: %s", async (direction) => {
    const setup = await setUp()
    const { from, to } = endsOf(setup, direction)
    setup.connection[direction].blackHole()
    from.socket.write("lost")
    await until(() => setup.connection[direction].receivedBytes === 4)
    to.socket.write("heard")
    await until(() => from.receivedBytes === 5)
    setup.connection[direction].open()
    from.socket.write("heard again")
    await until(() => to.receivedBytes === 11)
    expect(to.received.toString()).toBe("heard again")
  })
})

describe("a hold", () => {
  it("stops reading, fills the sender's buffers and loses nothing when it ends", async () => {
    const { connection, client, server } = await setUp()
    connection.toServer.hold()
    const piece = randomBytes(64 * 1_024)
    let sentBytes = 0
    while (client.socket.writableLength < 1_048_576) {
      client.socket.write(piece)
      sentBytes += piece.length
      await nextTurn()
    }
    expect(connection.toServer.receivedBytes).toBeLessThanOrEqual(piece.length)
    expect(server.receivedBytes).toBe(0)
    connection.toServer.open()
    await until(() => server.receivedBytes === sentBytes)
    expect(client.socket.writableLength).toBe(0)
  })
})

describe("ends of connections", () => {
  it("shows a cut to both ends as ECONNRESET", async () => {
    const { connection, client, server } = await setUp()
    client.socket.write("x")
    await until(() => server.receivedBytes === 1)
    connection.cut()
    await until(() => client.isClosed && server.isClosed)
    expect([client.failure, server.failure]).toEqual(["ECONNRESET", "ECONNRESET"])
    await connection.closed
    expect(connection.isClosed).toBe(true)
  })

  it.each(["in the same turn", "while bytes and FIN wait for a receiver that does not read"])(
    "cuts after a FIN: %s",
    async (when) => {
      const { connection, client, server } = await setUp({ toServer: { readAheadBytes: 64 * 1_024 } })
      if (when !== "in the same turn") {
        server.socket.pause()
        const piece = randomBytes(64 * 1_024)
        while (client.socket.writableLength < 1_048_576) {
          client.socket.write(piece)
          await nextTurn()
        }
      }
      connection.toServer.finish()
      connection.cut()
      await connection.closed
      server.socket.resume()
      await until(() => client.isClosed && server.hasEnded)
    },
  )

  it.each(both)("passes on a reset %s", async (direction) => {
    const setup = await setUp()
    const { from, to } = endsOf(setup, direction)
    from.socket.write("x")
    await until(() => to.receivedBytes === 1)
    from.socket.resetAndDestroy()
    await until(() => to.isClosed)
    expect(to.failure).toBe("ECONNRESET")
  })

  it("passes on a half-close after the buffered bytes", async () => {
    const clock = new SimulatedClock()
    const { client, server, connection } = await setUp({ toServer: { latencyMs: 500 } }, { clock })
    client.socket.end("last words")
    await until(() => connection.toServer.receivedBytes === 10)
    await clock.advance(499)
    expect(server.hasEnded).toBe(false)
    await clock.advance(1)
    await until(() => server.hasEnded)
    expect(server.received.toString()).toBe("last words")
    server.socket.end("answer")
    await until(() => client.isClosed)
    expect(client.received.toString()).toBe("answer")
  })

  it("resets a client whose server does not listen", async () => {
    const listener = createServer()
    const port = await listen(listener)
    listener.close()
    await once(listener, "close")
    const proxy = await proxyTo(port)
    const client = new Peer(connect(proxy.port, proxy.host))
    await until(() => client.isClosed)
    expect(client.failure).toBe("ECONNRESET")
  })

  it("refuses new connections, keeps the old one, and accepts again on the same port", async () => {
    const { proxy, client, server } = await setUp()
    const { port } = proxy
    proxy.refuse()
    const refused = new Peer(connect(port, "127.0.0.1"))
    await until(() => refused.isClosed)
    expect(refused.failure).toBe("ECONNREFUSED")
    client.socket.write("still here")
    await until(() => server.receivedBytes === 10)
    await proxy.accept()
    const accepted = new Peer(connect(port, "127.0.0.1"))
    await until(() => proxy.connections.length === 2)
    expect([proxy.port, accepted.failure]).toEqual([port, undefined])
  })

  it("leaves no socket and no timer after close, in any state", async () => {
    const openSockets = (): number =>
      process.getActiveResourcesInfo().filter((resource) => resource.startsWith("TCP")).length
    await until(() => openSockets() === 0)
    const clock = new SimulatedClock()
    const listener = createServer((socket) => new Peer(socket).socket.write(randomBytes(99_999)))
    const port = await listen(listener)
    const proxy = await proxyTo(port, {
      clock,
      plan: scripted([
        { toServer: { latencyMs: 60_000 }, toClient: { bytesPerSecond: 10 } },
        { toServer: { stop: { afterBytes: 0, how: "hold" } }, toClient: slowDrain(1) },
        {
          toServer: { stop: { afterBytes: 0, how: "blackHole" } },
          toClient: { stop: { afterBytes: 3, how: "fin" } },
        },
        { toClient: { coalesceMs: 60_000 } },
      ]),
    })
    const clients = Array.from({ length: 5 }, () => new Peer(connect(proxy.port, proxy.host)))
    for (const { socket } of clients) socket.write("x")
    await until(() => proxy.connections.filter(({ toClient }) => toClient.receivedBytes > 0).length === 5)
    expect(clock.pendingCount).toBeGreaterThan(2)
    await proxy.close()
    await until(() => clients.every(({ isClosed }) => isClosed))
    listener.close()
    await once(listener, "close")
    await until(() => openSockets() === 0)
    expect(clock.pendingCount).toBe(0)
  })
})

describe("plans", () => {
  it("give connections the behaviours of a script in order, then none", () => {
    const plan = scripted([{ toServer: { latencyMs: 1 } }, {}])
    expect([0, 1, 2].map((index) => plan(index, Math.random))).toEqual([
      { toServer: { latencyMs: 1 } },
      {},
      {},
    ])
  })

  it("draw the same behaviours from the same seed, and others from another", async () => {
    const drawn = async (seed: number): Promise<string> => {
      const port = await listen(createServer((socket) => void new Peer(socket)))
      const proxy = await proxyTo(port, { plan: randomPlan(), seed })
      for (let count = 1; count <= 12; count += 1) {
        new Peer(connect(proxy.port, proxy.host))
        await until(() => proxy.connections.length === count)
      }
      return JSON.stringify(proxy.connections.map(({ behaviour }) => behaviour))
    }
    const [first, again, other] = [await drawn(1), await drawn(1), await drawn(2)]
    expect(again).toBe(first)
    expect(other).not.toBe(first)
  })

  it("draw every fault sometimes and none always, within their bounds", () => {
    const plan = randomPlan({ maxLatencyMs: 100, maxStopBytes: 50 })
    const lanes = Array.from({ length: 2_000 }, (_, seed) => plan(0, seededRandom(seed)).toServer ?? {})
    for (const name of [
      "latencyMs",
      "bytesPerSecond",
      "writeBytes",
      "coalesceMs",
      "readAheadBytes",
      "stop",
    ] as const) {
      const share = lanes.filter((lane) => lane[name] !== undefined).length / lanes.length
      expect(share, name).toBeGreaterThan(0.05)
      expect(share, name).toBeLessThan(0.6)
    }
    expect(new Set(lanes.map(({ stop }) => stop?.how))).toEqual(
      new Set([undefined, "rst", "fin", "blackHole", "hold"]),
    )
    const latencies = lanes.map(({ latencyMs = 0 }) => latencyMs)
    expect(Math.min(...latencies)).toBe(0)
    expect(Math.max(...latencies)).toBeLessThanOrEqual(100)
    const stopBytes = lanes.flatMap(({ stop }) => (stop === undefined ? [] : [stop.afterBytes]))
    expect(Math.min(...stopBytes)).toBe(0)
    expect(Math.max(...stopBytes)).toBeLessThanOrEqual(50)
  })
})
