// The server of the browser tests: the page and the WebSocket on one origin, directly or by a proxy that can be cut.
// The page's policy allows scripts and connections of its origin, and two more ports without a server.
import { createClient } from "@hawser/client"
import type { Client } from "@hawser/client"
import type { ServerLimits } from "@hawser/protocol"
import { createServer } from "@hawser/server"
import type { Server } from "@hawser/server"
import { once } from "node:events"
import { createServer as createHttpServer } from "node:http"
import type { Server as HttpServer } from "node:http"
import { createServer as createTcpServer } from "node:net"
import type { Server as TcpServer } from "node:net"
import WebSocket from "ws"
import { startChaosProxy } from "../chaos/proxy.ts"
import type { ChaosProxy } from "../chaos/proxy.ts"
import { freePort } from "../world/free-port.ts"
import { buildPage } from "./build-page.ts"
import { contract } from "./page/contract.ts"

interface User {
  readonly id: string
}

/** A way to the server, from one origin. */
export interface Door {
  /** `http://127.0.0.1:PORT`, without a slash at its end. */
  readonly origin: string
  readonly webSocketUrl: string
}

export interface Host extends Door {
  readonly server: Server<typeof contract, User>
  /** The same through a proxy that can be cut. */
  readonly proxied: Door & { readonly proxy: ChaosProxy }
  /** An address that the page's policy allows, without a server. */
  readonly deadUrl: string
  /** An address that the policy allows, whose server resets each connection. */
  readonly hangUpUrl: string
  /** Numbers of each user's commands, in the order of their handling. */
  received(user: string): number[]
  /** Called before a command is answered. */
  onSay: (user: string) => void
  /** Errors that the server reported. */
  readonly errors: unknown[]
  /** A client in this process, in the room. */
  watcher(): Promise<Client<typeof contract>>
  close(): Promise<void>
}

const html = `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8" /><title>Hawser</title><link rel="icon" href="data:,"><script type="module" src="/main.js"></script></head>
  <body><h1>Hawser in a browser</h1></body>
</html>`
const otherHtml = `<!doctype html><html lang="en"><head><title>Elsewhere</title></head><body><h1>Elsewhere</h1></body></html>`

/** HTTP server with the page and its scripts; does not listen yet. */
async function servePage(otherPorts: readonly number[]): Promise<HttpServer> {
  const files = await buildPage()
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "worker-src 'self'",
    "img-src data:",
    ["connect-src 'self'", ...otherPorts.map((port) => `ws://127.0.0.1:${port}`)].join(" "),
  ].join("; ")
  const pages = new Map([
    ["/", html],
    ["/elsewhere", otherHtml],
  ])
  return createHttpServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname
    const [page, code] = [pages.get(path), files.get(path.slice(1))]
    const type = code === undefined ? "text/html" : "text/javascript"
    const headers = { "content-type": `${type}; charset=utf-8`, "content-security-policy": policy }
    if (page === undefined && code === undefined) response.writeHead(404).end()
    else response.writeHead(200, headers).end(page ?? code)
  })
}

async function portOf(server: TcpServer): Promise<number> {
  await once(server.listen(0, "127.0.0.1"), "listening")
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("the server has no port")
  return address.port
}

function doorAt(port: number): Door {
  return { origin: `http://127.0.0.1:${port}`, webSocketUrl: `ws://127.0.0.1:${port}/ws` }
}

function addHandlers(server: Host["server"]): void {
  server.query("echo", ({ input }) => input)
  server.stream("count", async function* ({ input }) {
    for (let n = 1; n <= input.to; n += 1) yield { n }
  })
  server.topicKind("room", { canJoin: () => true, canPublish: () => true, history: {} })
  const boats = server.replica("boats")
  boats.set("tern", { name: "Tern", cargo: 3 })
  server.onSession(({ session }) => boats.view(session))
}

export async function startHost(limits: Partial<ServerLimits> = {}): Promise<Host> {
  const deadPort = await freePort()
  const hangUp = createTcpServer((socket) => socket.resetAndDestroy())
  const hangUpPort = await portOf(hangUp)
  const http = await servePage([deadPort, hangUpPort])
  const errors: unknown[] = []
  const heardByUser = new Map<string, number[]>()
  const received = (user: string): number[] => {
    const known = heardByUser.get(user) ?? []
    heardByUser.set(user, known)
    return known
  }
  const server = createServer(contract, {
    authenticate: (token): User => ({ id: token }),
    limits: { userMessagesPerSecond: 10_000, userMessageBurst: 10_000, ...limits },
    onError: (error) => errors.push(error),
  })
  addHandlers(server)
  server.command("say", ({ input, session }) => {
    const { id } = session.user
    received(id).push(input.n)
    session.send("news", input)
    host.onSay(id)
    return input
  })
  server.attach(http)
  const port = await portOf(http)
  const proxy = await startChaosProxy({ to: { host: "127.0.0.1", port } })
  const host: Host = {
    server,
    ...doorAt(port),
    proxied: { ...doorAt(proxy.port), proxy },
    deadUrl: `ws://127.0.0.1:${deadPort}/ws`,
    hangUpUrl: `ws://127.0.0.1:${hangUpPort}/ws`,
    received,
    onSay: () => {},
    errors,
    async watcher() {
      const client = createClient(contract, {
        url: host.webSocketUrl,
        token: "watcher",
        webSocket: WebSocket,
      })
      await client.connect()
      await client.topic("room").join({ state: { tab: "watcher" } })
      return client
    },
    async close() {
      await proxy.close()
      await server.close()
      hangUp.close()
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
  return host
}
