// A server that closes with every code and sends every frame, before and after WELCOME, again on each connection. A
// client still dials and calls its token function within its budget (rule C13).
import { createClient, fixed } from "@hawser/client"
import type { Client, ClientStatus } from "@hawser/client"
import { defineContract } from "@hawser/protocol"
import {
  TypeTable,
  clientMessageLimits,
  createFrameCodec,
  errorTable,
  serverMessageLimits,
  subprotocol,
} from "@hawser/protocol/core"
import type { Codec, Profile } from "@hawser/protocol/core"
import { createEnvelopeCodec } from "@hawser/protocol/profile20"
import { once } from "node:events"
import { describe, expect, it, onTestFinished } from "vitest"
import { WebSocket, WebSocketServer } from "ws"
import { z } from "zod"
import { clientProfile } from "../sessions/client-profile.ts"
import { readVectors, vectorsSchema } from "../vectors/file.ts"

const contract = defineContract({
  name: "hostile",
  commands: { move: { input: z.unknown(), output: z.unknown() } },
  queries: {},
  events: { chat: { payload: z.unknown() } },
})
const types = ["$join", "$leave", "$publish", "$presence", "move", "chat"]

/** Frames of all kinds, as bytes, from the list for other implementations. */
const vectors = vectorsSchema.parse(JSON.parse(readVectors()))
const bytesOf = (digits: string): Uint8Array => Uint8Array.from(Buffer.from(digits, "hex"))
const recorded = [
  ...vectors.frames.map(({ name, hex }) => [name, bytesOf(hex)] as const),
  ...vectors.replicas.flatMap(({ name, frames: sequence }) =>
    sequence.map(({ hex }, index) => [`CELLS ${index} of ${name}`, bytesOf(hex)] as const),
  ),
]

const codecOf = (profile: Profile): Codec =>
  profile === "2.0"
    ? createEnvelopeCodec({ side: "server", limits: clientMessageLimits, wallClockMs: Date.now })
    : createFrameCodec(new TypeTable(types), clientMessageLimits)
const frames = codecOf("hawser.1")

/** Codes that RFC 6455 allows a server, those of this protocol, others; undefined: none; 1006: no close frame. */
const closeCodes = [
  ...[1000, 1001, 1002, 1003, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, undefined],
  ...[4400, 4401, 4403, 4408, 4409, 4410, 4413, 4429, 4500, 4503, 3000, 4999],
] as const

type Phase = "at once" | "after HELLO" | "after WELCOME" | "after each resume"
const phases: readonly Phase[] = ["at once", "after HELLO", "after WELCOME", "after each resume"]

/** The socket of one dial, at the server. */
class Peer {
  readonly #socket: WebSocket
  readonly #profile: Profile
  /** Its first message, or the end of the socket. */
  readonly hello: Promise<unknown>
  readonly closed: Promise<unknown>

  constructor(socket: WebSocket, profile: Profile) {
    this.#socket = socket
    this.#profile = profile
    socket.on("error", () => {})
    this.closed = once(socket, "close")
    this.hello = Promise.race([once(socket, "message"), this.closed])
  }

  send(bytes: Uint8Array): void {
    this.#socket.send(bytes)
  }

  welcome(resumed: boolean): void {
    const [counts, tokens] = [
      { received: 0, handled: 0, digest: 0 },
      { sessionId: "s", resumeToken: "t" },
    ]
    const rest = { expiresInMs: null, limits: serverMessageLimits, types, payload: {} }
    this.send(codecOf(this.#profile).encode({ kind: "welcome", resumed, ...tokens, ...counts, ...rest }))
  }

  /** Waits until the client has read all bytes and its promises have run, or until the socket has ended. */
  async read(): Promise<void> {
    let onMessage = (_content: unknown): void => {}
    const answered = new Promise<void>((resolve) => {
      onMessage = (content) => {
        if (Buffer.isBuffer(content) && frames.decode(content, 0).kind === "pong") resolve()
      }
      this.#socket.on("message", onMessage)
    })
    this.send(frames.encode({ kind: "ping", number: 1, handled: 0 }))
    await Promise.race([answered, this.closed])
    this.#socket.off("message", onMessage)
  }

  close(code: number | undefined): void {
    if (code === 1006) this.#socket.terminate()
    else this.#socket.close(code)
  }
}

/** Takes a connection into a phase. */
async function reach(peer: Peer, phase: Phase, isFirst: boolean): Promise<void> {
  if (phase === "at once") return
  await peer.hello
  if (phase !== "after HELLO") peer.welcome(phase === "after each resume" && !isFirst)
}

const burst = 3
/** The application's own dial, and the burst; the refill takes 16 hours. */
const most = 1 + burst
/** A client that has not stopped by this time never will. */
const flood = 3 * most

interface Suffered {
  readonly dials: number
  readonly tokens: number
  readonly resumed: number
  readonly status: ClientStatus
}

/** Runs a client until it is closed, or delayed by its budget. */
async function suffer(
  profile: Profile,
  onDial: (peer: Peer, number: number) => Promise<void>,
): Promise<Suffered> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, handleProtocols: () => subprotocol })
  await once(server, "listening")
  const address = server.address()
  const port = address !== null && typeof address === "object" ? address.port : 0
  let tokens = 0
  const client: Client<typeof contract> = createClient(contract, {
    url: `ws://127.0.0.1:${port}/ws`,
    ...clientProfile(profile),
    webSocket: WebSocket,
    token: async () => `fresh ${(tokens += 1)}`,
    reconnect: fixed({ baseMs: 0 }),
    limits: { dialBurst: burst, dialsPerMinute: 0.001 },
    autoConnect: false,
    // Invalid frames are intended here.
    onError: () => {},
  })
  const ended = new Promise<ClientStatus>((resolve) => {
    client.onStatus((status) => {
      const isHeldBack = status.state === "reconnecting" && status.waiting && status.delayMs > 60_000
      if (status.state === "closed" || isHeldBack || Math.max(client.stats().dials, tokens) > flood)
        resolve(status)
    })
  })
  let dials = 0
  server.on("connection", (socket) => void onDial(new Peer(socket, profile), (dials += 1)))
  onTestFinished(() => server.close())
  client.connect().catch(() => {})
  const status = await ended
  const { dials: dialled, sessionsResumed } = client.stats()
  const seen = { dials: dialled, tokens, resumed: sessionsResumed, status }
  client.close()
  for (const socket of server.clients) socket.terminate()
  server.close()
  return seen
}

function expectBounded({ dials, tokens }: Suffered, what: string): void {
  expect(dials, what).toBeGreaterThan(0)
  expect(dials, what).toBeLessThanOrEqual(most)
  expect(tokens, what).toBeLessThanOrEqual(most)
}

describe.each(["hawser.1", "2.0"] as const)("a server of %s that closes", (profile) => {
  const ofProfile = phases.filter((phase) => profile === "hawser.1" || phase !== "after each resume")

  it.each(ofProfile)(
    "abuse-A50 surprise-A2 gets a bounded number of dials and tokens, with any code, %s",
    async (phase) => {
      let resumed = 0
      for (const code of closeCodes) {
        const suffered = await suffer(profile, async (peer, number) => {
          await reach(peer, phase, number === 1)
          peer.close(code)
        })
        expectBounded(suffered, `close ${code}`)
        resumed += suffered.resumed
        const isFinal = code === 4403 || code === 4409
        if (isFinal) expect([suffered.dials, suffered.status.state], `close ${code}`).toEqual([1, "closed"])
      }
      if (phase === "after each resume") expect(resumed).toBeGreaterThan(closeCodes.length)
    },
  )
})

describe("a server that sends arbitrary frames", () => {
  const errors = Object.keys(errorTable)
  const endings = ["chest_locked", ...errors].flatMap((code) => [
    [`BYE ${code}`, frames.encode({ kind: "bye", code, message: "" })] as const,
    [`RESET ${code}`, frames.encode({ kind: "reset", cause: code, count: 0 })] as const,
  ])
  const garbage = [
    ["nothing", new Uint8Array()],
    ["an unknown control frame", Uint8Array.of(0x3f, 0x90)],
    ["an unused class", Uint8Array.of(0xc0, 0x90)],
    ["BUSY for a moment", frames.encode({ kind: "busy", retryAfterMs: 0 })],
    ["bytes without a value", Uint8Array.of(0x42, 0xc1, 0xff)],
  ] as const
  const all = [...recorded, ...endings, ...garbage]

  it.each(phases.filter((phase) => phase !== "at once"))(
    "abuse-A50 surprise-A2 gets a bounded number of dials and tokens, with any frames, %s",
    { timeout: 60_000 },
    async (phase) => {
      for (const [name, bytes] of all) {
        const suffered = await suffer("hawser.1", async (peer, number) => {
          await reach(peer, phase, number === 1)
          for (let count = 0; count < 20; count += 1) peer.send(bytes)
          if (phase !== "after HELLO") await peer.read()
          peer.close(1001)
        })
        expectBounded(suffered, name)
      }
    },
  )

  it("surprise-A2 causes a bounded number of calls of the token function by any number of AUTHREQ, and stays connected", async () => {
    const ask = frames.encode({ kind: "authRequest", expiresInMs: 1 })
    const suffered = await suffer("hawser.1", async (peer) => {
      await reach(peer, "after WELCOME", true)
      for (let round = 0; round < 50; round += 1) {
        for (let count = 0; count < 100; count += 1) peer.send(ask)
        await peer.read()
      }
      peer.close(1001)
    })
    expect(suffered.tokens).toBe(most)
    expect(suffered.dials).toBe(1)
  })
})
