import { defaultServerLimits, defineContract } from "@hawser/protocol"
import { TypeTable, createFrameCodec, wireVersion } from "@hawser/protocol/core"
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest"
import { mountOnBun, serveWithBun } from "./bun.ts"
import { profile20 } from "./profile20/index.ts"
import { createServer } from "./server.ts"
import type { Authenticate, AuthenticatedUser } from "./base/authenticate.ts"
import type { BunServeOptions, BunServer, BunSocket } from "./transport/bun-api.ts"

const helloBytes = createFrameCodec(new TypeTable([]), defaultServerLimits.message).encode({
  kind: "hello",
  version: wireVersion,
  token: "cookie",
  reference: "hello",
  clientId: "tab",
  dial: 1,
})

function create(authenticate: Authenticate<AuthenticatedUser> = (id) => ({ id })) {
  const contract = defineContract({ name: "bun", commands: {}, queries: {}, events: {} })
  const server = createServer(contract, {
    profile20: profile20(),
    authenticate,
    onError() {},
  })
  onTestFinished(() => server.close())
  return server
}

interface Opened {
  readonly options: BunServeOptions
  stopped: boolean
}

/** Bun runtime that opens no port. */
function stubBun(version = "1.4.4"): Opened[] {
  const opened: Opened[] = []
  vi.stubGlobal("Bun", {
    version,
    serve(options: BunServeOptions) {
      const one: Opened = { options, stopped: false }
      opened.push(one)
      return { port: options.port === 0 ? 31_000 : options.port, stop: async () => void (one.stopped = true) }
    },
  })
  return opened
}

afterEach(() => vi.unstubAllGlobals())

describe("the runtime", () => {
  it("must be Bun", async () => {
    await expect(serveWithBun(create())).rejects.toThrow(
      new TypeError("this is not Bun; on Node a server has `listen`"),
    )
    expect(() => mountOnBun(create())).toThrow(TypeError)
  })

  it.each(["1.4.3", "1.3.9", "0.9.9", "1.4.3-canary.1"])("must not be Bun %s", async (version) => {
    stubBun(version)
    const refusal = `Bun 1.4.4 or later is needed; this is ${version}`
    await expect(serveWithBun(create())).rejects.toThrow(new TypeError(refusal))
  })

  it.each(["1.4.4", "1.4.10", "1.5.0", "2.0.0", "1.4.5-canary.20261120.1"])(
    "may be Bun %s",
    async (version) => {
      stubBun(version)
      expect(await serveWithBun(create(), { port: 8_080 })).toEqual({
        port: 8_080,
        url: "ws://localhost:8080/ws",
      })
    },
  )
})

describe("serveWithBun", () => {
  it("takes any free port, and names the host", async () => {
    const opened = stubBun()
    expect(await serveWithBun(create(), { host: "::1" })).toEqual({
      port: 31_000,
      url: "ws://[::1]:31000/ws",
    })
    expect(opened[0]?.options).toMatchObject({ port: 0, hostname: "::1", development: false, idleTimeout: 5 })
    await serveWithBun(create())
    expect(opened[1]?.options).not.toHaveProperty("hostname")
  })

  it("is stopped by close(), and throws on a later call", async () => {
    const opened = stubBun()
    const server = create()
    await serveWithBun(server)
    expect(opened[0]?.stopped).toBe(false)
    await server.close()
    expect(opened[0]?.stopped).toBe(true)
    await expect(serveWithBun(server)).rejects.toMatchObject({ code: "server_shutdown" })
    expect(opened.every(({ stopped }) => stopped)).toBe(true)
  })
})

/** Socket that Bun has opened. It takes and sends nothing. */
class SilentSocket implements BunSocket {
  data: unknown

  constructor(data: unknown) {
    this.data = data
  }

  sendBinary(bytes: Uint8Array): number {
    return bytes.length
  }
  cork(write: (socket: BunSocket) => void): void {
    write(this)
  }
  getBufferedAmount(): number {
    return 0
  }
  close(): void {}
  terminate(): void {}
  ping(): number {
    return 0
  }
  pause(): void {}
  resume(): void {}
}

/** Bun server that refuses upgrades and records their options. */
class NoUpgrades implements BunServer {
  readonly asked: Record<string, string>[] = []

  upgrade(_request: Request, { headers }: { readonly headers: Record<string, string> }): boolean {
    this.asked.push(headers)
    return false
  }

  requestIP(): { readonly address: string } {
    return { address: "198.51.100.1" }
  }
}

describe("mountOnBun", () => {
  const upgrade = { connection: "keep-alive, Upgrade", upgrade: "websocket" }
  const url = "http://game.example/ws"
  const request = (headers: Record<string, string>, to = url): Request => new Request(to, { headers })

  it("throws once the server is closed", async () => {
    stubBun()
    const server = create()
    await server.close()
    expect(() => mountOnBun(server)).toThrow("the server is closed")
  })

  it("upgrades with the chosen subprotocol, and answers 400 if Bun does not upgrade", () => {
    stubBun()
    const { fetch } = mountOnBun(create())
    const bun = new NoUpgrades()
    expect(fetch(request(upgrade), bun)?.status).toBe(400)
    expect(fetch(request({ ...upgrade, "sec-websocket-protocol": "chat, hawser.1" }), bun)?.status).toBe(400)
    expect(bun.asked).toEqual([{}, { "Sec-WebSocket-Protocol": "hawser.1" }])
  })

  it("passes the header fields of the upgrade to authenticate", async () => {
    stubBun()
    const cookies: unknown[] = []
    const sockets: SilentSocket[] = []
    const server = create((id, { headers }) => {
      cookies.push(headers?.get("Cookie"), headers?.get("authorization"))
      return { id }
    })
    const { fetch, websocket } = mountOnBun(server)
    const offered = { ...upgrade, "sec-websocket-protocol": "hawser.1", cookie: "sid=1" }
    const bun: BunServer = {
      upgrade(_request, { data }) {
        const socket = new SilentSocket(data)
        sockets.push(socket)
        websocket.open(socket)
        websocket.message(socket, helloBytes)
        return true
      },
      requestIP: () => ({ address: "198.51.100.1" }),
    }
    expect(fetch(request(offered), bun)).toBeUndefined()
    await vi.waitFor(() => expect(cookies).toEqual(["sid=1", undefined]))
    for (const socket of sockets) websocket.close(socket, 1_000, "")
  })

  it.each<[number, string, Record<string, string>]>([
    [200, "http://game.example/healthz", {}],
    [426, "http://game.example/", {}],
    [426, url, { connection: "keep-alive", upgrade: "websocket" }],
    [404, "http://game.example/other", upgrade],
    [403, url, { ...upgrade, origin: "https://evil.example" }],
    [400, url, { ...upgrade, "sec-websocket-protocol": "chat" }],
  ])("answers %i to %s with %o", (status, to, headers) => {
    stubBun()
    const bun = new NoUpgrades()
    expect(mountOnBun(create()).fetch(request(headers, to), bun)?.status).toBe(status)
    expect(bun.asked).toEqual([])
  })

  it("answers 503 with a wait when the server is closed", async () => {
    stubBun()
    const server = create()
    const hawser = mountOnBun(server)
    await server.close()
    const response = hawser.upgrade(request(upgrade), new NoUpgrades())
    expect(response?.status).toBe(503)
    expect(response?.headers.get("retry-after")).toBe("1")
    expect(server.stats().upgradesRefusedByReason).toMatchObject({ shutting_down: 1 })
  })
})
