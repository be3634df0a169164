// A session store that answers late, hands records over, or knows of another process.
import type { Client, SessionEvent } from "@hawser/client"
import { decodeSessionRecord } from "@hawser/server"
import type { SessionClaim, SessionRecord } from "@hawser/server"
import { describe, expect, it } from "vitest"
import { boundlessDials, createWorld } from "../faults/harness.ts"
import type { TestContract, World } from "../faults/harness.ts"
import { frozenSessions } from "./frozen-sessions.ts"
import type { FrozenSessions } from "./frozen-sessions.ts"

interface Scene {
  readonly world: World
  readonly client: Client<TestContract>
  readonly frozen: FrozenSessions
  readonly events: SessionEvent[]
  /** Answer to the next claims; undefined for that of the memory store. */
  answer: SessionClaim | undefined
  /** Delay of every answer, in milliseconds; 0 answers at once. */
  delayMs: number
  /** Records that the server has returned. */
  readonly putBack: SessionRecord[]
}

async function openScene(options: { readonly delayMs?: number } = {}): Promise<Scene> {
  const later = <T>(ask: () => T | Promise<T>): T | Promise<T> =>
    scene.delayMs === 0
      ? ask()
      : new Promise<void>((resolve) => world.clock.schedule(scene.delayMs, resolve)).then(ask)
  const frozen = frozenSessions((store) => ({
    claim: (sessionId, userId) => {
      const { answer } = scene
      return later(() => answer ?? store.claim(sessionId, userId))
    },
    open: (newcomer) => later(() => store.open(newcomer)),
    putBack: (record) => void scene.putBack.push(record),
  }))
  const server = { sessionStore: frozen.create }
  const world = createWorld({ profile: "hawser.1", latencyMs: 10, server })
  const client = world.client({ limits: boundlessDials })
  const events: SessionEvent[] = []
  const scene: Scene = {
    world,
    client,
    frozen,
    events,
    answer: undefined,
    delayMs: options.delayMs ?? 0,
    putBack: [],
  }
  client.onSession((event) => events.push(event))
  const connected = client.connect()
  await world.clock.advance(100 + scene.delayMs)
  await connected
  events.length = 0
  return scene
}

describe("a session store", () => {
  it("may answer late for newcomers and for claims", async () => {
    const scene = await openScene({ delayMs: 200 })
    const reply = scene.client.command("echo", { text: "a" })
    await scene.world.clock.advance(5)
    scene.client.cut()
    await scene.world.clock.advance(2_000)
    expect(await reply).toEqual({ text: "a" })
    expect(scene.events).toMatchObject([{ kind: "resumed" }])
    expect(scene.world.server.local.sessions().map(({ id }) => id)).toEqual(["session-1"])
  })

  it("binds a session whose record the store hands over", async () => {
    const scene = await openScene({ delayMs: 50 })
    const { world, client, frozen } = scene
    scene.answer = { kind: "record", record: decodeSessionRecord(frozen.freeze("session-1")) }
    const reply = client.command("echo", { text: "a" })
    await world.clock.advance(2_000)
    expect(await reply).toEqual({ text: "a" })
    expect(scene.events).toMatchObject([{ kind: "resumed" }])
    expect(world.handled).toEqual(["a"])
  })

  it("leaves the session detached if the connection is closed when the store answers", async () => {
    const scene = await openScene()
    const { world, client, frozen } = scene
    scene.answer = { kind: "record", record: decodeSessionRecord(frozen.freeze("session-1")) }
    scene.delayMs = 1_000
    await world.clock.advance(500)
    world.network.listening = false
    client.cut()
    world.network.links.at(-1)?.cut()
    await world.clock.advance(2_000)
    expect(world.server.local.sessions()).toMatchObject([{ id: "session-1", attached: false }])
    scene.answer = undefined
    scene.delayMs = 0
    await world.clock.advance(120_000)
    expect(world.server.local.sessions()).toEqual([])
    expect(world.serverErrors).toEqual([])
  })

  it("gets a record back that it hands over to a server that is closing", async () => {
    const scene = await openScene()
    const { world, frozen } = scene
    const record = decodeSessionRecord(frozen.freeze("session-1"))
    scene.answer = { kind: "record", record }
    scene.delayMs = 1_500
    // The client claims its session, and the server closes before the store answers.
    await world.clock.advance(500)
    const closed = world.server.close()
    await world.clock.advance(5_000)
    await closed
    expect(scene.putBack[0]).toEqual(record)
    expect(world.server.local.sessions()).toEqual([])
  })

  it("opens no session after close() for a log-in that waited for the store", async () => {
    const scene = await openScene()
    const { world } = scene
    scene.delayMs = 1_000
    const other = world.client({ token: "ben" })
    other.connect().catch(() => {})
    await world.clock.advance(500)
    const closed = world.server.close()
    await world.clock.advance(5_000)
    await closed
    expect(other.sessionId).toBeUndefined()
    expect(world.server.stats().sessionsOpened).toBe(1)
  })

  it("that answers many newcomers at once does not exceed the sessions of a user", async () => {
    const scene = await openScene({ delayMs: 200 })
    const { world } = scene
    const { sessionsPerUser } = world.server.entrances.limits
    const clients = Array.from({ length: sessionsPerUser + 9 }, () =>
      world.client({ token: "ben", reconnect: false }),
    )
    for (const client of clients) client.connect().catch(() => {})
    await world.clock.advance(1_000)
    expect(world.server.local.sessions("ben")).toHaveLength(sessionsPerUser)
  })

  it("refuses a session of another process, and resumes it later", async () => {
    const scene = await openScene()
    const { world, client, frozen } = scene
    const bytes = frozen.freeze("session-1")
    scene.answer = { kind: "elsewhere", retryAfterMs: 300 }
    await world.clock.advance(1_000)
    expect(client.current).toMatchObject({ state: "reconnecting" })
    expect(scene.events).toEqual([])
    frozen.thaw(bytes)
    scene.answer = undefined
    await world.clock.advance(10_000)
    expect(client.current).toMatchObject({ state: "open" })
    expect(scene.events).toMatchObject([{ kind: "resumed" }])
  })

  it("refuses a log-in whose store does not answer in time", async () => {
    const scene = await openScene()
    const { world, client } = scene
    scene.delayMs = 60_000
    client.cut()
    expect(world.server.stats().handshakesRefused).toBe(0)
    await world.clock.advance(8_000)
    expect(world.server.stats().handshakesRefused).toBe(1)
    expect(world.server.stats().handshakesRefusedByCode).toMatchObject({ sys_service_unavailable: 1 })
    scene.delayMs = 0
    await world.clock.advance(30_000)
    expect(client.current).toMatchObject({ state: "open" })
    expect(scene.events).toMatchObject([{ kind: "resumed" }])
    expect(world.serverErrors).toEqual([])
  })
})
