import { once } from "node:events"
import { Agent, createServer as createHttpServer, get } from "node:http"
import type { IncomingMessage } from "node:http"
import { Server as NetServer, connect, createServer as createNetServer } from "node:net"
import type { Socket } from "node:net"
import { describe, expect, it, onTestFinished, vi } from "vitest"
import {
  connectionsReach,
  createIdle,
  nextTurn,
  openRawSession,
  openTcpSession,
  startServer,
} from "./harness.ts"
import type { SocketServer } from "./harness.ts"
import { createProgram } from "./server-program.ts"
import type { ServerControl, ServerProgram } from "./server-program.ts"
import { describeOver } from "./transports.ts"

/** A port of 127.0.0.1 with another listener. */
async function occupiedPort(): Promise<number> {
  const occupant = createNetServer()
  occupant.listen({ port: 0, host: "127.0.0.1" })
  await once(occupant, "listening")
  onTestFinished(() => void occupant.close())
  return portOf(occupant)
}

function portOf(server: NetServer): number {
  const address = server.address()
  if (typeof address !== "object" || address === null) throw new Error("not listening")
  return address.port
}

/** Every HTTP server that `listen` creates in this test. */
function watchServers(): () => readonly NetServer[] {
  const spy = vi.spyOn(NetServer.prototype, "listen")
  onTestFinished(() => spy.mockRestore())
  return () => spy.mock.contexts.filter((server) => server instanceof NetServer)
}

async function openSocket(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1")
  socket.on("error", () => {})
  onTestFinished(() => void socket.destroy())
  await once(socket, "connect")
  return socket
}

async function expectPortFree(port: number): Promise<void> {
  const next = createNetServer()
  next.listen({ port, host: "127.0.0.1" })
  await once(next, "listening")
  next.close()
}

function listen(server: ServerControl, port = 0): ReturnType<ServerControl["listen"]> {
  return server.listen({ port, host: "127.0.0.1" })
}

async function statusOf(port: number, path: string): Promise<number | undefined> {
  const response = await new Promise<IncomingMessage>((resolve) => {
    get({ port, host: "127.0.0.1", path, agent: false }, resolve)
  })
  response.resume()
  return response.statusCode
}

/** A server of this process that does not listen yet. */
function createOnNode(): ServerProgram {
  const program = createProgram({}, (server, place) => server.listen(place))
  onTestFinished(() => program.close())
  return program
}

const wrongOptions: readonly (readonly [options: object, message: string])[] = [
  [{ prot: 80 }, 'listen has no option "prot". Did you mean "port"?'],
  [{ fd: 3, port: 80 }, "listen got the descriptor 3 (fd) and the port 80"],
  [{ fd: 3, host: "::1" }, 'listen got the descriptor 3 (fd) and the host "::1"'],
  [{ fd: -1 }, "the option fd of listen must be a whole number from 0, not -1"],
  [{ backlog: 0 }, "the option backlog of listen must be a whole number from 1, not 0"],
  [{ fd: 1_000 }, "listen cannot use the descriptor 1000 (fd): it is no listening socket of this process"],
]

describe("listen() on Node", () => {
  it("rejects on a port that is taken, leaves nothing behind, and works when called again", async () => {
    const port = await occupiedPort()
    const server = createOnNode()
    const servers = watchServers()
    await expect(listen(server, port)).rejects.toMatchObject({ code: "EADDRINUSE" })
    await expect(listen(server, port)).rejects.toMatchObject({ code: "EADDRINUSE" })
    expect(servers()).toHaveLength(2)
    for (const failed of servers()) {
      expect(failed.listening).toBe(false)
      expect(failed.listenerCount("error")).toBe(0)
      expect(failed.listenerCount("upgrade")).toBe(0)
    }
    const { url } = await listen(server)
    await openRawSession(url, "hawser.1")
    expect(await server.errors()).toEqual([])
  })

  it.each(wrongOptions)("refuses wrong options: %j", async (options, message) => {
    const { server } = createOnNode()
    await expect(server.listen(options)).rejects.toThrow(message)
  })

  it("passes the backlog on", async () => {
    const spy = vi.spyOn(NetServer.prototype, "listen")
    onTestFinished(() => spy.mockRestore())
    const { server } = createOnNode()
    await server.listen({ host: "127.0.0.1", backlog: 7 })
    await server.listen({ host: "127.0.0.1" })
    expect(spy.mock.calls).toEqual([
      [{ port: 0, host: "127.0.0.1", backlog: 7 }],
      [{ port: 0, host: "127.0.0.1", backlog: 4_096 }],
    ])
  })

  it("keeps one error listener, which calls onError, every time", async () => {
    const server = createOnNode()
    const servers = watchServers()
    await listen(server)
    const [httpServer] = servers()
    expect(httpServer?.listenerCount("error")).toBe(1)
    for (const fault of ["accept EMFILE", "accept ENFILE"]) httpServer?.emit("error", new Error(fault))
    expect(await server.errors()).toEqual(["accept EMFILE", "accept ENFILE"])
  })

  it("rejects when close() comes while the port is being opened, and frees it", async () => {
    const server = createOnNode()
    const servers = watchServers()
    const listening = expect(listen(server)).rejects.toMatchObject({ code: "server_shutdown" })
    await server.close()
    await listening
    expect(servers().map((httpServer) => httpServer.listening)).toEqual([false])
  })
})

describe("attach()", () => {
  it("leaves the application's HTTP server open at close(), without its upgrade handler", async () => {
    const { server } = createOnNode()
    const httpServer = createHttpServer((_request, response) => response.end("mine"))
    onTestFinished(() => void httpServer.close())
    httpServer.listen({ port: 0, host: "127.0.0.1" })
    await once(httpServer, "listening")
    server.attach(httpServer)
    expect(httpServer.listenerCount("upgrade")).toBe(1)
    await openRawSession(`ws://127.0.0.1:${portOf(httpServer)}/ws`, "hawser.1")
    await server.close()
    expect(httpServer.listening).toBe(true)
    expect(httpServer.listenerCount("upgrade")).toBe(0)
    expect(httpServer.listenerCount("error")).toBe(0)
    const response = await new Promise<IncomingMessage>((resolve) => {
      get({ port: portOf(httpServer), host: "127.0.0.1", agent: false }, resolve)
    })
    expect(response).toMatchObject({ statusCode: 200 })
  })

  it("accepts the same HTTP server only once", () => {
    const { server } = createOnNode()
    const httpServer = createHttpServer()
    server.attach(httpServer)
    expect(() => server.attach(httpServer)).toThrow(
      new TypeError("cannot attach the HTTP server: it is attached already"),
    )
    expect(httpServer.listenerCount("upgrade")).toBe(1)
  })

  it("throws after close()", async () => {
    const { server } = createOnNode()
    await server.close()
    expect(() => server.attach(createHttpServer())).toThrow("the server is closed")
  })
})

describe("close() on Node", () => {
  it("resolves after the close events of its HTTP servers", async () => {
    const servers = watchServers()
    const server = createOnNode()
    const { port } = await listen(server)
    await openSocket(port)
    const onClose = vi.fn<() => void>()
    for (const httpServer of servers()) httpServer.once("close", onClose)
    await server.close()
    expect(onClose).toHaveBeenCalledOnce()
  })

  it("returns the same promise however often it is called", async () => {
    const program = createOnNode()
    await listen(program)
    const { server } = program
    const first = server.close()
    expect(server.close()).toBe(first)
    await first
    expect(server.close()).toBe(first)
  })
})

describeOver(["ws", "bun"], (transport) => {
  describe("listen()", () => {
    it("rejects on a port that is taken, and works when called again", async () => {
      const port = await occupiedPort()
      const server = await createIdle(transport)
      await expect(listen(server, port)).rejects.toMatchObject({ code: "EADDRINUSE" })
      await expect(listen(server, port)).rejects.toMatchObject({ code: "EADDRINUSE" })
      const { url } = await listen(server)
      await openRawSession(url, "hawser.1")
      expect(await server.errors()).toEqual([])
    })

    it("opens as many ports as it is called, and close() frees them all", async () => {
      const server = await createIdle(transport)
      const [one, other] = [await listen(server), await listen(server)]
      await openRawSession(one.url, "hawser.1", "ann")
      await openRawSession(other.url, "hawser.1", "bob")
      expect((await server.stats()).sessions).toBe(2)
      await server.close()
      await expectPortFree(one.port)
      await expectPortFree(other.port)
    })

    it("names an IPv6 host in its URL so that it can be dialled", async () => {
      const server = await createIdle(transport)
      const { url } = await server.listen({ port: 0, host: "::1" })
      expect(url).toMatch(/^ws:\/\/\[::1\]:\d+\/ws$/)
      await openRawSession(url, "hawser.1")
    })

    it("rejects after close(), and leaves no port open", async () => {
      const server = await createIdle(transport)
      const { port } = await listen(server)
      await server.close()
      await expect(listen(server, port)).rejects.toMatchObject({ code: "server_shutdown" })
      await expectPortFree(port)
    })

    it("answers a health check with 200, and other requests with 426", async () => {
      const { port } = await startServer(transport)
      expect(await statusOf(port, "/healthz")).toBe(200)
      expect(await statusOf(port, "/")).toBe(426)
      expect(await statusOf(port, "/ws")).toBe(426)
    })
  })

  describe("close()", () => {
    it("has freed the port when it resolves, also with idle keep-alive sockets", async () => {
      const world = await startServer(transport)
      const agent = new Agent({ keepAlive: true })
      onTestFinished(() => agent.destroy())
      const response = await new Promise<IncomingMessage>((resolve) => {
        get({ port: world.port, host: "127.0.0.1", path: "/healthz", agent }, resolve)
      })
      response.resume()
      const idle = await new Promise<Socket>((resolve) => void agent.once("free", resolve))
      const ended = once(idle, "close")
      await world.close()
      await expectPortFree(world.port)
      await ended
    })

    it("does not wait for peers whose requests never end", async () => {
      const world = await startServer(transport)
      const silent = await openSocket(world.port)
      const slow = await openSocket(world.port)
      slow.write("GET /ws HTTP/1.1\r\nHost: ")
      const unread = await openSocket(world.port)
      unread.pause()
      unread.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1_000))
      const received = transport.lacks.silentPeers === undefined ? [silent, slow] : [slow]
      const ended = received.map((socket) => new Promise((resolve) => socket.once("close", resolve)))
      const startedMs = performance.now()
      await world.close()
      expect(performance.now() - startedMs).toBeLessThan(8_000)
      await expectPortFree(world.port)
      await Promise.all(ended)
    })
  })

  describe("close() with a peer with megabytes of unread data", () => {
    // After all is in the kernel, a peer has this long to read it and to answer the close, also on a busy machine.
    const bounds = { sendBufferMaxBytes: 32 << 20, closeTimeoutMs: 250 }

    /** Sends until the kernel and the peer accept no more; returns the number of notes. */
    async function fill(world: SocketServer, userId: string): Promise<number> {
      const text = "x".repeat(64 * 1024)
      for (let count = 0; count < 256; count += 1) {
        await world.send(userId, [{ name: "note", text }])
        await nextTurn()
      }
      return 256
    }

    it("lets it read all messages and its close, though others were dropped at closeTimeoutMs", async () => {
      const world = await startServer(transport, { limits: bounds })
      const slow = await openRawSession(world, "hawser.1", "ann")
      const mute = await openTcpSession(world.port, "hawser.1", "bob")
      slow.pause()
      const count = await fill(world, "ann")
      mute.resume()
      const dropped = once(mute, "close")
      const closing = world.close()
      await dropped
      await connectionsReach(world, 1)
      slow.resume()
      expect((await slow.closed).code).toBe(4503)
      expect(slow.frames.filter(({ kind }) => kind === "event")).toHaveLength(count)
      await closing
      expect(await world.stats()).toMatchObject({ connections: 0, timers: 0 })
    })

    it("drops it at shutdownMs when it reads nothing", async () => {
      const shutdownMs = 200
      const world = await startServer(transport, { limits: { ...bounds, shutdownMs } })
      const slow = await openRawSession(world, "hawser.1", "ann")
      slow.pause()
      await fill(world, "ann")
      const startedMs = performance.now()
      await world.close()
      const tookMs = performance.now() - startedMs
      expect(tookMs).toBeGreaterThanOrEqual(shutdownMs - 1)
      expect(tookMs).toBeLessThan(5_000)
      expect(await world.stats()).toMatchObject({ connections: 0, timers: 0 })
      await expectPortFree(world.port)
      slow.resume()
      expect((await slow.closed).code).toBe(1006)
    })
  })
})
