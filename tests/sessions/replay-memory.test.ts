// Messages of all detached sessions together: bounded, a broadcast counted once, the largest session evicted first.
import type { Client, SessionEvent } from "@hawser/client"
import { defaultServerLimits } from "@hawser/protocol"
import { describe, expect, it } from "vitest"
import { createWorld } from "../faults/harness.ts"
import type { TestContract, World } from "../faults/harness.ts"
import { sendHello } from "./scripted-client.ts"

interface Guest {
  readonly client: Client<TestContract>
  readonly received: string[]
  readonly events: SessionEvent[]
}

async function open(world: World, token: string): Promise<Guest> {
  const client = world.client({ token })
  const guest: Guest = { client, received: [], events: [] }
  client.on("note", ({ text }) => guest.received.push(text))
  client.onSession((event) => guest.events.push(event))
  void client.connect().catch(() => {})
  await world.clock.advance(100)
  return guest
}

function sendLarge(world: World, userId: string, bytes: number): void {
  const [session] = world.server.local.sessions(userId)
  session?.send("note", { text: "x".repeat(bytes) })
}

/** Cuts every connection, and refuses new ones. */
async function loseAll(world: World): Promise<void> {
  world.network.listening = false
  for (const link of world.network.links) link.cut()
  await world.clock.advance(50)
}

describe("the memory of all sessions together", () => {
  it("counts a broadcast once, and nothing when it is acknowledged", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const guests = [await open(world, "ann"), await open(world, "ben"), await open(world, "cleo")]
    world.server.broadcast("note", { text: "x".repeat(1_000) })
    const { replayBytes, bufferedBytes } = world.server.stats()
    expect(bufferedBytes).toBe(replayBytes * 3)
    expect(replayBytes).toBeGreaterThan(1_000)
    await world.clock.advance(1_000)
    expect(world.server.stats().replayBytes).toBe(0)
    expect(guests.map(({ received }) => received.length)).toEqual([1, 1, 1])
  })

  it("ends detached sessions, the largest first, until the rest fits, and reports it to their clients", async () => {
    const world = createWorld({ profile: "hawser.1", limits: { replayMaxBytes: 10_000 } })
    const ann = await open(world, "ann")
    const ben = await open(world, "ben")
    const cleo = await open(world, "cleo")
    await loseAll(world)
    sendLarge(world, "ann", 3_000)
    sendLarge(world, "ben", 5_000)
    await world.clock.advance(200)
    expect(world.server.local.sessions()).toHaveLength(3)
    sendLarge(world, "cleo", 4_000)
    await world.clock.advance(200)
    expect(world.server.local.sessions().map(({ user }) => user.id)).toEqual(["ann", "cleo"])
    expect(world.server.stats().replayBytes).toBeLessThan(10_000)
    world.network.listening = true
    await world.clock.advance(60_000)
    expect(ben.events).toContainEqual(expect.objectContaining({ kind: "reset", cause: "session_overflow" }))
    expect([ann, cleo].map(({ received }) => received.length)).toEqual([1, 1])
    expect([ann, cleo].flatMap(({ events }) => events.map(({ kind }) => kind))).toEqual([
      ...["opened", "resumed"],
      ...["opened", "resumed"],
    ])
  })

  it("door-8 ends sessions each time that it exceeds its bound, not the first time only", async () => {
    const world = createWorld({ profile: "hawser.1", limits: { replayMaxBytes: 10_000 } })
    for (const user of ["ann", "ben", "cleo"]) await open(world, user)
    await loseAll(world)
    const left: string[][] = []
    for (const user of ["ann", "ben", "cleo"]) {
      sendLarge(world, user, 11_000)
      await world.clock.advance(200)
      left.push(world.server.local.sessions().map(({ user: { id } }) => id))
    }
    expect(left).toEqual([["ben", "cleo"], ["cleo"], []])
  })

  it("abuse-A44 holds 16 sessions of 1 MiB for one user that fills them, however many it opens", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const { sendBufferMaxBytes, sessionsPerUser } = defaultServerLimits
    const most = sessionsPerUser * sendBufferMaxBytes
    for (let round = 0; round < 3 * sessionsPerUser; round += 1) {
      const hoarder = await sendHello(world, { clientId: `hoarder ${round}` })
      hoarder.cut()
      await world.clock.settle()
      const newest = world.server.local.sessions("ann").at(-1)
      for (let count = 0; count < 17; count += 1) newest?.send("note", { text: "x".repeat(60_000) })
      await world.clock.advance(100)
      expect(world.server.local.sessions("ann").length).toBeLessThanOrEqual(sessionsPerUser)
      expect(world.server.stats().replayBytes).toBeLessThanOrEqual(most)
    }
    expect(world.server.stats().replayBytes).toBeGreaterThan(0.9 * most)
    expect(world.server.stats().sessionsEndedByCause).toEqual({ replaced: 2 * sessionsPerUser })
    await world.clock.advance(defaultServerLimits.resumeWindowMs)
    expect(world.server.stats()).toMatchObject({ sessions: 0, replayBytes: 0 })
  })

  it("abuse-A44 evicts the buffers of one user before another user's smaller one", async () => {
    const world = createWorld({ profile: "hawser.1", limits: { replayMaxBytes: 3 << 20 } })
    const other = await sendHello(world, { token: "bob", clientId: "bob" })
    other.cut()
    await world.clock.settle()
    sendLarge(world, "bob", 60_000)
    for (let round = 0; round < 5; round += 1) {
      const hoarder = await sendHello(world, { clientId: `hoarder ${round}` })
      hoarder.cut()
      await world.clock.settle()
      for (let count = 0; count < 16; count += 1)
        world.server.local
          .sessions("ann")
          .at(-1)
          ?.send("note", { text: "x".repeat(60_000) })
      await world.clock.advance(200)
      expect(world.server.stats().replayBytes).toBeLessThanOrEqual(3 << 20)
    }
    expect(world.server.local.sessions("bob")).toHaveLength(1)
  })

  it("opens no new session above its bound, and does not end the open ones", async () => {
    const world = createWorld({ profile: "hawser.1", limits: { replayMaxBytes: 10_000, ackDelayMs: 1_000 } })
    const ann = await open(world, "ann")
    world.network.links[0]?.server.stall(true)
    sendLarge(world, "ann", 20_000)
    const ben = await open(world, "ben")
    expect(ben.events).toEqual([])
    expect(world.server.stats().handshakesRefusedByCode).toEqual({ sys_service_unavailable: 1 })
    world.network.links[0]?.server.stall(false)
    await world.clock.advance(60_000)
    expect(ann.received).toHaveLength(1)
    expect(ann.events.map(({ kind }) => kind)).toEqual(["opened"])
    expect(ben.events.map(({ kind }) => kind)).toEqual(["opened"])
  })
})
