// A server over one of the transports, and its peers: a raw socket that decodes frames, and a TCP socket that has sent
// the upgrade and does nothing else by itself.
import { createClient } from "@hawser/client"
import type { Client, ClientOptions } from "@hawser/client"
import {
  TypeTable,
  clientMessageLimits,
  contractTypes,
  createFrameCodec,
  subprotocol,
  wireVersion,
} from "@hawser/protocol/core"
import type { BadFrame, Codec, Frame, HelloFrame, Profile } from "@hawser/protocol/core"
import { createEnvelopeCodec } from "@hawser/protocol/profile20"
import { randomUUID } from "node:crypto"
import { once } from "node:events"
import { connect } from "node:net"
import type { Socket } from "node:net"
import { expect, onTestFinished } from "vitest"
import { webSockets } from "./raw-socket.ts"
import type { RawDial, RawSocket, Sockets } from "./raw-socket.ts"
import { contract } from "./server-program.ts"
import type { ServerControl, ServerSpec, SocketContract } from "./server-program.ts"
import type { Transport } from "./transports.ts"

export const profiles: readonly Profile[] = ["hawser.1", "2.0"]

export interface SocketServer extends ServerControl {
  readonly port: number
  readonly url: string
  readonly sockets: Sockets
  client(options?: Partial<ClientOptions>): Client<SocketContract>
}

/** A server that does not listen yet; the end of the test closes it. */
export async function createIdle(transport: Transport, spec: ServerSpec = {}): Promise<ServerControl> {
  const server = await transport.create(spec)
  onTestFinished(() => server.close())
  return server
}

/** A server that listens on 127.0.0.1; the end of the test closes it. */
export async function startServer(
  transport: Transport,
  { port = 0, ...spec }: ServerSpec & { readonly port?: number } = {},
): Promise<SocketServer> {
  const server = await createIdle(transport, spec)
  const listening = await server.listen({ port, host: "127.0.0.1" })
  const sockets = transport.sockets(server, listening)
  const clientErrors: string[] = []
  const client = (overrides: Partial<ClientOptions> = {}): Client<SocketContract> => {
    const made = createClient(contract, {
      ...sockets.client,
      token: "ann",
      autoConnect: false,
      onError: (error) => clientErrors.push(String(error)),
      ...overrides,
    })
    onTestFinished(() => made.close())
    return made
  }
  const errors = async (): Promise<readonly string[]> => [...clientErrors, ...(await server.errors())]
  return { ...server, ...listening, sockets, client, errors }
}

/**
 * Asserts the end of a user's connection. In `2.0` the session has ended with it, once; in `hawser.1` it is detached.
 */
export async function expectLeft(world: SocketServer, profile: Profile, userId: string): Promise<void> {
  await until(async () => (await world.sessionsOf(userId)).every(({ attached }) => !attached))
  const ended = (await world.ended()).map(({ cause, userId: who }) => [who, cause])
  expect(ended).toEqual(profile === "2.0" ? [[userId, "connection_lost"]] : [])
  expect(await world.sessionsOf(userId)).toEqual(profile === "2.0" ? [] : [{ active: true, attached: false }])
}

export async function connectionsReach(world: ServerControl, connections: number): Promise<void> {
  await until(async () => (await world.stats()).connections === connections)
}

/** Checks again after every turn of the event loop; the test's timeout is the bound. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await nextTurn()
}

export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** A codec at the client's end. It has the type numbers in advance, so that it can send frames out of order. */
function clientCodec(profile: Profile): Codec {
  return profile === "hawser.1"
    ? createFrameCodec(new TypeTable(contractTypes(contract)), clientMessageLimits)
    : createEnvelopeCodec({ limits: clientMessageLimits, wallClockMs: Date.now })
}

export function helloBytes(
  profile: Profile,
  token = "ann",
  more: Pick<HelloFrame, "resume"> & Partial<Pick<HelloFrame, "dial">> = {},
): Uint8Array {
  return clientCodec(profile).encode({
    kind: "hello",
    version: wireVersion,
    token,
    reference: "hello",
    clientId: randomUUID(),
    dial: 1,
    ...more,
  })
}

export function echoBytes(profile: Profile, text = "x", reference = "1"): Uint8Array {
  return commandBytes(profile, { type: "echo", payload: { text }, reference })
}

/** A command whose handler never ends. */
export function neverBytes(profile: Profile): Uint8Array {
  return commandBytes(profile, { type: "never", payload: {}, reference: "1" })
}

/** A command whose handler waits for `admit`. */
export function gateBytes(profile: Profile): Uint8Array {
  return commandBytes(profile, { type: "gate", payload: {}, reference: "gate" })
}

function commandBytes(
  profile: Profile,
  request: { readonly type: string; readonly payload: unknown; readonly reference: string },
): Uint8Array {
  return clientCodec(profile).encode({ kind: "request", call: "command", budgetMs: 0, ...request })
}

export interface Closed {
  readonly code: number
  readonly reason: string
}

export type Received = Frame | BadFrame

/** A socket that records every frame, in order. */
export class RawPeer {
  readonly profile: Profile
  readonly frames: Received[] = []
  readonly closed: Promise<Closed>
  /** Called with the subprotocol that the server chose, or "". */
  readonly opened: Promise<string>
  isOpen = false
  readonly #socket: RawSocket
  readonly #codec: Codec
  #hear: () => void = () => {}

  constructor(sockets: Sockets, dial: RawDial) {
    this.profile = dial.profile
    this.#codec = clientCodec(dial.profile)
    let onOpen = (_protocol: string): void => {}
    let onRefused = (_error: Error): void => {}
    let onClosed = (_closed: Closed): void => {}
    this.opened = new Promise((resolve, reject) => {
      onOpen = resolve
      onRefused = reject
    })
    this.closed = new Promise((resolve) => {
      onClosed = resolve
    })
    this.#socket = sockets.openRaw(dial, {
      open: (protocol) => {
        this.isOpen = true
        onOpen(protocol)
      },
      message: (bytes) => {
        this.frames.push(this.#codec.decode(bytes, 0))
        this.#hear()
      },
      closed: (code, reason) => {
        this.isOpen = false
        onRefused(new Error(`closed with ${code} before it was open`))
        onClosed({ code, reason })
      },
    })
    onTestFinished(() => this.#socket.terminate())
  }

  send(content: Uint8Array | string): void {
    this.#socket.send(content)
  }

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason)
  }

  terminate(): void {
    this.#socket.terminate()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** The first frame of this kind, received or future. */
  async next(kind: Received["kind"]): Promise<Received> {
    for (;;) {
      const found = this.frames.find((frame) => frame.kind === kind)
      if (found !== undefined) return found
      await new Promise<void>((resolve) => {
        this.#hear = resolve
      })
    }
  }

  /** The last error and the close from the server: the information of a refused peer. */
  async refusal(): Promise<{ said: string | undefined; code: number; reason: string }> {
    const { code, reason } = await this.closed
    const last = this.frames.at(-1)
    if (last?.kind === "bye") return { said: last.code, code, reason }
    const failed = last?.kind === "reply" && !last.outcome.ok ? last.outcome.error.code : undefined
    return { said: failed, code, reason }
  }
}

/** The URL of a WebSocket, or a server. */
type Where = string | { readonly sockets: Sockets }

/** An open socket that has not authenticated. */
export async function openRaw(
  where: Where,
  profile: Profile,
  headers: Record<string, string> = {},
): Promise<RawPeer> {
  const sockets = typeof where === "string" ? webSockets(where) : where.sockets
  const peer = new RawPeer(sockets, { profile, headers })
  await peer.opened
  return peer
}

export async function openRawSession(where: Where, profile: Profile, token = "ann"): Promise<RawPeer> {
  const peer = await openRaw(where, profile)
  peer.send(helloBytes(profile, token))
  await peer.next("welcome")
  return peer
}

/** TCP after an upgrade without a library: it answers no ping and no close. */
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
