// Requests around the WebSocket that are hostile, or that no browser would send.
import { createServer } from "node:http"
import { describe, expect, it, onTestFinished } from "vitest"
import { answerTo, h2c, hawser, listening, openHttp, openPeer, webSocketRequest } from "./door-harness.ts"
import { until } from "./harness.ts"

describe("door-1 a stranger's odd request ends nothing", () => {
  /** In production an unhandled error would end the process; here it fails the run. */
  async function resetAfter(port: number, request: string): Promise<void> {
    const { socket } = await openPeer(port)
    socket.write(request)
    await new Promise((resolve) => setTimeout(resolve, 50))
    socket.resetAndDestroy()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }

  it("CONNECT is closed at once, as Node does it, and its reset has no effect", async () => {
    const { port } = await hawser().listen({ host: "127.0.0.1" })
    const { socket } = await openPeer(port)
    socket.write("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n")
    await until(() => socket.destroyed)
    const httpServer = createServer()
    const attached = await openHttp(httpServer)
    hawser().attach(httpServer)
    for (const each of [port, attached]) await resetAfter(each, "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n")
    expect(httpServer.listenerCount("connect")).toBe(0)
  })

  it("a CONNECT that the application handles is left to it", async () => {
    const httpServer = createServer()
    httpServer.on("connect", (_request, socket) => setTimeout(() => socket.end("tunnel"), 300))
    const port = await openHttp(httpServer)
    hawser({ limits: { httpTimeoutMs: 100 } }).attach(httpServer)
    const { socket, read } = await openPeer(port)
    socket.write("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n")
    await until(() => socket.destroyed)
    expect(read()).toBe("tunnel")
  })

  it("an unhandled upgrade is answered when the server closes, and its reset has no effect", async () => {
    const httpServer = createServer()
    const port = await openHttp(httpServer)
    const server = hawser()
    server.attach(httpServer)
    let isThere = false
    httpServer.on("upgrade", () => (isThere = true))
    const { socket, read } = await openPeer(port)
    socket.write(webSocketRequest("/nobody"))
    await until(() => isThere)
    await server.close()
    await until(() => socket.destroyed)
    expect(read()).toMatch(/^HTTP\/1\.1 404 /)
  })

  it("is not rewritten when fields of it may be missing", async () => {
    const httpServer = createServer({ maxHeaderSize: 65_536 })
    const port = await openHttp(httpServer)
    hawser().attach(httpServer)
    const hidden = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    const fields = "a:\r\n".repeat(1_020)
    const answer = await answerTo(
      port,
      `POST /first HTTP/1.1\r\n${h2c}${fields}Content-Length: ${hidden.length}\r\n\r\n${hidden}`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 4(04|31) /)
    expect(answer).not.toMatch(/smuggled/)
  })

  it("an offer behind a request that is still being answered waits for it", async () => {
    const httpServer = createServer()
    httpServer.on("request", (request, response) => {
      setTimeout(() => response.end(`answer to ${request.url}`), request.url === "/slow" ? 150 : 0)
    })
    const port = await listening(httpServer)
    hawser().attach(httpServer)
    const slow = "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"
    for (const [offer, then] of [
      [`GET /next HTTP/1.1\r\n${h2c}\r\n`, /answer to \/slow.*answer to \/next/s],
      [webSocketRequest("/nobody"), /answer to \/slow.*HTTP\/1\.1 404/s],
      [webSocketRequest("/ws"), /answer to \/slow.*HTTP\/1\.1 101/s],
    ] as const) {
      const { socket, read } = await openPeer(port)
      socket.write(slow + offer)
      await until(() => then.test(read()))
      socket.destroy()
      await resetAfter(port, slow + offer)
    }
  })

  it("a reset while the request before an offer is answered has no effect", async () => {
    const httpServer = createServer()
    const answers: (() => void)[] = []
    httpServer.on("request", (_, response) => answers.push(() => response.end("late")))
    const port = await listening(httpServer)
    hawser().attach(httpServer)
    for (const offer of [
      `GET /next HTTP/1.1\r\n${h2c}\r\n`,
      webSocketRequest("/nobody"),
      webSocketRequest("/ws"),
    ]) {
      const { socket } = await openPeer(port)
      socket.write(`GET /slow HTTP/1.1\r\nHost: a\r\n\r\n${offer}`)
      await until(() => answers.length > 0)
      await new Promise((resolve) => setTimeout(resolve, 50))
      // The answer meets the reset before the server has read it.
      socket.resetAndDestroy()
      answers.shift()?.()
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect(httpServer.listening).toBe(true)
  })

  it("many offers of one socket leave no listeners behind", async () => {
    const warnings: Error[] = []
    const onWarning = (warning: Error): void => void warnings.push(warning)
    process.on("warning", onWarning)
    onTestFinished(() => void process.off("warning", onWarning))
    const { port } = await hawser().listen({ host: "127.0.0.1" })
    const { socket, read } = await openPeer(port)
    for (let count = 1; count <= 100; count += 1) {
      socket.write(`GET /healthz HTTP/1.1\r\n${h2c}\r\n`)
      await until(() => read().split("ok\n").length > count)
    }
    expect(warnings).toEqual([])
  })
})
