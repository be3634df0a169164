// A server that attacks its clients below the messages: with invalid answers to the upgrade, and with bytes that are no
// WebSocket. The client reports, dials within its budget, and throws no uncaught error.
import { createClient, fixed } from "@hawser/client"
import type { ClientStatus } from "@hawser/client"
import {
  TypeTable,
  clientMessageLimits,
  createFrameCodec,
  serverMessageLimits,
  subprotocol,
} from "@hawser/protocol/core"
import { createEnvelopeCodec } from "@hawser/protocol/profile20"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { createServer } from "node:net"
import { describe, expect, it, onTestFinished } from "vitest"
import { WebSocket, WebSocketServer } from "ws"
import { contract } from "./server-program.ts"
import { clientProfile } from "../sessions/client-profile.ts"

const burst = 3

/** Dials until its budget delays it, or it is closed. */
async function suffer(
  port: number,
  profile: "hawser.1" | "2.0",
): Promise<{ dials: number; status: ClientStatus }> {
  const client = createClient(contract, {
    url: `ws://127.0.0.1:${port}/ws`,
    ...clientProfile(profile),
    webSocket: WebSocket,
    token: "ann",
    reconnect: fixed({ baseMs: 0 }),
    limits: { dialBurst: burst, dialsPerMinute: 0.001, welcomeTimeoutMs: 500 },
    autoConnect: false,
    onError: () => {},
  })
  const ended = new Promise<ClientStatus>((resolve) => {
    client.onStatus((status) => {
      const isHeldBack = status.state === "reconnecting" && status.waiting && status.delayMs > 60_000
      if (status.state === "closed" || isHeldBack) resolve(status)
    })
  })
  client.connect().catch(() => {})
  const status = await ended
  const { dials } = client.stats()
  client.close()
  return { dials, status }
}

/** Answers every upgrade with these lines, then these bytes; the end of the test stops it. */
async function answering(
  answer: (key: string) => readonly string[],
  bytes = Buffer.alloc(0),
): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => {})
    socket.once("data", (request: Buffer) => {
      const [, key = ""] = /Sec-WebSocket-Key: (\S+)/i.exec(request.toString("latin1")) ?? []
      socket.write(`${answer(key).join("\r\n")}\r\n\r\n`, "latin1")
      socket.write(bytes)
    })
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  onTestFinished(() => void server.close())
  const address = server.address()
  return address !== null && typeof address === "object" ? address.port : 0
}

function accepted(key: string, ...more: readonly string[]): string[] {
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64")
  return [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${accept}`,
    ...more,
  ]
}

const chosen = `Sec-WebSocket-Protocol: ${subprotocol}`
const deflate = (parameters: string): string => `Sec-WebSocket-Extensions: permessage-deflate; ${parameters}`

describe("a server with an invalid answer to the upgrade", () => {
  it.each<[string, (key: string) => readonly string[]]>([
    ["a window of 999 bits", (key) => accepted(key, chosen, deflate("server_max_window_bits=999"))],
    ["a window of no bits", (key) => accepted(key, chosen, deflate("client_max_window_bits"))],
    ["a parameter of its own, twice", (key) => accepted(key, chosen, deflate("__proto__=1; __proto__=1"))],
    ["an extension that is no token", (key) => accepted(key, chosen, "Sec-WebSocket-Extensions: ,;=")],
    ["an extension that was not offered", (key) => accepted(key, chosen, "Sec-WebSocket-Extensions: bomb")],
    ["a subprotocol that was not offered", (key) => accepted(key, "Sec-WebSocket-Protocol: hawser.9")],
    ["the proof of another key", () => accepted("another", chosen)],
    ["a header of 64 KB", (key) => accepted(key, chosen, `X: ${"x".repeat(65_536)}`)],
    ["a redirection to itself", () => ["HTTP/1.1 307 Temporary Redirect", "Location: /ws"]],
    ["no HTTP", () => ["\u0000\u0001\u0002"]],
  ])("abuse-A50 with %s gets a bounded number of dials", async (_what, answer) => {
    const { dials } = await suffer(await answering(answer), "hawser.1")
    expect(dials).toBeGreaterThan(0)
    expect(dials).toBeLessThanOrEqual(1 + burst)
  })

  it.each([
    ["a frame of 2^63 bytes", "827f8000000000000000"],
    ["a frame of 1 GiB", "827f0000000040000000"],
    ["a compressed frame", "c20178"],
    ["a masked frame", "82810000000078"],
    ["a close of code 1005", "880203ed"],
    ["a close of code 65535", "8802ffff"],
    ["a close whose reason is no UTF-8", "880403e8c328"],
    ["a fragment of nothing", "8000"],
  ])("abuse-A50 and then sends %s gets a bounded number of dials", async (_what, digits) => {
    for (const profile of ["hawser.1", "2.0"] as const) {
      const lines = profile === "2.0" ? [] : [chosen]
      const port = await answering((key) => accepted(key, ...lines), Buffer.from(digits, "hex"))
      const { dials } = await suffer(port, profile)
      expect(dials, profile).toBeGreaterThan(0)
      expect(dials, profile).toBeLessThanOrEqual(1 + burst)
    }
  })
})

describe("a server that requests a wait of 300,000 years", () => {
  const frames = createFrameCodec(new TypeTable([]), clientMessageLimits)
  const envelopes = createEnvelopeCodec({
    side: "server",
    limits: clientMessageLimits,
    wallClockMs: Date.now,
  })

  const welcome = frames.encode({
    kind: "welcome",
    ...{ resumed: false, sessionId: "s", resumeToken: "t", received: 0, handled: 0, digest: 0 },
    ...{ expiresInMs: null, limits: serverMessageLimits, types: [] },
  })
  const refusal = envelopes.encode({
    kind: "reply",
    reference: null,
    outcome: {
      ok: false,
      error: { code: "auth_timeout", message: "", category: "permission", retryAfterMs: 1e15 },
    },
  })

  it.each<["hawser.1" | "2.0", readonly Uint8Array[]]>([
    ["hawser.1", [welcome, frames.encode({ kind: "busy", retryAfterMs: 2 ** 53 - 1 })]],
    ["2.0", [refusal]],
  ])("abuse-A50 in profile %s is dialled again after 5 minutes and a tenth", async (profile, said) => {
    const server = new WebSocketServer({ host: "127.0.0.1", port: 0, handleProtocols: () => subprotocol })
    await once(server, "listening")
    onTestFinished(() => server.close())
    server.on("connection", (socket) => {
      socket.on("error", () => {})
      socket.once("message", () => {
        for (const bytes of said) socket.send(bytes)
        socket.close(1012)
      })
    })
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    const { status } = await suffer(port, profile)
    if (status.state !== "reconnecting" || !status.waiting) return expect.fail(`it is ${status.state}`)
    expect(status.delayMs).toBeGreaterThanOrEqual(300_000)
    expect(status.delayMs).toBeLessThanOrEqual(330_000)
  })
})
