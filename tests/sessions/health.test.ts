// Counts of both ends about the health of their connections: real ends, an in-memory network, a simulated clock.
import { profile20 } from "@hawser/server/profile20"
import type { ClientOptions, SessionEvent } from "@hawser/client"
import { HawserError, defaultServerLimits, defineContract } from "@hawser/protocol"
import type { Contract } from "@hawser/protocol"
import { topicRequests } from "@hawser/protocol/core"
import type { Dial } from "@hawser/protocol/core"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { contract, createWorld, openClient, profiles, rejection } from "../faults/harness.ts"
import type { World } from "../faults/harness.ts"

const callNames = [
  ...Object.keys(contract.commands),
  ...Object.keys(contract.queries),
  ...Object.keys(topicRequests),
]
const strangeNames = ["attack", "toString", "constructor", "unknown"]

/** A path to the server that the test can close: dials during that time are cut at once. */
function gate(world: World) {
  let isClosed = false
  const dial: Dial = (url, protocols, events) => {
    const connection = world.network.dial(url, protocols, events)
    if (isClosed) world.network.links.at(-1)?.cut()
    return connection
  }
  return {
    dial,
    /** Refuses new connections. */
    shut: () => (isClosed = true),
    /** Refuses new connections and cuts the open ones. */
    close() {
      isClosed = true
      world.network.links.at(-1)?.cut()
    },
    open: () => (isClosed = false),
  }
}

async function openBehindGate(options: Partial<ClientOptions> = {}) {
  const world = createWorld({ profile: "hawser.1" })
  const way = gate(world)
  const client = await openClient(world, { dial: way.dial, ...options })
  const events: SessionEvent[] = []
  client.onSession((event) => events.push(event))
  return { world, way, client, events }
}

/** Cuts the connection and waits for the resume. */
async function cutOnce(world: World): Promise<void> {
  world.network.links.at(-1)?.cut()
  await world.clock.advance(5_000)
}

describe("an outage", () => {
  it("is reported once it exceeds the application's own limit, and then counted with its length", async () => {
    const { world, way, client, events } = await openBehindGate({ limits: { prolongedOutageMs: 3_000 } })
    const startedAtMs = world.clock.now()
    way.close()
    await world.clock.advance(2_999)
    expect(events).toEqual([])
    await world.clock.advance(1)
    expect(events).toEqual([{ kind: "prolonged", outageMs: 3_000 }])
    expect(client.stats()).toMatchObject({ outages: 1, reconnections: 0, outageMs: 3_000, outagesMs: 0 })
    way.open()
    await world.clock.advance(40_000)
    const [, resumed] = events
    expect(events).toHaveLength(2)
    expect(resumed?.kind).toBe("resumed")
    const stats = client.stats()
    expect(stats).toMatchObject({ outages: 1, reconnections: 1, outageMs: 0 })
    expect([stats.outagesMs, stats.longestOutageMs]).toEqual([stats.outagesMs, stats.outagesMs])
    expect(stats.outagesMs).toBeGreaterThan(3_000)
    expect(resumed).toMatchObject({ outageMs: stats.outagesMs })
    expect(stats.dials - stats.welcomes).toBe(stats.handshakesFailedByCode["connection_failed"])
    expect(startedAtMs + stats.outagesMs).toBeLessThan(world.clock.now())
  })

  it("is not reported when it ends in time, and not counted when the client closes", async () => {
    const { world, client, events } = await openBehindGate()
    await cutOnce(world)
    client.close()
    await world.clock.advance(60_000)
    expect(events.map(({ kind }) => kind)).toEqual(["resumed", "reset"])
    expect(client.stats()).toMatchObject({
      outages: 1,
      reconnections: 1,
      connectionsLost: 1,
      sessionsReset: 0,
    })
  })
})

describe("a resume", () => {
  it("is counted at both ends, with its duration and the replayed messages", async () => {
    const { world, way, client } = await openBehindGate()
    const [session] = world.server.local.sessions()
    way.close()
    await world.clock.advance(700)
    expect(world.server.stats()).toMatchObject({ sessions: 1, attached: 0, detached: 1, sessionsDetached: 1 })
    session?.send("note", { text: "while away" })
    const reply = client.command("echo", { text: "later" })
    expect(world.server.stats()).toMatchObject({ bufferedMessages: 1 })
    expect(world.server.stats().bufferedBytes).toBeGreaterThan(5)
    expect(client.stats()).toMatchObject({ bufferedMessages: 1 })
    way.open()
    await world.clock.advance(30_000)
    await reply
    const server = world.server.stats()
    expect(server).toMatchObject({
      attached: 1,
      detached: 0,
      bufferedMessages: 0,
      bufferedBytes: 0,
      resumesAsked: 1,
      sessionsResumed: 1,
      handshakesAccepted: 2,
      resumesRefusedByCause: {},
    })
    expect([server.absencesResumed.count, server.absencesEnded.count]).toEqual([1, 0])
    expect(server.absencesResumed.sumMs).toBeGreaterThanOrEqual(700)
    expect(client.stats()).toMatchObject({
      resumesAsked: 1,
      sessionsResumed: 1,
      bufferedMessages: 0,
      bufferedBytes: 0,
    })
  })

  it("that is refused is counted by its cause at both ends, and so is the session that ended", async () => {
    const { world, way, client } = await openBehindGate()
    way.close()
    await world.clock.advance(defaultServerLimits.resumeWindowMs + 1_000)
    expect(world.server.stats()).toMatchObject({ sessions: 0, sessionsEndedByCause: { session_expired: 1 } })
    way.open()
    await world.clock.advance(60_000)
    const server = world.server.stats()
    expect(server).toMatchObject({
      resumesAsked: 1,
      sessionsResumed: 0,
      resumesRefusedByCause: { session_expired: 1 },
    })
    expect([server.absencesResumed.count, server.absencesEnded.count]).toEqual([0, 1])
    expect(server.absencesEnded.sumMs).toBe(defaultServerLimits.resumeWindowMs)
    expect(client.stats()).toMatchObject({
      resumesAsked: 1,
      sessionsResumed: 0,
      resumesRefusedByCause: { session_expired: 1 },
      sessionsResetByCause: { session_expired: 1 },
    })
  })
})

describe.each(profiles)("in profile %s", (profile) => {
  it("counts logins by their outcome", async () => {
    const world = createWorld({ profile })
    await openClient(world)
    await rejection(openClient(world, { token: "bad", reconnect: false }))
    await rejection(openClient(world, { token: "broken", reconnect: false }))
    const stats = world.server.stats()
    expect(stats).toMatchObject({ handshakesAccepted: 1, handshakesRefused: 2, handshakesAbandoned: 0 })
    expect(stats.handshakesRefusedByCode).toEqual({ auth_token_invalid: 1, sys_internal_error: 1 })
  })

  it("counts a peer that leaves before the outcome", async () => {
    const world = createWorld({ profile, server: { authenticate: () => new Promise(() => {}) } })
    world
      .client()
      .connect()
      .catch(() => {})
    await world.clock.settle()
    world.network.links.at(-1)?.cut()
    await world.clock.settle()
    expect(world.server.stats()).toMatchObject({
      handshakesAccepted: 0,
      handshakesRefused: 0,
      handshakesAbandoned: 1,
    })
  })

  it("counts requests by their names, with their failures and durations", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world)
    const slow = client.command("slow", { ms: 300 })
    await world.clock.advance(300)
    await slow
    await settled(world, rejection(client.command("fail", {})))
    const waiting = client.command("never", {}).catch(() => {})
    await world.clock.settle()
    const { calls } = world.server.stats()
    expect(calls["slow"]).toMatchObject({ count: 1, failedByCode: {}, latency: { count: 1, sumMs: 300 } })
    expect(calls["fail"]).toMatchObject({ count: 1, failedByCode: { sys_internal_error: 1 } })
    expect(calls["never"]).toMatchObject({ count: 0 })
    expect(client.stats().calls).toMatchObject({
      slow: { count: 1, failedByCode: {}, totalMs: 300, longestMs: 300 },
      fail: { count: 1, failedByCode: { sys_internal_error: 1 } },
    })
    client.close()
    await waiting
    await world.clock.settle()
    expect(world.server.stats()).toMatchObject({
      requestsAbandoned: 1,
      requestsSettled: 2,
      requestsFailed: 1,
    })
  })

  it("counts an end by the application's own code as `other`", async () => {
    const world = createWorld({ profile })
    await openClient(world, { reconnect: false })
    await world.server.endSessions({ user: "ann", code: "no_longer_welcome" })
    await world.clock.settle()
    expect(world.server.stats().sessionsEndedByCause).toEqual({ other: 1 })
  })
})

describe("profile 2.0", () => {
  it("counts by the contract's names and codes, whatever its clients send", async () => {
    const world = createWorld({
      profile: "2.0",
      server: {
        profile20: profile20({
          requests: { slow: () => ({ name: "limited", input: { ok: true } }) },
          error: (error) => ({ ...error, code: "renamed" }),
        }),
      },
    })
    const client = await openClient(world)
    const outcomes = [1, 2, 3].map(() => client.command("slow", { ms: 1 }).catch((error: unknown) => error))
    await world.clock.settle()
    const errors = (await Promise.all(outcomes)).filter((error) => HawserError.is(error))
    expect(errors.map(({ code }) => code)).toContain("renamed")
    const { calls } = world.server.stats()
    expect(calls["slow"]).toMatchObject({ count: 0 })
    expect(calls["limited"]).toMatchObject({ count: 3, failedByCode: { rate_limited: 1 } })
  })

  it("counts names that the contract does not have in one row", async () => {
    const world = createWorld({ profile: "2.0" })
    const nothing = z.object({})
    const other = defineContract({
      name: "other",
      commands: Object.fromEntries(strangeNames.map((name) => [name, { input: nothing, output: nothing }])),
    })
    const client = world.clientOf<Contract>(other)
    await settled(world, client.connect())
    for (const name of strangeNames) await settled(world, rejection(client.command(name, {})))
    const { calls } = world.server.stats()
    expect(Object.keys(calls).sort()).toEqual([...callNames, "unknown"].sort())
    expect(calls["unknown"]).toMatchObject({
      count: strangeNames.length,
      failedByCode: { sys_invalid_message: strangeNames.length },
    })
  })
})

describe("a dead connection", () => {
  it("is counted as silent when a ping has no answer", async () => {
    const { world, way } = await openBehindGate()
    world.network.links.at(-1)?.blackHole()
    const { pingAfterMs, pongTimeoutMs } = defaultServerLimits
    way.shut()
    await world.clock.advance(2 * (pingAfterMs + pongTimeoutMs))
    expect(world.server.stats()).toMatchObject({ silentConnectionsClosed: 1, connections: 0 })
  })

  it("is counted as overdue when its client does not move in time", async () => {
    const { world, way } = await openBehindGate()
    way.shut()
    const drained = world.server.drain({ spreadMs: 100, graceMs: 200 })
    await world.clock.advance(400)
    await drained
    expect(world.server.stats()).toMatchObject({ drains: 1, drainOverdue: 1 })
  })
})

async function settled<T>(world: World, promise: Promise<T>): Promise<T> {
  await world.clock.settle()
  return promise
}
