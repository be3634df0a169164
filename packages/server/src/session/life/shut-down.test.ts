import { profile20 } from "../../profile20/index.ts"
import { defaultServerLimits, defineContract } from "@hawser/protocol"
import { serverMessageLimits } from "@hawser/protocol/core"
import type { ConnectionEvents, OutboundMessage, ServerConnection } from "@hawser/protocol/core"
import { createEnvelopeCodec } from "@hawser/protocol/profile20"
import { SimulatedClock, unwatched } from "@hawser/protocol/testing"
import { beforeEach, describe, expect, it } from "vitest"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { Server } from "../../server-api.ts"
import { createServer } from "../../server.ts"

const contract = defineContract({ name: "empty", commands: {}, queries: {}, events: {} })
const codec = createEnvelopeCodec({ limits: serverMessageLimits, wallClockMs: () => 0 })
const { shutdownMs, closeTimeoutMs } = defaultServerLimits

/** Peer that never answers; the test sets the bytes in its socket. */
class SilentPeer implements ServerConnection {
  isOpen = true
  bufferedBytes = 0
  readonly closes: number[] = []
  terminatedAtMs: number | undefined
  readonly #clock: SimulatedClock
  readonly #events: ConnectionEvents

  constructor(clock: SimulatedClock, server: Server<typeof contract, AuthenticatedUser>) {
    this.#clock = clock
    this.#events = server.accept({ connection: this, profile: "2.0", address: "peer" })
  }

  logIn(): void {
    this.#events.message(
      codec.encode({ kind: "hello", version: 0, token: "ann", reference: "1", clientId: "", dial: 0 }),
    )
  }

  drain(): void {
    this.bufferedBytes = 0
    this.#events.drained()
  }

  answerClose(): void {
    this.#events.closed(1012, "")
  }

  send(_message: OutboundMessage): boolean {
    return true
  }

  close(code: number): void {
    this.closes.push(code)
  }

  terminate(): void {
    this.terminatedAtMs ??= this.#clock.now()
    this.#events.closed(1006, "")
  }

  pause(): void {}
  resume(): void {}
}

let clock: SimulatedClock
let server: Server<typeof contract, AuthenticatedUser>
let peer: SilentPeer
/** Returns the time at which `close()` resolved. */
let closedAtMs: number | undefined

beforeEach(async () => {
  clock = new SimulatedClock()
  server = createServer(contract, {
    profile20: profile20(),
    authenticate: (token) => ({ id: token }),
    clock,
  })
  peer = new SilentPeer(clock, server)
  peer.logIn()
  await clock.advance(0)
  expect(server.stats().sessions).toBe(1)
  closedAtMs = undefined
})

function startClosing(): void {
  unwatched(
    server.close().then(() => {
      closedAtMs = clock.now()
    }),
  )
}

function expectNothingLeft(): void {
  expect(server.stats()).toMatchObject({ connections: 0, sessions: 0, timers: 0 })
  expect(clock.pendingCount).toBe(0)
}

describe("close()", () => {
  it("resolves at once without connections, and leaves no timer", async () => {
    peer.terminate()
    startClosing()
    await clock.advance(0)
    expect(closedAtMs).toBe(0)
    expectNothingLeft()
  })

  it("resolves as soon as the last peer has answered, and leaves no timer", async () => {
    startClosing()
    await clock.advance(300)
    peer.answerClose()
    await clock.advance(0)
    expect(peer.closes).toEqual([1012])
    expect(peer.terminatedAtMs).toBeUndefined()
    expect(closedAtMs).toBe(300)
    expectNothingLeft()
  })

  it("drops a peer that has all bytes and does not answer, after closeTimeoutMs", async () => {
    startClosing()
    await clock.advance(shutdownMs)
    expect(peer.terminatedAtMs).toBe(closeTimeoutMs)
    expect(closedAtMs).toBe(closeTimeoutMs)
    expectNothingLeft()
  })

  it("waits for the bytes of a slow peer, and then closeTimeoutMs for its answer", async () => {
    peer.bufferedBytes = 1_000
    startClosing()
    await clock.advance(6_500)
    expect(peer.terminatedAtMs).toBeUndefined()
    peer.drain()
    await clock.advance(shutdownMs)
    expect(peer.terminatedAtMs).toBe(6_500 + closeTimeoutMs)
    expect(closedAtMs).toBe(6_500 + closeTimeoutMs)
    expectNothingLeft()
  })

  it("drops a peer that reads nothing at shutdownMs, and leaves no timer", async () => {
    peer.bufferedBytes = 1_000
    startClosing()
    await clock.advance(shutdownMs - 1)
    expect(peer.terminatedAtMs).toBeUndefined()
    expect(closedAtMs).toBeUndefined()
    await clock.advance(1)
    expect(peer.terminatedAtMs).toBe(shutdownMs)
    expect(closedAtMs).toBe(shutdownMs)
    expectNothingLeft()
  })

  it("keeps to shutdownMs when a peer's last bytes leave shortly before", async () => {
    peer.bufferedBytes = 1_000
    startClosing()
    await clock.advance(shutdownMs - 1)
    peer.drain()
    await clock.advance(1)
    expect(closedAtMs).toBe(shutdownMs)
    expectNothingLeft()
  })
})

describe("the end of one session of a slow peer", () => {
  it("waits for its bytes, shutdownMs at most, and counts the socket until then", async () => {
    peer.bufferedBytes = 1_000
    for (const session of server.local.sessions()) session.end("replaced")
    await clock.advance(shutdownMs - 1)
    expect(peer.terminatedAtMs).toBeUndefined()
    expect(server.stats()).toMatchObject({ connections: 1, sessions: 0 })
    await clock.advance(1)
    expect(peer.terminatedAtMs).toBe(shutdownMs)
    expectNothingLeft()
  })

  it("is not cut by the liveness sweep, for any of its timeouts", async () => {
    server = createServer(contract, {
      profile20: profile20(),
      authenticate: (token) => ({ id: token }),
      clock,
      limits: { pingAfterMs: 100, pongTimeoutMs: 100 },
    })
    peer = new SilentPeer(clock, server)
    peer.logIn()
    await clock.advance(0)
    peer.bufferedBytes = 1_000
    for (const session of server.local.sessions()) session.end("replaced")
    await clock.advance(shutdownMs - 1)
    expect(peer.terminatedAtMs).toBeUndefined()
  })
})
