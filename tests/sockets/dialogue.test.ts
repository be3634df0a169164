import { fixed } from "@hawser/client"
import type { Client, ClientStatus } from "@hawser/client"
import { once } from "node:events"
import { describe, expect, it } from "vitest"
import {
  connectionsReach,
  echoBytes,
  expectLeft,
  gateBytes,
  helloBytes,
  maskedFrame,
  neverBytes,
  nextTurn,
  openRaw,
  openRawSession,
  openTcp,
  openTcpSession,
  profiles,
  startServer,
  until,
} from "./harness.ts"
import type { RawPeer, SocketServer } from "./harness.ts"
import type { SocketContract } from "./server-program.ts"
import { describeOver, skipWithout } from "./transports.ts"
import { clientProfile } from "../sessions/client-profile.ts"

const unlimited = {
  userMessagesPerSecond: 1e6,
  userMessageBurst: 1e6,
  userBytesPerSecond: 1e9,
  userByteBurst: 1e9,
}
const kib64 = "x".repeat(64 * 1024)

function statusWhen(
  client: Client<SocketContract>,
  condition: (status: ClientStatus) => boolean,
): Promise<ClientStatus> {
  return new Promise((resolve) => {
    client.onStatus((status) => {
      if (condition(status)) resolve(status)
    })
  })
}

/** Sends one note per turn of the event loop, so that the kernel accepts as much as possible, until `condition`. */
async function sendNotesUntil(
  world: SocketServer,
  userId: string,
  condition: () => Promise<boolean>,
): Promise<number> {
  let count = 0
  for (; !(await condition()); count += 1) {
    await world.send(userId, [{ name: "note", text: kib64 }])
    await nextTurn()
  }
  return count
}

async function hasEnded(world: SocketServer): Promise<boolean> {
  return (await world.ended()).length > 0
}

async function expectServed(world: SocketServer, token = "next"): Promise<void> {
  const client = world.client({ token })
  await client.connect()
  expect(await client.command("echo", { text: "still here" })).toEqual({ text: "still here" })
  client.close()
}

/** Polls until a figure has been the same twenty times in a row. */
async function staysTheSame<T, K extends keyof T>(look: () => Promise<T>, figure: K): Promise<T> {
  let last = await look()
  for (let same = 0; same < 20;) {
    await nextTurn()
    const now = await look()
    same = now[figure] === last[figure] ? same + 1 : 0
    last = now
  }
  return last
}

function lastWhere(peer: RawPeer, who: string): number | undefined {
  const values = peer.frames.flatMap((frame): number[] => {
    if (frame.kind !== "volatile" && !(frame.kind === "event" && frame.type === "where")) return []
    const { payload } = frame
    if (typeof payload !== "object" || payload === null || !("who" in payload) || !("x" in payload)) return []
    return payload.who === who && typeof payload.x === "number" ? [payload.x] : []
  })
  return values.at(-1)
}

const bombs: readonly (readonly [string, Uint8Array])[] = [
  ["an array32 header", Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff)],
  ["a map32 header", Uint8Array.of(0xdf, 0xff, 0xff, 0xff, 0xff)],
  ["a str32 header", Uint8Array.of(0xdb, 0xff, 0xff, 0xff, 0xff)],
  ["a bin32 header", Uint8Array.of(0xc6, 0xff, 0xff, 0xff, 0xff)],
  ["an ext32 header", Uint8Array.of(0xc9, 0xff, 0xff, 0xff, 0xff, 0x01)],
  ["6 KB of nested array16 headers", Buffer.from("dcffff".repeat(2_000), "hex")],
  ["60 KB of nested array16 headers", Buffer.from("dcffff".repeat(20_000), "hex")],
  ["60 KB of nested one-element arrays", Buffer.alloc(60_000, 0x91)],
  ["60 KB of nested one-element maps", Buffer.alloc(60_000, 0x81)],
  ["a __proto__ key", hostileMap("__proto__")],
  ["a constructor key", hostileMap("constructor")],
]

/** {id: "1", type: "cmd_echo", payload: {text: "x", [key]: {polluted: true}}}, which no encoder would make. */
function hostileMap(key: string): Uint8Array {
  const text = (value: string): Buffer =>
    Buffer.concat([Uint8Array.of(0xa0 | value.length), Buffer.from(value)])
  const payload = [
    Uint8Array.of(0x82),
    text("text"),
    text("x"),
    text(key),
    Uint8Array.of(0x81),
    text("polluted"),
  ]
  const head = [Uint8Array.of(0x83), text("id"), text("1"), text("type"), text("cmd_echo"), text("payload")]
  return Buffer.concat([...head, ...payload, Uint8Array.of(0xc3)])
}

describeOver(["ws", "bun", "memory"], (transport) => {
  describe.each(profiles)("profile %s", (profile) => {
    it("carries commands, queries, events and broadcasts", async () => {
      const world = await startServer(transport)
      const client = world.client(clientProfile(profile))
      await client.connect()
      const received: string[] = []
      client.on("note", ({ text }) => received.push(text))
      expect(await client.command("echo", { text: "grüß dich" })).toEqual({ text: "grüß dich" })
      expect(await client.query("look", {})).toEqual({ seen: 2 })
      expect(await world.send("ann", [{ name: "note", text: "one" }])).toEqual(["sent"])
      await world.broadcast("all")
      await until(() => received.length === 2)
      expect(received).toEqual(["one", "all"])
      expect(await world.errors()).toEqual([])
    })

    it("resolves 2,000 pipelined commands of one client in order", { timeout: 30_000 }, async () => {
      const bounds = { sendBufferMaxCount: 2_000 }
      const world = await startServer(transport, { limits: { ...unlimited, ...bounds } })
      const client = world.client({ ...clientProfile(profile), limits: bounds })
      await client.connect()
      const resolved: string[] = []
      const texts = Array.from({ length: 2_000 }, (_, place) => `${place}`)
      await Promise.all(
        texts.map(async (text) => resolved.push((await client.command("echo", { text })).text)),
      )
      expect(resolved).toEqual(texts)
      expect(await world.handled()).toEqual(texts)
      expect(client.stats().pending).toBe(0)
    })

    it("encodes a broadcast to two clients once", async () => {
      const world = await startServer(transport)
      const received: string[] = []
      for (const token of ["ann", "bob"]) {
        const client = world.client({ ...clientProfile(profile), token })
        client.on("note", ({ text }) => received.push(`${token} ${text}`))
        await client.connect()
      }
      const { publicationsEncoded, messagesSent } = await world.stats()
      await world.broadcast("all")
      expect(await world.stats()).toMatchObject({
        publicationsEncoded: publicationsEncoded + 1,
        messagesSent: messagesSent + 2,
      })
      await until(() => received.length === 2)
      expect(received.toSorted()).toEqual(["ann all", "bob all"])
    })

    it("releases a client that is reset in the middle of replies, once, and serves the others", async (context) => {
      skipWithout(context, transport, "tcp")
      const world = await startServer(transport, { limits: unlimited })
      const other = world.client({ ...clientProfile(profile), token: "bob" })
      await other.connect()
      const socket = await openTcpSession(world.port, profile)
      const requests = Array.from({ length: 400 }, (_, place) =>
        maskedFrame(echoBytes(profile, "x", `${place}`)),
      )
      socket.write(Buffer.concat(requests))
      await once(socket, "data")
      socket.resetAndDestroy()
      await connectionsReach(world, 1)
      expect(await other.command("echo", { text: "on" })).toEqual({ text: "on" })
      await expectLeft(world, profile, "ann")
    })

    it("terminates a client that does not read even its close", async () => {
      const bounds = {
        // More than the kernel accepts, also when it enlarges its buffer. In `hawser.1` the first bound is for
        // unacknowledged messages, in either buffer.
        sendBufferMaxBytes: 32 << 20,
        socketHighWaterBytes: 16 << 20,
        outboundMaxBytes20: 16 << 20,
        closeTimeoutMs: 10,
        shutdownMs: 50,
      }
      const world = await startServer(transport, { limits: bounds })
      const slow = await openRawSession(world, profile)
      slow.pause()
      await sendNotesUntil(world, "ann", () => hasEnded(world))
      await connectionsReach(world, 0)
      expect(await world.ended()).toHaveLength(1)
      slow.resume()
      expect((await slow.closed).code).toBe(1006)
    })

    it("drops and conflates volatile events while a client does not read; the latest value arrives", async () => {
      const bounds = { sendBufferMaxBytes: 32 << 20, outboundMaxBytes20: 8 << 20 }
      const world = await startServer(transport, { limits: bounds })
      const slow = await openRawSession(world, profile)
      slow.pause()
      await sendNotesUntil(world, "ann", async () => {
        const [outcome] = await world.send("ann", [{ name: "where", who: "ann", x: 0 }])
        return outcome === "conflated"
      })
      const before = await world.stats()
      for (let x = 1; x <= 10; x += 1) {
        const outcomes = await world.send("ann", [
          { name: "where", who: "ann", x },
          { name: "where", who: "bob", x: -x },
          { name: "blip", x },
        ])
        expect(outcomes).toEqual(["conflated", "conflated", "dropped"])
      }
      expect(await world.stats()).toMatchObject({
        volatileConflated: before.volatileConflated + 19,
        volatileDropped: before.volatileDropped + 10,
        messagesSent: before.messagesSent,
      })
      slow.resume()
      await until(() => lastWhere(slow, "ann") === 10 && lastWhere(slow, "bob") === -10)
      expect(await world.send("ann", [{ name: "blip", x: 11 }])).toEqual(["sent"])
      expect(await world.ended()).toEqual([])
    })

    it("sends conflated values also below the socket's own high-water mark, where it emits no drain", async () => {
      const world = await startServer(transport, { limits: { volatileHighWaterBytes: 1024 } })
      const peer = await openRawSession(world, profile)
      const outcomes = await world.send("ann", [
        { name: "note", text: "x".repeat(2_000) },
        { name: "where", who: "ann", x: 1 },
      ])
      expect(outcomes).toEqual(["sent", "conflated"])
      await until(() => lastWhere(peer, "ann") === 1)
      expect(await world.send("ann", [{ name: "blip", x: 1 }])).toEqual(["sent"])
    })

    it("is not read while it exceeds its limit, and gets every reply when it is read again", async () => {
      const limits = {
        ...unlimited,
        sendBufferMaxBytes: 64 << 20,
        outboundMaxBytes20: 64 << 20,
        heldMaxCount: 8,
        inboxHighWater: 4,
      }
      const world = await startServer(transport, { limits })
      const peer = await openRawSession(world, profile)
      peer.send(gateBytes(profile))
      const total = 300
      const text = "x".repeat(60_000)
      for (let count = 0; count < total; count += 1) peer.send(echoBytes(profile, text, `${count}`))
      await until(async () => (await world.handled()).length === 1)
      const { bytesReceived } = await staysTheSame(async () => await world.stats(), "bytesReceived")
      // Held messages, and those of one read of the socket.
      expect(bytesReceived).toBeLessThan(2 << 20)
      await world.admit()
      const replies = (): number => peer.frames.filter(({ kind }) => kind === "reply").length
      await until(() => replies() === total + 1)
      expect(await world.handled()).toEqual(["gate", ...Array<string>(total).fill(text)])
    })

    it("reopens by itself when the server restarts on the same port", async (context) => {
      skipWithout(context, transport, "tcp")
      const first = await startServer(transport)
      const client = first.client({
        ...clientProfile(profile),
        reconnect: fixed({ baseMs: 5, jitter: "none" }),
        limits: { dialBurst: 1_000, dialsPerMinute: 1_000_000 },
      })
      await client.connect()
      const lost = statusWhen(client, ({ state }) => state === "reconnecting")
      await first.close()
      expect(await lost).toMatchObject({ error: { code: "server_shutdown" } })
      const reopened = statusWhen(client, ({ state }) => state === "open")
      const second = await startServer(transport, { port: first.port })
      await reopened
      expect(await client.command("echo", { text: "again" })).toEqual({ text: "again" })
      expect(await second.handled()).toEqual(["again"])
    })

    it("keeps the newest session: the old client is closed with `replaced` and does not dial again", async () => {
      const world = await startServer(transport, { limits: { sessionsPerUser: 1 } })
      const reconnect = fixed({ baseMs: 0, jitter: "none" })
      const raw = await openRawSession(world, profile)
      const old = world.client({ ...clientProfile(profile), reconnect })
      await old.connect()
      expect((await raw.closed).code).toBe(4409)
      const closed = statusWhen(old, ({ state }) => state === "closed")
      const newest = world.client({ ...clientProfile(profile), reconnect })
      await newest.connect()
      expect(await closed).toMatchObject({ state: "closed", error: { code: "replaced" } })
      expect(old.stats().timers).toBe(0)
      expect(await newest.command("echo", { text: "mine" })).toEqual({ text: "mine" })
      await connectionsReach(world, 1)
      expect(await world.stats()).toMatchObject({ connectionsAccepted: 3, sessions: 1 })
      expect((await world.ended()).map(({ cause }) => cause)).toEqual(["replaced", "replaced"])
    })

    it("drops a peer that answers no ping, and no other", async (context) => {
      skipWithout(context, transport, "tcp")
      const world = await startServer(transport, { limits: { pingAfterMs: 100, pongTimeoutMs: 100 } })
      const alive = await openRawSession(world, profile, "bob")
      const socket = await openTcpSession(world.port, profile)
      await once(socket, "close")
      await connectionsReach(world, 1)
      await expectLeft(world, profile, "ann")
      expect(alive.isOpen).toBe(true)
    })

    it("leaves the requests of a lost peer unanswered and starts none after its end", async (context) => {
      skipWithout(context, transport, "tcp")
      const world = await startServer(transport, { limits: { resumeWindowMs: 50 } })
      const socket = await openTcpSession(world.port, profile)
      socket.write(Buffer.concat([maskedFrame(neverBytes(profile)), maskedFrame(echoBytes(profile))]))
      await until(async () => (await world.handled()).length === 1)
      socket.resetAndDestroy()
      await until(async () => (await world.stats()).sessions === 0)
      expect(await world.handled()).toEqual(["never"])
      expect(await world.stats()).toMatchObject({ connections: 0, timers: 0, requestsSettled: 0 })
      const cause = profile === "2.0" ? "connection_lost" : "session_expired"
      expect((await world.ended()).map((end) => end.cause)).toEqual([cause])
    })
  })

  it("closes a client of 2.0 that does not read with 4408, and no other", async () => {
    const world = await startServer(transport, { limits: { outboundMaxBytes20: 1 << 20 } })
    const other = world.client({ ...clientProfile("2.0"), token: "bob" })
    await other.connect()
    const slow = await openRawSession(world, "2.0")
    slow.pause()
    const sent = await sendNotesUntil(world, "ann", () => hasEnded(world))
    expect((await world.ended()).map(({ cause }) => cause)).toEqual(["slow_consumer"])
    expect((await world.stats()).slowConsumersClosed).toBe(1)
    slow.resume()
    expect((await slow.closed).code).toBe(4408)
    // The message above the bound was not accepted; all before it arrived.
    expect(slow.frames.filter(({ kind }) => kind === "event")).toHaveLength(sent - 1)
    expect(await other.command("echo", { text: "on" })).toEqual({ text: "on" })
  })

  describe("profile hawser.1, whose sessions keep unacknowledged messages", () => {
    const profile = "hawser.1"

    it("abuse-A43 resets the session of a client that does not read at 1 MiB, closes it with 4410, and no other", async () => {
      const world = await startServer(transport)
      const other = world.client({ ...clientProfile(profile), token: "bob" })
      await other.connect()
      const slow = await openRawSession(world, profile)
      slow.pause()
      const sent = await sendNotesUntil(world, "ann", () => hasEnded(world))
      expect((await world.ended()).map(({ cause }) => cause)).toEqual(["session_overflow"])
      // The message above the bound was not accepted; all before it are reported to the application.
      expect((sent - 1) * kib64.length).toBeLessThanOrEqual(1 << 20)
      expect(sent * (kib64.length + 16)).toBeGreaterThan(1 << 20)
      const [end] = await world.ended()
      expect(end?.unacknowledged).toEqual(Array(sent - 1).fill("note"))
      slow.resume()
      expect((await slow.closed).code).toBe(4410)
      expect(slow.frames.at(-1)).toEqual({ kind: "reset", cause: "session_overflow", count: 0 })
      const read = slow.frames.filter(({ kind }) => kind === "event").length
      expect(read).toBeLessThan(sent)
      expect(await other.command("echo", { text: "on" })).toEqual({ text: "on" })
    })

    it("drops a client that acknowledges nothing with 4408, and keeps its session", async () => {
      const limits = { ackProgressMs: 200, pingAfterMs: 100, pongTimeoutMs: 1_000 }
      const world = await startServer(transport, { limits })
      const busy = world.client({ ...clientProfile(profile), token: "bob", limits: { ackDelayMs: 10 } })
      await busy.connect()
      const stalled = await openRawSession(world, profile)
      // It answers pings, as a frozen page does.
      await world.broadcast("for everybody")
      expect((await stalled.closed).code).toBe(4408)
      expect((await world.stats()).slowConsumersClosed).toBe(1)
      await expectLeft(world, profile, "ann")
      expect(await world.sessionsOf("bob")).toMatchObject([{ attached: true }])
    })

    it("refuses the request that would exceed 1,024 without an answer, and loses none of the others", async () => {
      const world = await startServer(transport, { limits: unlimited })
      const client = world.client(clientProfile(profile))
      await client.connect()
      const texts = Array.from({ length: 1_024 }, (_, place) => `${place}`)
      const replies = texts.map((text) => client.command("echo", { text }))
      await expect(client.command("echo", { text: "too much" })).rejects.toMatchObject({
        code: "buffer_full",
      })
      expect(await Promise.all(replies)).toEqual(texts.map((text) => ({ text })))
      expect(await world.handled()).toEqual(texts)
      expect(await client.command("echo", { text: "again" })).toEqual({ text: "again" })
      expect(await world.ended()).toEqual([])
    })
  })

  describe("server.close()", () => {
    it("resolves well within shutdownMs with idle, hung and paused peers, and notifies each in its profile", async (context) => {
      skipWithout(context, transport, "tcp")
      const world = await startServer(transport, { limits: { closeTimeoutMs: 100 } })
      const compact = await openRawSession(world, "hawser.1", "ann")
      const envelope = await openRawSession(world, "2.0", "bob")
      const paused = await openRawSession(world, "hawser.1", "cat")
      paused.pause()
      await openTcpSession(world.port, "hawser.1", "dan")
      await openTcp(world.port, "2.0")
      const silent = await openRaw(world, "hawser.1")
      const startedMs = performance.now()
      await world.close()
      expect(performance.now() - startedMs).toBeLessThan(8_000)
      expect((await compact.closed).code).toBe(4503)
      expect(compact.frames.at(-1)).toMatchObject({ kind: "goaway" })
      expect((await envelope.closed).code).toBe(1012)
      expect(envelope.frames.at(-1)).toMatchObject({ kind: "goaway" })
      expect((await silent.closed).code).toBe(4503)
      expect((await world.ended()).map(({ cause }) => cause)).toEqual(Array(4).fill("server_shutdown"))
      expect(await world.stats()).toMatchObject({ connections: 0, sessions: 0, timers: 0 })
    })

    it("keeps to shutdownMs when a handler never ends and a peer never answers the close", async (context) => {
      skipWithout(context, transport, "tcp")
      const limits = { shutdownMs: 400, closeTimeoutMs: 5_000 }
      const world = await startServer(transport, { limits })
      const client = world.client({ reconnect: false })
      await client.connect()
      // The outcome is unknown to the caller; the nested cause has the reason: this client does not reconnect.
      const cause = { code: "reconnect_exhausted", cause: { code: "server_shutdown" } }
      const lost = { code: "connection_lost", cause }
      const stuck = expect(client.command("never", {})).rejects.toMatchObject(lost)
      await until(async () => (await world.handled()).length === 1)
      await openTcpSession(world.port, "hawser.1", "dan")
      const startedMs = performance.now()
      await world.close()
      expect(performance.now() - startedMs).toBeLessThan(limits.shutdownMs + 3_000)
      await stuck
      expect(await world.stats()).toMatchObject({ connections: 0, sessions: 0 })
      await until(async () => (await world.stats()).timers === 0)
    })
  })

  describe.each(profiles)("hostile MessagePack in profile %s", (profile) => {
    /** In `hawser.1` the first byte is that of a request (0x41): a counted frame whose body is the bomb. */
    const hostile = (bytes: Uint8Array): Uint8Array =>
      profile === "2.0" ? bytes : Buffer.concat([Uint8Array.of(0x41), bytes])

    it.each(bombs)(
      "abuse-A32 abuse-A33 abuse-A34 closes a stranger that begins with %s, and serves the next",
      async (_name, bytes) => {
        const world = await startServer(transport)
        const peer = await openRaw(world, profile)
        peer.send(hostile(bytes))
        const refusedBySize = bytes.length > 8 * 1024 ? 4413 : 4400
        expect((await peer.closed).code).toBe(profile === "2.0" ? 1008 : refusedBySize)
        expect(await world.handled()).toEqual([])
        await expectServed(world)
      },
    )

    it.each(bombs)(
      "abuse-A32 abuse-A33 abuse-A34 answers or closes a user that sends %s, and serves the next",
      async (name, bytes) => {
        const world = await startServer(transport)
        const peer = await openRawSession(world, profile)
        peer.send(hostile(bytes))
        if (profile === "hawser.1") {
          expect((await peer.closed).code).toBe(4400)
        } else {
          // A schema with only `text` drops other keys; a refusal of the decoder is answered with an error.
          const served = name === "a constructor key"
          expect(await peer.next("reply")).toMatchObject({ outcome: { ok: served } })
          peer.close()
          await peer.closed
        }
        expect("polluted" in {}).toBe(false)
        await connectionsReach(world, 0)
        expect(await world.ended()).toHaveLength(1)
        await expectServed(world)
      },
    )
  })

  it("serves a session whose HELLO arrives byte by byte", async (context) => {
    skipWithout(context, transport, "tcp")
    const world = await startServer(transport)
    const socket = await openTcp(world.port, "hawser.1")
    for (const byte of maskedFrame(helloBytes("hawser.1"))) {
      socket.write(Uint8Array.of(byte))
      await nextTurn()
    }
    await until(async () => (await world.stats()).sessions === 1)
  })
})
