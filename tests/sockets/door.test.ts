// Surroundings of the WebSocket on Node's HTTP servers: other upgrades, other servers, silent sockets.
import { execFileSync } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import { createServer as createTlsServer } from "node:https"
import { connect } from "node:net"
import type { Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { connect as connectTls } from "node:tls"
import { describe, expect, it, onTestFinished } from "vitest"
import { WebSocket, WebSocketServer } from "ws"
import { answerTo, h2c, hawser, listening, openHttp, openPeer, webSocketRequest } from "./door-harness.ts"
import { until } from "./harness.ts"
import type { IdleServer } from "./server-program.ts"

describe("door-1 an offer of another protocol", () => {
  it("is an ordinary request on an HTTP server of the application", async () => {
    const httpServer = createServer()
    const port = await openHttp(httpServer)
    hawser().attach(httpServer)
    expect(await answerTo(port, `GET /healthz HTTP/1.1\r\n${h2c}\r\n`)).toMatch(
      /^HTTP\/1\.1 200 .*GET \/healthz $/s,
    )
  })

  it.each([
    ["in one piece", [`POST /a HTTP/1.1\r\n${h2c}Content-Length: 10\r\n\r\nhelloworld`]],
    ["in pieces", [`POST /a HTTP/1.1\r\n${h2c}Content-Length: 10\r\n\r\n`, "hello", "world"]],
    [
      "chunked",
      [
        `POST /a HTTP/1.1\r\n${h2c}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`,
        "5\r\nworld\r\n0\r\n\r\n",
      ],
    ],
  ])("keeps its body, which arrives %s", async (_how, pieces) => {
    const httpServer = createServer()
    const port = await openHttp(httpServer)
    hawser().attach(httpServer)
    expect(await answerTo(port, ...pieces)).toMatch(/POST \/a helloworld$/)
  })

  it("is an ordinary request on the server's own port", async () => {
    const { port } = await hawser().listen({ host: "127.0.0.1" })
    expect(await answerTo(port, `GET /healthz HTTP/1.1\r\n${h2c}\r\n`)).toMatch(/^HTTP\/1\.1 200 .*ok\n$/s)
  })

  it("is an ordinary request in the end if another listener does not handle it", async () => {
    const httpServer = createServer()
    const port = await openHttp(httpServer)
    hawser({ limits: { upgradeUntakenMs: 50 } }).attach(httpServer)
    httpServer.on("upgrade", () => {})
    expect(await answerTo(port, `GET /healthz HTTP/1.1\r\n${h2c}\r\n`)).toMatch(/GET \/healthz $/)
  })

  it("restores the HTTP server when the last server has closed", async () => {
    const httpServer = createServer()
    const before: unknown = Reflect.get(httpServer, "shouldUpgradeCallback")
    const server = hawser()
    server.attach(httpServer)
    await server.close()
    expect(httpServer.listenerCount("upgrade")).toBe(0)
    expect(httpServer.listenerCount("request")).toBe(0)
    expect(Reflect.get(httpServer, "shouldUpgradeCallback")).toBe(before)
  })
})

describe("door-1 several servers on one HTTP server", () => {
  it("each get the upgrades of their path, and any other path gets 404 at once", async () => {
    const httpServer = createServer()
    const port = await openHttp(httpServer)
    const [first, second] = [hawser({ path: "/a" }), hawser({ path: "/b" })]
    first.attach(httpServer)
    second.attach(httpServer)
    for (const path of ["/a", "/b"])
      expect(await answerTo(port, webSocketRequest(path))).toMatch(/^HTTP\/1\.1 101 /)
    expect(await answerTo(port, webSocketRequest("/c"))).toMatch(/^HTTP\/1\.1 404 /)
    expect(first.stats()).toMatchObject({ connectionsAccepted: 1, upgradesRefusedByReason: { path: 1 } })
    expect(second.stats()).toMatchObject({ connectionsAccepted: 1, upgradesRefusedByReason: {} })
  })

  it("cannot share a path", () => {
    const httpServer = createServer()
    hawser().attach(httpServer)
    expect(() => hawser().attach(httpServer)).toThrow(/another Hawser server has the path \/ws/)
  })

  it("continue to watch the sockets when the first of them has closed", async () => {
    const httpServer = createServer({ keepAliveTimeout: 10_000 })
    const port = await openHttp(httpServer)
    const limits = { httpTimeoutMs: 200 }
    const [first, second] = [hawser({ path: "/a", limits }), hawser({ path: "/b", limits })]
    first.attach(httpServer)
    second.attach(httpServer)
    await first.close()
    const { socket } = await openPeer(port)
    await until(() => socket.destroyed)
    expect(first.stats().socketsDroppedByReason).toEqual({})
    expect(second.stats().socketsDroppedByReason).toEqual({ silent: 1 })
  })

  it("stop watching the sockets once the last has closed, also one whose answer ends later", async () => {
    const httpServer = createServer()
    let end: (() => void) | undefined
    httpServer.on("request", (_request, response) => (end = () => void response.end("late")))
    const port = await listening(httpServer)
    const server = hawser()
    server.attach(httpServer)
    const { socket, read } = await openPeer(port)
    socket.write("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
    await until(() => end !== undefined)
    await server.close()
    end?.()
    await until(() => read().endsWith("late"))
    expect(server.stats().timers).toBe(0)
  })

  it("follow one another", async () => {
    const httpServer = createServer()
    const port = await openHttp(httpServer)
    const first = hawser()
    first.attach(httpServer)
    await first.close()
    hawser().attach(httpServer)
    expect(await answerTo(port, webSocketRequest("/ws"))).toMatch(/^HTTP\/1\.1 101 /)
  })

  it("answer 404, and count it, when another listener does not handle an upgrade either", async () => {
    const httpServer = createServer()
    const port = await openHttp(httpServer)
    const server = hawser({ limits: { upgradeUntakenMs: 50 } })
    server.attach(httpServer)
    httpServer.on("upgrade", () => {})
    expect(await answerTo(port, webSocketRequest("/nobody"))).toMatch(/^HTTP\/1\.1 404 /)
    expect(server.stats().upgradesRefusedByReason).toEqual({ path: 1 })
  })

  it("leave an upgrade to another listener that handles it, also late", async () => {
    const httpServer = createServer()
    const port = await openHttp(httpServer)
    const server = hawser({ limits: { upgradeUntakenMs: 100 } })
    server.attach(httpServer)
    const other = new WebSocketServer({ noServer: true })
    httpServer.on("upgrade", (request, socket, head) => {
      if (request.url !== "/other") return
      setTimeout(() => other.handleUpgrade(request, socket, head, (taken) => taken.send("taken")), 50)
    })
    const socket = new WebSocket(`ws://127.0.0.1:${port}/other`)
    let said = ""
    socket.on("message", (content: Buffer) => (said = content.toString()))
    await until(() => said === "taken")
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(socket.readyState).toBe(WebSocket.OPEN)
    expect(server.stats()).toMatchObject({ upgradesRefusedByReason: {}, timers: 0 })
    socket.terminate()
  })

  it("survive a reset of an unhandled upgrade", async () => {
    const httpServer = createServer()
    const port = await openHttp(httpServer)
    const errors: unknown[] = []
    hawser({ onError: (error) => errors.push(error) }).attach(httpServer)
    httpServer.on("upgrade", () => {})
    const { socket } = await openPeer(port)
    socket.write(webSocketRequest("/nobody"))
    await new Promise((resolve) => setTimeout(resolve, 50))
    socket.resetAndDestroy()
    await until(() => errors.length === 1)
  })
})

describe("door-1 a target that is a whole address", () => {
  it("is served, and its host counts instead of the header", async () => {
    const httpServer = createServer()
    const port = await openHttp(httpServer)
    hawser().attach(httpServer)
    const whole = webSocketRequest("http://game.example/ws?x=1")
    expect(await answerTo(port, whole)).toMatch(/^HTTP\/1\.1 101 /)
    const page = (origin: string): string => whole.replace("\r\n\r\n", `\r\nOrigin: ${origin}\r\n\r\n`)
    expect(await answerTo(port, page("https://game.example"))).toMatch(/^HTTP\/1\.1 101 /)
    expect(await answerTo(port, page("http://a"))).toMatch(/^HTTP\/1\.1 403 /)
  })

  it("is served on the server's own port", async () => {
    const { port } = await hawser().listen({ host: "127.0.0.1" })
    const request = "GET http://a/healthz?probe=1 HTTP/1.1\r\nHost: a\r\n\r\n"
    expect(await answerTo(port, request)).toMatch(/^HTTP\/1\.1 200 /)
  })
})

describe("door-2 silent sockets", () => {
  const thousands = 2_500

  /** Parallel dials: below the length of the kernel's accept queue. */
  const batch = 250

  interface Crowd {
    readonly server: IdleServer
    readonly port: number
    readonly begin: string
  }

  /** Sockets that the server has not dropped. */
  const waiting = (server: IdleServer): number => server.stats().timers
  const dropped = (server: IdleServer): number => {
    const { silent = 0, crowded = 0 } = server.stats().socketsDroppedByReason
    return silent + crowded
  }

  /** Returns the number of open sockets. */
  async function openMany(count: number, { server, port, begin }: Crowd): Promise<() => number> {
    let open = 0
    const sockets: Socket[] = []
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy()
    })
    while (sockets.length < count) {
      for (let index = 0; index < batch; index += 1) {
        const socket = connect(port, "127.0.0.1", () => begin !== "" && socket.write(begin))
        socket.on("error", () => {})
        socket.on("close", () => (open -= 1))
        socket.resume()
        open += 1
        sockets.push(socket)
      }
      await until(() => waiting(server) + dropped(server) >= sockets.length)
    }
    return () => open
  }

  it.each([
    ["nothing", ""],
    ["a part of a request", "GET /ws HTTP/1.1\r\nHost: a\r\n"],
  ])("that send %s are all dropped, thousands of them, on the server's own port", async (_what, begin) => {
    const limits = { httpTimeoutMs: 1_000, requestlessPerAddress: 10_000 }
    const server = hawser({ limits })
    const { port } = await server.listen({ host: "127.0.0.1" })
    const open = await openMany(thousands, { server, port, begin })
    await until(() => open() === 0)
    expect(server.stats()).toMatchObject({ socketsDroppedByReason: { silent: thousands }, timers: 0 })
  })

  it("are dropped on an HTTP server of the application, too, and beyond the cap at once", async () => {
    const httpServer = createServer()
    const port = await openHttp(httpServer)
    const server = hawser({ limits: { httpTimeoutMs: 4_000, requestlessPerAddress: 600 } })
    server.attach(httpServer)
    let most = 0
    httpServer.on("connection", () => (most = Math.max(most, waiting(server))))
    const open = await openMany(thousands, { server, port, begin: "" })
    await until(() => open() === 0)
    expect(most).toBe(600)
    expect(dropped(server)).toBe(thousands)
    expect(await answerTo(port, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n")).toMatch(/GET \/a $/)
  })

  it("are dropped after an answer, too: the next request has the same deadline as the first one", async () => {
    const httpServer = createServer({ keepAliveTimeout: 100 })
    const port = await openHttp(httpServer)
    const server = hawser({ limits: { httpTimeoutMs: 200 } })
    server.attach(httpServer)
    const { socket } = await openPeer(port)
    socket.write("GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\nGET /c HTTP")
    await until(() => socket.destroyed)
    expect(server.stats()).toMatchObject({ socketsDroppedByReason: { silent: 1 }, timers: 0 })
  })

  it("do not include those whose answer takes longer", async () => {
    const httpServer = createServer()
    httpServer.on("request", (request, response) => {
      if (request.url === "/slow") setTimeout(() => response.end("slow"), 300)
    })
    const port = await listening(httpServer)
    hawser({ limits: { httpTimeoutMs: 100 } }).attach(httpServer)
    expect(await answerTo(port, "GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).toMatch(
      /slow$/,
    )
  })

  it("abuse-A38 are dropped below TLS, before and after the handshake", async () => {
    const httpServer = createTlsServer(certificate())
    const port = await openHttp(httpServer)
    const server = hawser({ limits: { httpTimeoutMs: 300 } })
    server.attach(httpServer)
    const { socket } = await openPeer(port)
    const secure = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false })
    secure.on("error", () => {})
    onTestFinished(() => void secure.destroy())
    await once(secure, "secureConnect")
    const asking = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false })
    onTestFinished(() => void asking.destroy())
    asking.write(`GET /a HTTP/1.1\r\n${h2c}\r\n`)
    let answer = ""
    asking.on("data", (chunk: Buffer) => (answer += chunk.toString()))
    await until(() => answer.endsWith("GET /a "))
    await until(() => socket.destroyed && secure.destroyed)
    asking.destroy()
    await until(() => server.stats().timers === 0)
    expect(server.stats().socketsDroppedByReason).toEqual({ silent: 2 })
  })
})

function certificate(): { readonly key: Buffer; readonly cert: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), "hawser-tls-"))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")]
  const subject = ["-subj", "/CN=localhost", "-days", "1"]
  const how = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
  execFileSync("openssl", [...how, "-keyout", key, "-out", cert, ...subject], { stdio: "ignore" })
  return { key: readFileSync(key), cert: readFileSync(cert) }
}
