// A real server, clients over real sockets, and React in a document. The end of a test removes all of them.
import { createClient } from "@hawser/client"
import type { Client, ClientOptions } from "@hawser/client"
import { HawserError } from "@hawser/protocol"
import { createServer } from "@hawser/server"
import type { Server } from "@hawser/server"
import { createServer as createHttpServer } from "node:http"
import { once } from "node:events"
import { createElement, StrictMode } from "react"
import type { ReactNode } from "react"
import { flushSync } from "react-dom"
import { createRoot } from "react-dom/client"
import { expect, onTestFinished, vi } from "vitest"
import WebSocket from "ws"
import { contract } from "./contract.ts"

interface User {
  readonly id: string
}

export type TestClient = Client<typeof contract>

export interface World {
  readonly server: Server<typeof contract, User>
  /** Joins and leaves of the topic hooks, such as `join ann chat:a`. */
  readonly topicCalls: string[]
  /** Streams that handlers have begun. */
  readonly streams: string[]
  /** Functions that answer the commands of "held". */
  readonly held: (() => void)[]
  /** Signals of the queries of "nowhere", which get no answer. */
  readonly signals: AbortSignal[]
  readonly url: string
  /** Number of sockets that were opened, logged in or not. */
  dials(): number
  /** Client that connects when a provider mounts. */
  client(token?: string, options?: Partial<ClientOptions>): TestClient
  /** Client of another user that is connected. */
  peer(token: string): Promise<TestClient>
}

type Recorded = Pick<World, "held" | "server" | "signals" | "streams" | "topicCalls">

function addHandlers({ held, server, signals, streams, topicCalls }: Recorded): void {
  server.command("greet", async ({ input }) => {
    if (input.name === "held") await new Promise<void>((answer) => held.push(answer))
    if (input.name === "nobody") throw new HawserError("forbidden")
    return { text: `hello, ${input.name}` }
  })
  server.command("announce", ({ input }) => server.broadcast("news", input))
  server.query("look", ({ input, signal }) => {
    if (input.at !== "nowhere") return { seen: input.at.length }
    signals.push(signal)
    return new Promise<never>(() => {})
  })
  server.query("nothing", () => undefined)
  server.stream("count", async function* ({ input, signal }) {
    streams.push(`${input.to}`)
    for (let n = 1; n <= input.to && !signal.aborted; n += 1) {
      if (n === input.failAt) throw new HawserError("forbidden")
      yield n
    }
  })
  server.stream("rare", () => [1])
  const hooks = {
    canJoin: () => true,
    canPublish: () => true,
    history: {},
    onJoin: ({ topic, member }: { topic: string; member: { user: string } }) =>
      topicCalls.push(`join ${member.user} ${topic}`),
    onLeave: ({ topic, member }: { topic: string; member: { user: string } }) =>
      topicCalls.push(`leave ${member.user} ${topic}`),
  }
  server.topicKind("chat", hooks)
  server.topicKind("lobby", hooks)
  server.topicKind("vault", { canJoin: () => false })
}

export async function startWorld(): Promise<World> {
  const server = createServer(contract, {
    authenticate: (token): User => ({ id: token }),
    limits: { presenceTickMs: 1 },
  })
  const recorded: Recorded = { held: [], server, signals: [], streams: [], topicCalls: [] }
  addHandlers(recorded)
  const http = createHttpServer()
  let dials = 0
  http.on("upgrade", () => (dials += 1))
  server.attach(http)
  await once(http.listen(0, "127.0.0.1"), "listening")
  const address = http.address()
  if (address === null || typeof address === "string") throw new Error("the server has no port")
  const url = `ws://127.0.0.1:${address.port}/ws`
  onTestFinished(async () => {
    await server.close()
    http.close()
  })
  const client = (token = "ann", options: Partial<ClientOptions> = {}): TestClient => {
    const made = createClient(contract, { url, token, webSocket: WebSocket, autoConnect: false, ...options })
    onTestFinished(() => made.close())
    return made
  }
  return {
    ...recorded,
    url,
    dials: () => dials,
    client,
    async peer(token) {
      const peer = client(token)
      await peer.connect()
      return peer
    },
  }
}

export interface Page {
  readonly container: HTMLElement
  /** Text of the document. */
  text(): string
  /** Renders at once; effects have run when it returns. */
  render(node: ReactNode): void
  unmount(): void
  /** Waits until the document shows this text. */
  shows(text: string): Promise<void>
}

export interface PageOptions {
  readonly strict?: boolean
}

/** A document with one root. */
export function openPage({ strict = false }: PageOptions = {}): Page {
  const container = document.createElement("div")
  document.body.append(container)
  const root = createRoot(container)
  const unmount = (): void => flushSync(() => root.unmount())
  onTestFinished(() => {
    unmount()
    container.remove()
  })
  return {
    container,
    text: () => container.textContent,
    render: (node) => flushSync(() => root.render(strict ? createElement(StrictMode, null, node) : node)),
    unmount,
    shows: (text) => eventually(() => expect(container.textContent).toBe(text)),
  }
}

/** Repeats a check until it holds. */
export async function eventually(check: () => void | Promise<void>): Promise<void> {
  await vi.waitFor(check, { timeout: 10_000, interval: 5 })
}

/** Collects unhandled rejections of the process instead of failing the test. */
export function collectUnhandled(): unknown[] {
  const unhandled: unknown[] = []
  const before = process.listeners("unhandledRejection")
  process.removeAllListeners("unhandledRejection")
  process.on("unhandledRejection", (error) => unhandled.push(error))
  onTestFinished(() => {
    process.removeAllListeners("unhandledRejection")
    for (const listener of before) process.on("unhandledRejection", listener)
  })
  return unhandled
}
