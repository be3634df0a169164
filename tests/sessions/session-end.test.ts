// Ends of a session on purpose or by drift, once at each end, and their effects on the client.
import { unwatched } from "@hawser/protocol/testing"
import type { Client, SessionEvent } from "@hawser/client"
import type { Frame } from "@hawser/protocol/core"
import { describe, expect, it } from "vitest"
import { createWorld, rejection } from "../faults/harness.ts"
import type { TestContract, World } from "../faults/harness.ts"
import { sendHello } from "./scripted-client.ts"
import { WireTap } from "./wire-tap.ts"

interface Scene {
  readonly world: World
  readonly tap: WireTap
  readonly client: Client<TestContract>
  readonly events: readonly SessionEvent[]
  readonly ends: readonly string[]
}

/** Connects ann and exchanges a message in each direction. */
async function createScene(): Promise<Scene> {
  const world = createWorld({ profile: "hawser.1" })
  const tap = new WireTap(world.network.dial)
  const ends: string[] = []
  world.server.onSessionEnd(({ session, cause }) => ends.push(`${session.id} ${cause}`))
  const client = world.client({ dial: tap.dial })
  const connected = client.connect()
  await world.clock.settle()
  await connected
  const events: SessionEvent[] = []
  client.onSession((event) => events.push(event))
  world.server.broadcast("note", { text: "first" })
  const reply = client.command("echo", { text: "first" })
  await world.clock.settle()
  await reply
  return { world, tap, client, events, ends }
}

/** Asserts that the client has a new, working session, and that the old one has ended once at each end. */
async function expectAnew(scene: Scene, cause: string): Promise<void> {
  const { world, client, events, ends } = scene
  await world.clock.advance(10_000)
  expect(ends).toEqual([`session-1 ${cause}`])
  expect(events).toMatchObject([
    { kind: "reset", sessionId: "session-1", cause },
    { kind: "opened", sessionId: "session-2" },
  ])
  const received: string[] = []
  client.on("note", ({ text }) => received.push(text))
  world.server.broadcast("note", { text: "anew" })
  const reply = client.command("echo", { text: "anew" })
  await world.clock.advance(1_000)
  expect(await reply).toEqual({ text: "anew" })
  expect(received).toEqual(["anew"])
}

describe("two ends that disagree", () => {
  it("abuse-A27 reset the session when the client claims another digest of what it handled", async () => {
    const scene = await createScene()
    const { world, tap, ends } = scene
    const resume = { sessionId: "session-1", token: tap.token, handled: 1, digest: 12_345, sent: 0 }
    const drifted = await sendHello(world, { dial: 99, resume })
    expect(drifted.welcome).toMatchObject({ resumed: false, refusal: "session_diverged" })
    expect(ends).toEqual(["session-1 session_diverged"])
    await world.clock.advance(1_000)
    expect(scene.events).toMatchObject([{ kind: "reset", cause: "session_diverged" }, { kind: "opened" }])
  })

  it.each([3, 4, 2 ** 53 - 1])(
    "abuse-A27 reset the session when the client claims to have handled %i messages",
    async (handled) => {
      const scene = await createScene()
      const { world, tap, ends } = scene
      scene.world.server.broadcast("note", { text: "second" })
      await world.clock.settle()
      const resume = { sessionId: "session-1", token: tap.token, handled, digest: 0, sent: 0 }
      const drifted = await sendHello(world, { dial: 99, resume })
      expect(drifted.welcome).toMatchObject({ resumed: false, refusal: "session_diverged" })
      expect(ends).toEqual(["session-1 session_diverged"])
    },
  )

  it.each<[string, (handled: number) => Frame]>([
    ["ACK", (handled) => ({ kind: "ack", handled })],
    ["PING", (handled) => ({ kind: "ping", number: 1, handled })],
    ["PONG", (handled) => ({ kind: "pong", number: 1, handled })],
  ])(
    "abuse-A28 reset the session by 4410 when the client's %s names messages that were never sent",
    async (_name, frame) => {
      const world = createWorld({ profile: "hawser.1" })
      const ends: string[] = []
      world.server.onSessionEnd(({ cause }) => ends.push(cause))
      const client = await sendHello(world)
      world.server.broadcast("note", { text: "one" })
      client.send(frame(1))
      await world.clock.settle()
      expect(ends).toEqual([])
      // Acknowledgements are cumulative: a late one is ignored, and is no drift.
      client.send(frame(0))
      client.send(frame(2))
      await world.clock.settle()
      expect(ends).toEqual(["session_diverged"])
      expect(client.received.at(-1)).toEqual({ kind: "reset", cause: "session_diverged", count: 0 })
      expect(client.closes).toEqual([4410])
    },
  )

  it("reset the session when the client's SYNC differs from the server's counts", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const client = await sendHello(world)
    client.send({ kind: "sync", count: 0, digest: 0 })
    await world.clock.settle()
    expect(client.closes).toEqual([])
    client.send({ kind: "sync", count: 1, digest: 0 })
    await world.clock.settle()
    expect(client.received.at(-1)).toEqual({ kind: "reset", cause: "session_diverged", count: 0 })
    expect(client.closes).toEqual([4410])
  })

  it.each<[string, Frame]>([
    ["SYNC has another digest", { kind: "sync", count: 2, digest: 99 }],
    ["SYNC has another count", { kind: "sync", count: 7, digest: 0 }],
    ["ACK names messages that were never sent", { kind: "ack", handled: 9 }],
    ["PONG names messages that were never sent", { kind: "pong", number: 1, handled: 9 }],
  ])("reset the session from the client when the server's %s", async (_name, frame) => {
    const scene = await createScene()
    scene.tap.sendAsServer(frame)
    await expectAnew(scene, "session_diverged")
  })

  it.each(["digest", "received"] as const)(
    "reset the session from the client when WELCOME has another %s",
    async (field) => {
      const scene = await createScene()
      const { tap, client } = scene
      tap.change = (frame) =>
        frame.kind === "welcome" && frame.resumed ? { ...frame, [field]: frame[field] + 1 } : frame
      client.cut()
      await expectAnew(scene, "session_diverged")
    },
  )

  it("abuse-A50 reset the session from the client when WELCOME resumes a session that is not its own", async () => {
    const scene = await createScene()
    const { tap, client } = scene
    tap.change = (frame) =>
      frame.kind === "welcome" && frame.resumed ? { ...frame, sessionId: "session-9" } : frame
    client.cut()
    await expectAnew(scene, "session_diverged")
  })

  it("reset the session when a message was lost unnoticed", async () => {
    const scene = await createScene()
    const { world, tap, client } = scene
    tap.change = (frame) => (frame.kind === "event" ? undefined : frame)
    world.server.broadcast("note", { text: "lost" })
    await world.clock.settle()
    tap.change = (frame) => frame
    // The counts do not agree any more: at the next comparison both ends detect it.
    world.server.broadcast("note", { text: "second" })
    await world.clock.advance(1_000)
    client.cut()
    await expectAnew(scene, "session_diverged")
  })

  it("reset the session from the client when the server sends an unreadable frame, and report it", async () => {
    const scene = await createScene()
    scene.tap.sendBytesAsServer(Uint8Array.of(0x40, 0xc1))
    await expectAnew(scene, "sys_invalid_message")
    expect(scene.world.clientErrors).toMatchObject([{ code: "sys_invalid_message" }])
  })
})

describe("a user whose session the application ends", () => {
  it("gets BYE with the code and the message, ends once, and never dials again", async () => {
    const scene = await createScene()
    const { world, client, events, ends } = scene
    const lost = rejection(client.command("never", {}))
    await world.clock.settle()
    world.server.local.sessions()[0]?.send("note", { text: "the reason" })
    world.server.local.sessions()[0]?.end("cheated", "we saw it")
    await world.clock.advance(120_000)
    expect(ends).toEqual(["session-1 cheated"])
    expect(events).toMatchObject([{ kind: "reset", cause: "cheated", unacknowledged: [{ name: "never" }] }])
    expect(client.current).toMatchObject({
      state: "closed",
      error: { code: "cheated", message: "we saw it" },
    })
    expect((await lost).code).toBe("connection_lost")
    expect(world.network.links).toHaveLength(1)
    expect(client.stats().timers).toBe(0)
  })

  it("gets all messages sent before the end, also on a slow socket", async () => {
    const scene = await createScene()
    const { world, client } = scene
    const received: string[] = []
    client.on("note", ({ text }) => received.push(text))
    const [session] = world.server.local.sessions()
    world.network.links[0]?.server.stall(true)
    const text = "x".repeat(100_000)
    const outcomes = Array.from({ length: 5 }, () => session?.send("note", { text }))
    expect(outcomes).toEqual(["sent", "sent", "sent", "buffered", "buffered"])
    session?.end("cheated")
    world.network.links[0]?.server.stall(false)
    await world.clock.advance(1_000)
    expect(received).toHaveLength(5)
    expect(client.current).toMatchObject({ state: "closed", error: { code: "cheated" } })
  })

  it.each(["forbidden", "cheated"])("does not reconnect when its BYE (%s) was lost", async (code) => {
    const scene = await createScene()
    const { world, tap, client, events, ends } = scene
    tap.change = (frame) => (frame.kind === "bye" ? undefined : frame)
    world.network.links[0]?.blackHole()
    world.server.local.sessions()[0]?.end(code)
    tap.change = (frame) => frame
    world.network.links[0]?.cut()
    await world.clock.advance(120_000)
    expect(ends).toEqual([`session-1 ${code}`])
    expect(client.current).toMatchObject({ state: "closed", error: { code } })
    expect(events).toMatchObject([{ kind: "reset", cause: code }])
    expect(world.server.stats()).toMatchObject({ sessions: 0, sessionsOpened: 1, connections: 0 })
    // The first attempt to resume got the code, and no other followed.
    expect(world.network.links).toHaveLength(2)
    const again = client.connect()
    await world.clock.advance(1_000)
    await again
    expect(client.sessionId).toBe("session-2")
  })

  it("abuse-A22 does not reconnect when it was detached at the time", async () => {
    const scene = await createScene()
    const { world, client, ends } = scene
    world.network.listening = false
    world.network.links[0]?.cut()
    await world.clock.settle()
    world.server.local.sessions()[0]?.end("cheated")
    world.network.listening = true
    await world.clock.advance(120_000)
    expect(ends).toEqual(["session-1 cheated"])
    expect(client.current).toMatchObject({ state: "closed", error: { code: "cheated" } })
    expect(world.server.stats().sessionsOpened).toBe(1)
  })

  it("is accepted again after tombstoneMs: its session is unknown then, and a new one opens", async () => {
    const world = createWorld({ profile: "hawser.1", limits: { tombstoneMs: 1_000 } })
    const tap = new WireTap(world.network.dial)
    const client = world.client({ dial: tap.dial, reconnect: () => 5_000 })
    unwatched(client.connect())
    await world.clock.settle()
    const events: SessionEvent[] = []
    client.onSession((event) => events.push(event))
    world.network.links[0]?.cut()
    await world.clock.settle()
    world.server.local.sessions()[0]?.end("cheated")
    await world.clock.advance(10_000)
    expect(events).toMatchObject([{ kind: "reset", cause: "session_unknown" }, { kind: "opened" }])
  })
})

describe("a client that closes", () => {
  it("ends its session at the server at once, and rejects its pending calls", async () => {
    const scene = await createScene()
    const { world, client, events, ends } = scene
    const lost = rejection(client.command("never", {}))
    await world.clock.settle()
    client.close()
    expect(client.sessionId).toBeUndefined()
    await world.clock.settle()
    expect((await lost).code).toBe("client_closed")
    expect(ends).toEqual(["session-1 closed"])
    expect(events).toMatchObject([
      { kind: "reset", cause: "client_closed", unacknowledged: [{ name: "never" }] },
    ])
    expect(world.server.stats()).toMatchObject({ sessions: 0, connections: 0 })
    expect(client.stats()).toMatchObject({ timers: 0, pending: 0, connectionsLost: 0, sessionsReset: 0 })
  })

  it("does not affect another user's session: each has its own messages", async () => {
    const scene = await createScene()
    const { world, client, ends } = scene
    const bob = world.client({ token: "bob" })
    unwatched(bob.connect())
    await world.clock.settle()
    const received: string[] = []
    client.on("note", ({ text }) => received.push(`ann ${text}`))
    bob.on("note", ({ text }) => received.push(`bob ${text}`))
    client.cut()
    await world.clock.settle()
    world.server.local.sessions("ann")[0]?.send("note", { text: "for ann" })
    world.server.local.sessions("bob")[0]?.send("note", { text: "for bob" })
    bob.cut()
    await world.clock.advance(5_000)
    expect(received.toSorted()).toEqual(["ann for ann", "bob for bob"])
    client.close()
    await world.clock.settle()
    expect(ends).toEqual(["session-1 closed"])
    expect(world.server.local.sessions().map(({ user }) => user.id)).toEqual(["bob"])
    const reply = bob.command("echo", { text: "on" })
    await world.clock.settle()
    expect(await reply).toEqual({ text: "on" })
  })
})
