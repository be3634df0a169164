import { once } from "node:events"
import { Agent, createServer as createHttpServer, get } from "node:http"
import type { IncomingMessage } from "node:http"
import { Server as NetServer, connect, createServer as createNetServer } from "node:net"
import type { Socket } from "node:net"
import { describe, expect, it, onTestFinished, vi } from "vitest"
import { createIdle, nextTurn, openRawSession, openTcpSession, startServer, until } from "./harness.ts"
import type { IdleServer, SocketServer } from "./harness.ts"

/** A port of 127.0.0.1 that somebody else listens on. */
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

/** Every HTTP server that `listen` makes in this test. */
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

function listen(server: IdleServer, port = 0): ReturnType<IdleServer["listen"]> {
  return server.listen({ port, host: "127.0.0.1" })
}

describe("listen()", () => {
  it("rejects on a port that is taken, leaves nothing behind, and works when called again", async () => {
    const port = await occupiedPort()
    const { server, errors } = createIdle()
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
    expect(errors).toEqual([])
  })

  it("keeps one error listener, which tells onError, every time", async () => {
    const { server, errors } = createIdle()
    const servers = watchServers()
    await listen(server)
    const [httpServer] = servers()
    expect(httpServer?.listenerCount("error")).toBe(1)
    const faults = [new Error("accept EMFILE"), new Error("accept ENFILE")]
    for (const fault of faults) httpServer?.emit("error", fault)
    expect(errors).toEqual(faults)
  })

  it("opens as many ports as it is called, and close() frees them all", async () => {
    const { server } = createIdle()
    const [one, other] = [await listen(server), await listen(server)]
    await openRawSession(one.url, "hawser.1", "ann")
    await openRawSession(other.url, "hawser.1", "bob")
    expect(server.stats().sessions).toBe(2)
    await server.close()
    await expectPortFree(one.port)
    await expectPortFree(other.port)
  })

  it("names an IPv6 host in its URL so that it can be dialled", async () => {
    const { server } = createIdle()
    const { url } = await server.listen({ host: "::1" })
    expect(url).toMatch(/^ws:\/\/\[::1\]:\d+\/ws$/)
    await openRawSession(url, "hawser.1")
  })

  it("rejects after close(), and attach() throws", async () => {
    const { server } = createIdle()
    await server.close()
    await expect(listen(server)).rejects.toMatchObject({ code: "server_shutdown" })
    expect(() => server.attach(createHttpServer())).toThrow("the server is closed")
  })

  it("rejects when close() comes while the port is being opened, and frees it", async () => {
    const { server } = createIdle()
    const servers = watchServers()
    const listening = expect(listen(server)).rejects.toMatchObject({ code: "server_shutdown" })
    await server.close()
    await listening
    expect(servers().map((httpServer) => httpServer.listening)).toEqual([false])
  })
})

describe("attach()", () => {
  it("leaves the application's HTTP server open at close(), without its upgrade handler", async () => {
    const { server } = createIdle()
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

  it("takes the same HTTP server only once", () => {
    const { server } = createIdle()
    const httpServer = createHttpServer()
    server.attach(httpServer)
    expect(() => server.attach(httpServer)).toThrow(new TypeError("this HTTP server is attached already"))
    expect(httpServer.listenerCount("upgrade")).toBe(1)
  })
})

describe("close()", () => {
  it("has freed the port when it resolves, also with idle keep-alive sockets", async () => {
    const { server, port } = await startServer()
    const agent = new Agent({ keepAlive: true })
    onTestFinished(() => agent.destroy())
    const response = await new Promise<IncomingMessage>((resolve) => {
      get({ port, host: "127.0.0.1", path: "/healthz", agent }, resolve)
    })
    response.resume()
    const idle = await new Promise<Socket>((resolve) => void agent.once("free", resolve))
    const ended = once(idle, "close")
    await server.close()
    await expectPortFree(port)
    await ended
  })

  it("resolves after its HTTP servers have told of their own close", async () => {
    const servers = watchServers()
    const { server, port } = await startServer()
    await openSocket(port)
    const told = vi.fn<() => void>()
    for (const httpServer of servers()) httpServer.once("close", told)
    await server.close()
    expect(told).toHaveBeenCalledOnce()
  })

  it("does not wait for peers whose requests never end", async () => {
    const { server, port } = await startServer()
    const silent = await openSocket(port)
    const slow = await openSocket(port)
    slow.write("GET /ws HTTP/1.1\r\nHost: ")
    const unread = await openSocket(port)
    unread.pause()
    unread.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1_000))
    const ended = [silent, slow].map((socket) => once(socket, "close"))
    const startedMs = performance.now()
    await server.close()
    expect(performance.now() - startedMs).toBeLessThan(8_000)
    await expectPortFree(port)
    await Promise.all(ended)
  })

  it("returns the same promise however often it is called", async () => {
    const { server } = await startServer()
    const first = server.close()
    expect(server.close()).toBe(first)
    await first
    expect(server.close()).toBe(first)
  })
})

describe("close() with a peer that has megabytes to read", () => {
  const bounds = { sendBufferMaxBytes: 32 << 20, closeTimeoutMs: 20 }

  /** Sends until neither the kernel nor the peer takes more; returns how many notes. */
  async function fill({ server }: SocketServer, userId: string): Promise<number> {
    const [session] = server.sessionsOf(userId)
    const text = "x".repeat(64 * 1024)
    for (let count = 0; count < 256; count += 1) {
      session?.send("note", { text })
      await nextTurn()
    }
    return 256
  }

  it("lets it read everything and its close, though others were dropped at closeTimeoutMs", async () => {
    const world = await startServer({ limits: bounds })
    const slow = await openRawSession(world.url, "hawser.1", "ann")
    const mute = await openTcpSession(world.port, "hawser.1", "bob")
    slow.socket.pause()
    const count = await fill(world, "ann")
    mute.resume()
    const dropped = once(mute, "close")
    const closing = world.server.close()
    await dropped
    await until(() => world.server.stats().connections === 1)
    slow.socket.resume()
    expect((await slow.closed).code).toBe(4503)
    expect(slow.frames.filter(({ kind }) => kind === "event")).toHaveLength(count)
    await closing
    expect(world.server.stats()).toMatchObject({ connections: 0, timers: 0 })
  })

  it("drops it at shutdownMs when it reads nothing", async () => {
    const shutdownMs = 200
    const world = await startServer({ limits: { ...bounds, shutdownMs } })
    const slow = await openRawSession(world.url, "hawser.1", "ann")
    slow.socket.pause()
    await fill(world, "ann")
    const startedMs = performance.now()
    await world.server.close()
    const tookMs = performance.now() - startedMs
    expect(tookMs).toBeGreaterThanOrEqual(shutdownMs - 1)
    expect(tookMs).toBeLessThan(5_000)
    expect(world.server.stats()).toMatchObject({ connections: 0, timers: 0 })
    await expectPortFree(world.port)
    slow.socket.resume()
    expect((await slow.closed).code).toBe(1006)
    await until(() => slow.socket.readyState === slow.socket.CLOSED)
  })
})
