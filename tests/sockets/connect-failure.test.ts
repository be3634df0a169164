// Sockets that never open: the client's error contains the known cause. A browser gives no cause, so one hint names the
// possible ones. Real sockets of the library `ws`, and a WebSocket as in browsers.
import { createClient, defineContract } from "@hawser/client"
import type { ClientOptions, WebSocketConstructor } from "@hawser/client"
import { createClient as createCoreClient } from "@hawser/client/core"
import { HawserError } from "@hawser/protocol"
import { SimulatedClock } from "@hawser/protocol/testing"
import { createServer as createHttpServer } from "node:http"
import type { ServerResponse } from "node:http"
import { createServer as createTcpServer } from "node:net"
import type { AddressInfo, Server } from "node:net"
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest"
import { WebSocket } from "ws"
import { openRawSession, startServer } from "./harness.ts"
import { describeOver } from "./transports.ts"

function containing(text: string): unknown {
  return expect.stringContaining(text)
}

const contract = defineContract({ name: "never-opened" })

type Create = (options: ClientOptions) => { connect(): Promise<unknown> }
const full: Create = (options) => createClient(contract, options)
const core: Create = (options) => createCoreClient(contract, options)

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => void server.close())
  const address: AddressInfo | string | null = server.address()
  if (address === null || typeof address === "string") throw new Error("no port")
  return address.port
}

/** A port without a listener. */
async function closedPort(): Promise<number> {
  const server = createTcpServer()
  const port = await listening(server)
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Error of a client that makes one attempt. */
async function failureOf(url: string, options: Partial<ClientOptions> = {}): Promise<HawserError> {
  const client = createClient(contract, {
    url,
    token: "ann",
    webSocket: WebSocket,
    reconnect: false,
    autoConnect: false,
    ...options,
  })
  onTestFinished(() => client.close())
  const error: unknown = await client.connect().catch((reason: unknown) => reason)
  const { current } = client
  expect(current).toMatchObject({ state: "closed", error })
  const cause = error instanceof Error ? error.cause : undefined
  if (!HawserError.is(cause)) throw new Error(`no HawserError behind ${String(error)}`)
  return cause
}

describe("a client of Node", () => {
  it("surprise-A6 reports a port without a listener", async () => {
    const port = await closedPort()
    const error = await failureOf(`ws://127.0.0.1:${port}/ws?token=secret`)
    expect(error).toMatchObject({
      code: "connection_failed",
      retry: "later",
      details: { networkCode: "ECONNREFUSED", closeCode: 1006 },
      cause: { code: "ECONNREFUSED" },
    })
    expect(error.message).toBe(
      `the connection to ws://127.0.0.1:${port}/ws never opened: nothing listens on 127.0.0.1:${port}: ` +
        "is the server running, and is the port right? (ECONNREFUSED)",
    )
  })

  it.each([
    [404, "is the path /deep/ws right?"],
    [403, "does the server allow this origin (its option `origins`)?"],
    [426, "does /deep/ws take WebSockets?"],
    [429, "too many connections come from this address"],
    [503, "the server is full, or shuts down"],
    [302, "the server answered HTTP 302"],
    [200, "the server answered HTTP 200"],
  ])("surprise-A6 reports the answer HTTP %d", async (status, sentence) => {
    const server = createHttpServer()
    server.on("upgrade", (_request, socket) => {
      socket.end(
        `HTTP/1.1 ${status} Said\r\nLocation: /other\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      )
    })
    const port = await listening(server)
    const error = await failureOf(`http://127.0.0.1:${port}/deep/ws`)
    expect(error).toMatchObject({
      code: "connection_failed",
      details: { httpStatus: status, closeCode: 1006 },
    })
    expect(error.message).toContain(`never opened: the server answered HTTP ${status}`)
    expect(error.message).toContain(sentence)
  })

  it("surprise-A6 reports a server without WebSockets", async () => {
    const server = createHttpServer((_request, response: ServerResponse) => {
      response.writeHead(404).end()
    })
    const port = await listening(server)
    expect(await failureOf(`ws://127.0.0.1:${port}/ws`)).toMatchObject({ details: { httpStatus: 404 } })
  })

  it("surprise-A6 reports a connection that the other end drops", async () => {
    const server = createTcpServer((socket) => {
      socket.on("error", () => {})
      socket.once("data", () => socket.resetAndDestroy())
    })
    const port = await listening(server)
    const error = await failureOf(`ws://127.0.0.1:${port}/`)
    expect(error).toMatchObject({ code: "connection_failed", details: { networkCode: "ECONNRESET" } })
  })

  it("surprise-A6 reports another end without TLS", async () => {
    const server = createHttpServer()
    const port = await listening(server)
    const error = await failureOf(`wss://127.0.0.1:${port}/`)
    expect(error.code).toBe("connection_failed")
    expect(error.message).toContain("never opened: ")
    expect(error.details?.["networkCode"]).toBeTypeOf("string")
  })

  it("surprise-A6 shows the cause in the status while it tries again, and in the error of a time limit", async () => {
    const port = await closedPort()
    const client = createClient(contract, {
      url: `ws://127.0.0.1:${port}/`,
      token: "ann",
      webSocket: WebSocket,
      reconnect: () => 600_000,
      autoConnect: false,
    })
    onTestFinished(() => client.close())
    const waiting = new Promise<unknown>((resolve) => {
      client.onStatus((status) => {
        if (status.state === "reconnecting" && status.waiting) resolve(status.error)
      })
    })
    const connected = client.connect({ timeoutMs: 300 }).catch((error: unknown) => error)
    expect(await waiting).toMatchObject({
      code: "connection_failed",
      details: { networkCode: "ECONNREFUSED" },
    })
    expect(await connected).toMatchObject({
      code: "connection_timeout",
      cause: { code: "connection_failed" },
      message: containing("nothing listens on"),
    })
    expect(client.current.state).toBe("reconnecting")
    expect(client.stats().handshakesFailedByCode).toEqual({ connection_failed: 1 })
  })
})

describeOver(["ws"], (transport) => {
  it("surprise-A6 reports 404 and 403 of this product's own server", async () => {
    const world = await startServer(transport)
    const wrongPath = await failureOf(world.url.replace(/\/ws$/, "/wrong"))
    expect(wrongPath).toMatchObject({ code: "connection_failed", details: { httpStatus: 404 } })
    expect(wrongPath.message).toContain("is the path /wrong right?")
    class Foreign extends WebSocket {
      constructor(url: string, protocols?: string[]) {
        super(url, protocols, { origin: "https://elsewhere.example" })
      }
    }
    expect(await failureOf(world.url, { webSocket: Foreign })).toMatchObject({ details: { httpStatus: 403 } })
    // The server itself works.
    await openRawSession(world, "hawser.1")
  })
})

describe("a browser, which gives no cause", () => {
  /** Fails as a browser's WebSocket does: a bare `error`, then `close` with a code of the engine. */
  function failingWebSocket(code: number): WebSocketConstructor {
    class Failing extends EventTarget {
      binaryType = ""
      readyState = 0
      readonly bufferedAmount = 0
      readonly protocol = ""
      constructor() {
        super()
        queueMicrotask(() => {
          this.readyState = 3
          this.dispatchEvent(new Event("error"))
          this.dispatchEvent(Object.assign(new Event("close"), { code, reason: "" }))
        })
      }
      send(): void {}
      close(): void {}
    }
    // oxlint-disable-next-line typescript/consistent-type-assertions -- the events have all required members
    return Failing as unknown as WebSocketConstructor
  }

  afterEach(() => {
    vi.unstubAllGlobals()
    vi.restoreAllMocks()
  })

  it("surprise-A11 closes the client where a socket is closed directly after its creation, as Chromium does for a policy", async () => {
    class Forbidden {
      binaryType = ""
      readonly readyState = 3
      readonly bufferedAmount = 0
      readonly protocol = ""
      /** The only event would be `error`. */
      addEventListener(): void {}
      send(): void {}
      close(): void {}
    }
    const client = createClient(contract, {
      url: "ws://game.example/ws",
      token: "ann",
      webSocket: Forbidden,
      autoConnect: false,
      onError: () => {},
    })
    await expect(client.connect()).rejects.toThrow("connect-src")
    expect(client.current).toMatchObject({ state: "closed", error: { code: "connection_failed" } })
  })

  it.each([
    [1006, "close code 1006, and nothing else is known here. Check: does the server run, at 127.0.0.1:1?"],
    [1015, "TLS failed: is the certificate good, and is it wss: rather than ws:? (close code 1015)"],
    [0, "close code 0, and nothing else is known here. Check: does the server run, at 127.0.0.1:1?"],
  ])("surprise-A6 reports a socket that never opened, closed with %d", async (code, why) => {
    const error = await failureOf("ws://127.0.0.1:1/ws", { webSocket: failingWebSocket(code) })
    expect(error).toMatchObject({ code: "connection_failed", details: { closeCode: code } })
    expect(error.message).toContain(`the connection to ws://127.0.0.1:1/ws never opened: ${why}`)
  })

  async function failTimes(times: number, url: string, create: Create = full): Promise<string[]> {
    const hints: string[] = []
    vi.spyOn(console, "warn").mockImplementation((text) => hints.push(String(text)))
    let failures = 0
    const client = create({
      url,
      token: "ann",
      webSocket: failingWebSocket(1006),
      reconnect: () => (++failures < times ? 0 : undefined),
      limits: { dialBurst: 100 },
      autoConnect: false,
    })
    await client.connect().catch(() => {})
    expect(failures).toBe(times)
    return hints
  }

  it("surprise-A6 shows one hint after the first failure, and no second one", async () => {
    vi.stubGlobal("location", {
      href: "http://game.example/",
      origin: "http://game.example",
      protocol: "http:",
    })
    const hints = await failTimes(5, "/ws")
    expect(hints).toHaveLength(1)
    for (const word of ["does the server run", "path", "http://game.example", "origins", "connect-src"])
      expect(hints[0]).toContain(word)
    expect(hints[0]).not.toContain("wss:")
  })

  it("surprise-A6 names causes that the page itself shows: mixed content, and no network", async () => {
    vi.stubGlobal("location", {
      href: "https://game.example/",
      origin: "https://game.example",
      protocol: "https:",
    })
    vi.stubGlobal("navigator", { onLine: false })
    const hints = await failTimes(2, "ws://game.example/ws")
    expect(hints).toHaveLength(1)
    expect(hints[0]).toContain("browsers refuse that: use wss:")
    expect(hints[0]).toContain("offline")
  })

  it("surprise-A6 shows the hint for a socket that takes too long, and none for one that the application closed", async () => {
    vi.stubGlobal("location", {
      href: "http://game.example/",
      origin: "http://game.example",
      protocol: "http:",
    })
    const hints: string[] = []
    vi.spyOn(console, "warn").mockImplementation((text) => hints.push(String(text)))
    const clock = new SimulatedClock()
    const silent = {
      bufferedBytes: 0,
      send: () => false,
      close() {},
      terminate() {},
      pause() {},
      resume() {},
    }
    const options = {
      url: "/ws",
      token: "ann",
      dial: () => silent,
      clock,
      reconnect: false,
      autoConnect: false,
    } as const
    const closed = createClient(contract, options)
    const ended = closed.connect().catch(() => "ended")
    await clock.advance(1_000)
    closed.close()
    expect([await ended, hints]).toEqual(["ended", []])
    const client = createClient(contract, options)
    const refused = client.connect().catch((error: unknown) => HawserError.is(error) && error.cause)
    await clock.advance(20_000)
    expect(await refused).toMatchObject({ code: "connection_timeout" })
    expect(hints).toHaveLength(1)
  })

  it.each([
    { name: "every feature", create: full, asks: 1 },
    { name: "the core", create: core, asks: 0 },
  ])(
    "asks by HTTP after three failed dials in Firefox with $name: $asks requests",
    async ({ create, asks }) => {
      const page = { href: "http://game.example/", origin: "http://game.example", protocol: "http:" }
      vi.stubGlobal("location", page)
      vi.stubGlobal("navigator", { onLine: true, userAgent: "Mozilla/5.0 Gecko/20100101 Firefox/140.0" })
      vi.stubGlobal("addEventListener", () => {})
      vi.stubGlobal("removeEventListener", () => {})
      const request = vi.fn(() => Promise.resolve({ status: 503 }))
      vi.stubGlobal("fetch", request)
      expect(await failTimes(4, "/ws", create)).toHaveLength(1)
      expect(request).toHaveBeenCalledTimes(asks)
    },
  )

  it("surprise-A6 shows no hint outside of browsers", async () => {
    expect(await failTimes(2, "ws://game.example/ws")).toEqual([])
  })
})
