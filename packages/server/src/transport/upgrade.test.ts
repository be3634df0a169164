import { systemClock } from "../base/system.ts"
import { defaultServerLimits } from "@hawser/protocol"
import { TimerQueue } from "@hawser/protocol/core"
import type { CodeTally, ConnectionEvents } from "@hawser/protocol/core"
import { SimulatedClock } from "@hawser/protocol/testing"
import { IncomingMessage, createServer } from "node:http"
import { Socket } from "node:net"
import { Duplex } from "node:stream"
import { beforeEach, expect, it } from "vitest"
import { createHealth } from "../base/health.ts"
import { Turn } from "./turn.ts"
import { serveUpgrades } from "./upgrade.ts"

const { closeTimeoutMs } = defaultServerLimits
const wellFormed = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}

/** A socket whose peer does not read. */
class StuckSocket extends Duplex {
  override _read(): void {}
  override _write(): void {}
}

let clock: SimulatedClock
let timers: TimerQueue
let accepted: number
let errors: unknown[]
let refused: CodeTally

beforeEach(() => {
  clock = new SimulatedClock()
  errors = []
  refused = createHealth([], clock).upgradesRefused
  accepted = 0
  timers = new TimerQueue(clock, (error) => errors.push(error))
})

function upgrade(
  url: string,
  headers: Record<string, string>,
  maxHeadersCount: number | null = null,
): StuckSocket {
  const httpServer = createServer()
  httpServer.maxHeadersCount = maxHeadersCount
  serveUpgrades(httpServer, {
    accept: (): ConnectionEvents => {
      accepted += 1
      return { message() {}, text() {}, drained() {}, pong() {}, closed() {} }
    },
    path: "/ws",
    limits: defaultServerLimits,
    timers,
    turn: new Turn({ clock: systemClock, onError: (error) => errors.push(error) }),
    clock,
    origins: undefined,
    trustProxy: false,
    profiles: new Set(["hawser.1", "2.0"]),
    caps: { check: () => "allowed" },
    isClosing: () => false,
    allowLoopbackOrigins: false,
    health: { upgradesRefused: refused, socketsDropped: createHealth([], clock).socketsDropped },
    warnings: { refused() {}, proxied() {} },
    onError: (error) => errors.push(error),
  })
  const request = new IncomingMessage(new Socket())
  const rawHeaders = Object.entries(headers).flat()
  Object.assign(request, { method: "GET", url, headers, rawHeaders })
  const socket = new StuckSocket()
  httpServer.emit("upgrade", request, socket, Buffer.alloc(0))
  return socket
}

it("counts refusals by reason", () => {
  upgrade("/elsewhere", wellFormed)
  upgrade("/elsewhere", wellFormed)
  upgrade("/ws", { ...wellFormed, origin: "https://evil.com" })
  upgrade("/ws", { ...wellFormed, "sec-websocket-protocol": "chat" })
  expect(refused.read()).toEqual({ path: 2, origin: 1, subprotocol: 1 })
})

it.each<[count: number, limit: number | null, outcome: "accepted" | "refused"]>([
  [999, null, "accepted"],
  [1_000, null, "refused"],
  [9, 10, "accepted"],
  [10, 10, "refused"],
  [2_000, 0, "accepted"],
])(
  "refuses with 431 a request whose headers are at the limit, because others may have been dropped: %i of %s",
  (count, limit, outcome) => {
    const headers: Record<string, string> = { ...wellFormed }
    for (let index = Object.keys(headers).length; index < count; index += 1) headers[`x-${index}`] = ""
    const socket = upgrade("/ws", headers, limit)
    expect(accepted).toBe(outcome === "accepted" ? 1 : 0)
    expect(refused.read()).toEqual(outcome === "accepted" ? {} : { headers: 1 })
    expect(socket.writableEnded).toBe(outcome === "refused")
  },
)

it.each<[string, string, Record<string, string>]>([
  ["by the server", "/elsewhere", wellFormed],
  ["by the server for its origin", "/ws", { ...wellFormed, origin: "https://evil.com" }],
  ["by the library for its key", "/ws", { ...wellFormed, "sec-websocket-key": "short" }],
])(
  "destroys the socket after closeTimeoutMs if a peer was refused %s and does not read the response",
  async (_by, url, headers) => {
    const socket = upgrade(url, headers)
    await clock.advance(closeTimeoutMs - 1)
    expect(socket.destroyed).toBe(false)
    await clock.advance(1)
    expect(socket.destroyed).toBe(true)
    expect(timers.size).toBe(0)
    expect(accepted).toBe(0)
    expect(errors).toEqual([])
  },
)

it("cancels that deadline if the refused peer disconnects first", async () => {
  const socket = upgrade("/elsewhere", wellFormed)
  socket.destroy(new Error("reset"))
  await new Promise((resolve) => socket.once("close", resolve))
  expect(timers.size).toBe(0)
  expect(errors).toEqual([new Error("reset")])
})

it("sets no deadline for a connection that was accepted", async () => {
  const socket = upgrade("/ws", wellFormed)
  expect(accepted).toBe(1)
  expect(timers.size).toBe(0)
  await clock.advance(closeTimeoutMs)
  expect(socket.destroyed).toBe(false)
})
