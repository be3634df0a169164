// A server on a real port, and the peers that meet it: a raw WebSocket that knows frames, and a TCP socket that
// has done the upgrade by hand and does nothing else by itself.
import { createClient } from "@hawser/client"
import type { Client, ClientOptions } from "@hawser/client"
import {
  HawserError,
  TypeTable,
  clientMessageLimits,
  contractTypes,
  createEnvelopeCodec,
  createFrameCodec,
} from "@hawser/protocol"
import { defineContract, subprotocol, wireVersion } from "@hawser/protocol"
import type { BadFrame, Codec, Frame, Profile, ServerLimits } from "@hawser/protocol"
import { createServer } from "@hawser/server"
import type { Server, ServerOptions, SessionEnded } from "@hawser/server"
import { randomUUID } from "node:crypto"
import { once } from "node:events"
import { connect } from "node:net"
import type { Socket } from "node:net"
import { expect, onTestFinished, vi } from "vitest"
import { WebSocket } from "ws"
import { z } from "zod"

export const profiles: readonly Profile[] = ["hawser.1", "2.0"]

const contract = defineContract({
  name: "sockets",
  commands: {
    echo: { input: z.object({ text: z.string() }), output: z.object({ text: z.string() }) },
    never: { input: z.object({}), output: z.object({}) },
  },
  queries: { look: { input: z.object({}), output: z.object({ seen: z.number() }) } },
  events: {
    note: { payload: z.object({ text: z.string() }) },
    where: {
      payload: z.object({ who: z.string(), x: z.number() }),
      delivery: "volatile",
      key: ({ who }) => who,
    },
    blip: { payload: z.object({ x: z.number() }), delivery: "volatile" },
  },
})

export type SocketContract = typeof contract
export interface SocketUser {
  readonly id: string
}

export interface SocketServer {
  readonly server: Server<SocketContract, SocketUser>
  readonly port: number
  readonly url: string
  readonly errors: unknown[]
  /** Called for every request that reaches a handler, with its text. */
  readonly handler: ReturnType<typeof vi.fn<(text: string) => void>>
  readonly authenticate: ReturnType<typeof vi.fn<(token: string) => SocketUser | Promise<SocketUser>>>
  readonly ended: SessionEnded<SocketUser, SocketContract>[]
  client(options?: Partial<ClientOptions>): Client<SocketContract>
}

export interface SocketServerOptions extends Partial<
  Omit<ServerOptions<SocketContract, SocketUser>, "limits">
> {
  readonly limits?: Partial<ServerLimits>
  readonly port?: number
}

export type IdleServer = Server<SocketContract, SocketUser>

/** A server that does not listen yet; the end of the test closes it. Tokens are user names; "bad…" is refused. */
export function createIdle(
  options: Omit<SocketServerOptions, "port"> = {},
): Omit<SocketServer, "port" | "url" | "client"> {
  const errors: unknown[] = []
  const ended: SessionEnded<SocketUser, SocketContract>[] = []
  const handler = vi.fn<(text: string) => void>()
  const authenticate = vi.fn((token: string): SocketUser | Promise<SocketUser> => {
    if (token.startsWith("bad")) throw new HawserError("auth_token_invalid")
    return { id: token }
  })
  const server = createServer(contract, { authenticate, onError: (error) => errors.push(error), ...options })
  server.command("echo", ({ input }) => {
    handler(input.text)
    return input
  })
  server.command("never", () => {
    handler("never")
    return new Promise<never>(() => {})
  })
  server.query("look", () => {
    handler("look")
    return { seen: handler.mock.calls.length }
  })
  server.onSessionEnd((end) => ended.push(end))
  onTestFinished(() => server.close())
  return { server, errors, handler, authenticate, ended }
}

/** The same, listening on 127.0.0.1. */
export async function startServer({ port = 0, ...options }: SocketServerOptions = {}): Promise<SocketServer> {
  const idle = createIdle(options)
  const { server, errors } = idle
  const listening = await server.listen({ port, host: "127.0.0.1" })
  const client = (overrides: Partial<ClientOptions> = {}): Client<SocketContract> => {
    const made = createClient(contract, {
      url: listening.url,
      token: "ann",
      webSocket: WebSocket,
      autoConnect: false,
      onError: (error) => errors.push(error),
      ...overrides,
    })
    onTestFinished(() => made.close())
    return made
  }
  return { ...idle, port: listening.port, url: listening.url, client }
}

/** A user's connection is gone. In `2.0` the session has ended with it, once; in `hawser.1` it waits for its client. */
export async function expectLeft(world: SocketServer, profile: Profile, userId: string): Promise<void> {
  await until(() => world.server.sessionsOf(userId).every(({ attached }) => !attached))
  const ended = world.ended.map(({ cause, session }) => [session.user.id, cause])
  const sessions = world.server.sessionsOf(userId).map(({ active, attached }) => ({ active, attached }))
  expect(ended).toEqual(profile === "2.0" ? [[userId, "connection_lost"]] : [])
  expect(sessions).toEqual(profile === "2.0" ? [] : [{ active: true, attached: false }])
}

/** Looks again after every turn of the event loop; the test's own timeout is the bound. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await nextTurn()
}

export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** A codec at the client's end. It knows the type numbers beforehand, so that it can speak out of turn. */
export function clientCodec(profile: Profile): Codec {
  return profile === "hawser.1"
    ? createFrameCodec(new TypeTable(contractTypes(contract)), clientMessageLimits)
    : createEnvelopeCodec({ limits: clientMessageLimits, wallClockMs: Date.now })
}

export function helloBytes(profile: Profile, token = "ann"): Uint8Array {
  return clientCodec(profile).encode({
    kind: "hello",
    version: wireVersion,
    token,
    reference: "hello",
    clientId: randomUUID(),
    dial: 1,
  })
}

export function echoBytes(profile: Profile, text = "x", reference = "1"): Uint8Array {
  const frame: Frame = {
    kind: "request",
    call: "command",
    type: "echo",
    payload: { text },
    budgetMs: 0,
    reference,
  }
  return clientCodec(profile).encode(frame)
}

export interface Closed {
  readonly code: number
  readonly reason: string
}

export type Received = Frame | BadFrame

/** A WebSocket that shows every frame it got, in order. */
export class RawPeer {
  readonly socket: WebSocket
  readonly profile: Profile
  readonly frames: Received[] = []
  readonly closed: Promise<Closed>
  readonly #codec: Codec

  constructor(socket: WebSocket, profile: Profile) {
    this.socket = socket
    this.profile = profile
    this.#codec = clientCodec(profile)
    socket.on("message", (content) => {
      if (Buffer.isBuffer(content)) this.frames.push(this.#codec.decode(content, 0))
    })
    // `close` always follows.
    socket.on("error", () => {})
    this.closed = new Promise((resolve) => {
      socket.on("close", (code, reason) => resolve({ code, reason: reason.toString("utf8") }))
    })
    onTestFinished(() => socket.terminate())
  }

  send(bytes: Uint8Array | string): void {
    this.socket.send(bytes)
  }

  /** The first frame of this kind, already here or still to come. */
  async next(kind: Received["kind"]): Promise<Received> {
    for (;;) {
      const found = this.frames.find((frame) => frame.kind === kind)
      if (found !== undefined) return found
      await once(this.socket, "message")
    }
  }

  /** The error that the server sent last, and how it closed: what a refused peer gets to know. */
  async refusal(): Promise<{ said: string | undefined; code: number; reason: string }> {
    const { code, reason } = await this.closed
    const last = this.frames.at(-1)
    if (last?.kind === "bye") return { said: last.code, code, reason }
    const failed = last?.kind === "reply" && !last.outcome.ok ? last.outcome.error.code : undefined
    return { said: failed, code, reason }
  }
}

/** An open socket that has not authenticated. */
export async function openRaw(
  url: string,
  profile: Profile,
  headers: Record<string, string> = {},
): Promise<RawPeer> {
  const peer = new RawPeer(new WebSocket(url, profile === "2.0" ? [] : [subprotocol], { headers }), profile)
  await once(peer.socket, "open")
  return peer
}

export async function openRawSession(url: string, profile: Profile, token = "ann"): Promise<RawPeer> {
  const peer = await openRaw(url, profile)
  peer.send(helloBytes(profile, token))
  await peer.next("welcome")
  return peer
}

/** TCP with the upgrade done by hand: it answers nothing, no ping and no close. */
export async function openTcp(port: number, profile: Profile): Promise<Socket> {
  const socket = connect(port, "127.0.0.1")
  socket.on("error", () => {})
  onTestFinished(() => void socket.destroy())
  socket.write(upgradeRequest(port, profile === "2.0" ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]))
  await once(socket, "data")
  return socket
}

export function upgradeRequest(port: number, headers: readonly string[]): string {
  const lines = [
    "GET /ws HTTP/1.1",
    `Host: 127.0.0.1:${port}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
  ]
  return `${lines.join("\r\n")}\r\n\r\n`
}

/** A client's binary frame of less than 126 bytes. The mask is zero, so the content stays readable. */
export function maskedFrame(content: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(0x82, 0x80 | content.length, 0, 0, 0, 0), content])
}

export async function openTcpSession(port: number, profile: Profile, token = "ann"): Promise<Socket> {
  const socket = await openTcp(port, profile)
  socket.write(maskedFrame(helloBytes(profile, token)))
  await once(socket, "data")
  return socket
}
