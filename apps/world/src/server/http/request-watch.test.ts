import { connect } from "node:net"
import type { Socket } from "node:net"
import { describe, expect, it, onTestFinished, vi } from "vitest"
import { createApp, serveApp } from "./handler.ts"
import { openHttpServer } from "./http-server.ts"
import { contentReply } from "./reply.ts"
import { readBody } from "./request-body.ts"
import type { RequestBounds, RequestDrop } from "./request-watch.ts"
import type { Route } from "./route.ts"

/** More than the kernel's buffers of both peers hold. */
const large = Buffer.alloc(32 * 1024 * 1024)

interface Opened {
  readonly socket: Socket
  readonly dropped: readonly RequestDrop[]
  readonly received: () => string
  readonly closed: Promise<unknown>
  readonly requestsUnderWay: () => number
}

const long: RequestBounds = { bodyMs: 60_000, stalledMs: 60_000, answerMs: 60_000 }

const contentType = "application/octet-stream"

function routeOf(method: "GET" | "POST", path: string, bytes: string | Uint8Array): Route {
  return {
    method,
    path,
    summary: "",
    replies: {},
    async answer({ env }) {
      await readBody(env.incoming)
      return contentReply(bytes, { contentType, caching: "no-cache" })
    },
  }
}

/** Connects to a server that reads bodies, and answers `/large` with 32 MB. */
async function open(bounds: Partial<RequestBounds>): Promise<Opened> {
  const dropped: RequestDrop[] = []
  const faults: unknown[] = []
  const onFault = (error: unknown): void => void faults.push(error)
  const routes = [routeOf("POST", "/", "small"), routeOf("GET", "/large", large)]
  const app = createApp(routes, () => Promise.resolve(undefined), onFault)
  const server = await openHttpServer({
    handler: serveApp(app, onFault),
    host: "127.0.0.1",
    port: 0,
    attach: () => {},
    onError: () => {},
    onDropped: (reason) => dropped.push(reason),
    bounds: { ...long, ...bounds },
  })
  const socket = connect(server.port, "127.0.0.1")
  onTestFinished(async () => {
    socket.destroy()
    await server.close()
    expect(faults).toEqual([])
  })
  const { requestsUnderWay } = server
  let received = ""
  socket.on("error", () => {})
  socket.on("data", (chunk) => (received += chunk.toString("latin1", 0, 40)))
  return {
    socket,
    dropped,
    received: () => received,
    closed: new Promise((resolve) => socket.once("close", resolve)),
    requestsUnderWay,
  }
}

const head = (line: string, ...headers: string[]): string =>
  `${[`${line} HTTP/1.1`, "Host: x", ...headers].join("\r\n")}\r\n\r\n`

/** Writes a byte every 20 ms until the socket is closed. */
async function trickle({ socket, closed }: Opened, text: string): Promise<void> {
  const timer = setInterval(() => socket.writable && socket.write(text), 20)
  await closed
  clearInterval(timer)
}

describe("door-2 a connection whose request or answer takes too long", () => {
  it.each([
    ["Content-Length: 5000", " "],
    ["Transfer-Encoding: chunked", "1\r\n \r\n"],
  ])("is closed with 408 while its body trickles in (%s)", async (header, text) => {
    const opened = await open({ bodyMs: 300 })
    opened.socket.write(head("POST /", header))
    await trickle(opened, text)
    expect(opened.received()).toMatch(/^HTTP\/1\.1 408 /)
    expect(opened.dropped).toEqual(["body"])
  })

  it("is closed if its peer does not read the answer", async () => {
    const opened = await open({ stalledMs: 300 })
    opened.socket.pause()
    opened.socket.write(head("GET /large"))
    await vi.waitFor(() => expect(opened.dropped).toEqual(["answer"]), { timeout: 10_000 })
    opened.socket.resume()
    await opened.closed
  })

  it("is closed if its peer keeps sending requests, but does not read", async () => {
    const opened = await open({ stalledMs: 300 })
    opened.socket.pause()
    opened.socket.write(head("GET /large").repeat(10))
    await vi.waitFor(() => expect(opened.requestsUnderWay()).toBe(10))
    await trickle(opened, "\r\n")
    expect(opened.dropped).toEqual(["answer"])
    // Requests whose turn did not come are removed too.
    await vi.waitFor(() => expect(opened.requestsUnderWay()).toBe(0))
  })

  it("is closed if its answer is taken steadily, but too slowly", async () => {
    const opened = await open({ stalledMs: 5_000, answerMs: 1_500 })
    opened.socket.pause()
    opened.socket.write(head("GET /large"))
    const timer = setInterval(() => void opened.socket.read(), 50)
    await vi.waitFor(() => expect(opened.dropped).toEqual(["answer"]), { timeout: 10_000 })
    clearInterval(timer)
    opened.socket.resume()
    await opened.closed
  })

  it("stays open if its answer is taken steadily", async () => {
    const { socket, dropped } = await open({ stalledMs: 2_500 })
    socket.pause()
    socket.write(head("GET /large"))
    const timer = setInterval(() => void socket.read(), 20)
    onTestFinished(() => clearInterval(timer))
    const endMs = performance.now() + 4_000
    await vi.waitFor(() => expect(performance.now()).toBeGreaterThan(endMs), { timeout: 6_000 })
    expect(socket.bytesRead).toBeLessThan(large.length)
    expect(dropped).toEqual([])
  })

  it("receives large answers completely, also pipelined ones", async () => {
    const { socket, closed, dropped } = await open({ stalledMs: 5_000, answerMs: 20_000 })
    let bytes = 0
    socket.on("data", (chunk) => (bytes += chunk.length))
    socket.write(head("GET /large").repeat(2) + head("GET /large", "Connection: close"))
    await closed
    expect(bytes).toBeGreaterThanOrEqual(3 * large.length)
    expect(bytes).toBeLessThan(3 * large.length + 3_000)
    expect(dropped).toEqual([])
  })

  it("stays open if it reads its answers, for any number of consecutive ones", async () => {
    const opened = await open({ bodyMs: 1_000, stalledMs: 1_000, answerMs: 1_000 })
    const endMs = performance.now() + 2_500
    for (let turn = 1; performance.now() < endMs; turn += 1) {
      opened.socket.write(head("POST /", "Content-Length: 1"))
      opened.socket.write("x")
      await vi.waitFor(() => expect(opened.received().match(/200 OK/g)).toHaveLength(turn))
    }
    expect(opened.dropped).toEqual([])
    expect(opened.socket.closed).toBe(false)
  })
})
