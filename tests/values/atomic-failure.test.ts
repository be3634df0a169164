// A value that cannot be encoded changes no state: a join, a change of presence, a publication, an end and a log-in
// succeed as a whole or have no effect.
import { profile20 } from "@hawser/server/profile20"
import { HawserError } from "@hawser/protocol"
import { clientMessageLimits } from "@hawser/protocol/core"
import type { ServerLimits } from "@hawser/protocol"
import { describe, expect, it } from "vitest"
import { createWorld, nested, settled, thrownBy } from "./harness.ts"
import type { ValuesClient, World } from "./harness.ts"

/** Number of containers around a state in the EVENT `$join`, which limits the depth of a state. */
const deepest = clientMessageLimits.maxDepth - 5

async function enter(world: World, user: string, state: unknown): Promise<ValuesClient> {
  const client = await world.open(user)
  expect(await settled(world, client.topic("room:a").join({ state }))).toBeUndefined()
  return client
}

function seen(client: ValuesClient): unknown[] {
  return [...client.topic("room:a").presence].map(({ user, state }) => [user, state])
}

function leaveAll(clients: readonly ValuesClient[]): Promise<unknown> {
  return Promise.all(clients.map((client) => client.topic("room:a").leave()))
}

function countOf(client: ValuesClient | undefined): unknown[] {
  const presence = client?.topic("room:a").presence
  return [presence?.count, presence?.size]
}

function expectWhole(world: World, clients: readonly ValuesClient[]): void {
  for (const client of clients)
    expect(client.stats()).toMatchObject({ sessionsOpened: 1, sessionsReset: 0, connectionsLost: 0 })
  expect([world.clientErrors, world.serverErrors]).toEqual([[], []])
}

describe("surprise-B2 a state of presence that the room could not show", () => {
  it("is refused by the join, and the room stays open for all clients", async () => {
    const world = createWorld()
    const ann = await enter(world, "ann", nested(deepest))
    const ben = await world.open("ben")
    expect(await settled(world, ben.topic("room:a").join({ state: nested(deepest + 1) }))).toMatch(
      /^invalid_input: .*nested too deep/,
    )
    expect(ben.topic("room:a").state).toBe("out")
    const cem = await enter(world, "cem", "fine")
    await settled(world, ben.topic("room:a").join({ state: "flat" }))
    const all = [
      ["ann", nested(deepest)],
      ["cem", "fine"],
      ["ben", "flat"],
    ]
    for (const client of [ann, ben, cem]) expect(seen(client)).toEqual(all)
    expect(world.server.local.topic("room:a").size).toBe(3)
    expect(world.server.stats().topicMembers).toBe(3)
    expectWhole(world, [ann, ben, cem])
  })

  it("is refused as a change, and the previous one is kept", async () => {
    const world = createWorld()
    const [ann, ben] = [await enter(world, "ann", "first"), await enter(world, "ben", "other")]
    expect(await settled(world, ann.topic("room:a").setState(nested(deepest + 1)))).toMatch("invalid_input")
    const all = [
      ["ann", "first"],
      ["ben", "other"],
    ]
    expect([seen(ann), seen(ben)]).toEqual([all, all])
    // A new session joins with the last accepted state.
    await world.server.endSessions({ user: "ann", code: "session_expired" })
    await world.clock.advance(10_000)
    expect(seen(ben)).toContainEqual(["ann", "first"])
    await settled(world, ann.topic("room:a").setState(nested(deepest)))
    expect(seen(ben)).toContainEqual(["ann", nested(deepest)])
  })

  const narrow = { ...clientMessageLimits, maxBytes: 20_000 }
  const few = { ...clientMessageLimits, maxElements: 4_000 }
  it.each<[string, Partial<ServerLimits>, number]>([
    ["bytes", { clientMessage: narrow }, 27],
    ["elements", { clientMessage: few }, 5],
  ])(
    "does not limit a room: the list holds as many members as a message, the count all (%s)",
    async (_, limits, listed) => {
      const world = createWorld({ limits: { ...limits, presenceStateMaxBytes: 500 } })
      const state = Array.from({ length: 490 }, () => 1)
      const clients: ValuesClient[] = []
      for (let member = 0; member < 40; member += 1) clients.push(await enter(world, `user ${member}`, state))
      const [first, last] = [clients[0], clients.at(-1)]
      for (const client of [first, last]) expect(countOf(client)).toEqual([40, listed])
      // When listed members leave, others move up.
      await settled(world, leaveAll(clients.slice(0, 20)), 1_000)
      expect(countOf(last)).toEqual([20, Math.min(20, listed)])
      expect(world.server.stats().sessionsEndedByCause).toEqual({})
      expect([world.clientErrors, world.serverErrors]).toEqual([[], []])
    },
  )

  it("reports more members that left than one message holds", async () => {
    // 15 ids in one message, and 6 members.
    const clientMessage = { ...clientMessageLimits, maxElements: 120 }
    const world = createWorld({ limits: { clientMessage, presenceStateMaxBytes: 10, presenceTickMs: 1_000 } })
    const stays = await enter(world, "stays", 0)
    const clients: ValuesClient[] = []
    for (let member = 0; member < 130; member += 1) clients.push(await enter(world, `user ${member}`, member))
    await world.clock.advance(2_000)
    expect(countOf(stays)).toEqual([131, 6])
    await settled(world, leaveAll(clients), 5_000)
    expect([countOf(stays), seen(stays)]).toEqual([[1, 1], [["stays", 0]]])
    expectWhole(world, [stays, ...clients])
  })
})

describe("surprise-B2 a publication that cannot be encoded", () => {
  it("creates no topic, and evicts no other topic's history", async () => {
    const world = createWorld({ history: {}, limits: { idleTopicsMax: 1 } })
    world.server.topic("room:a").publish("note", "kept")
    expect(thrownBy(() => world.server.topic("room:b").publish("note", 5n))).toMatch("invalid_input")
    const ann = await world.open("ann")
    const received: unknown[] = []
    ann.topic("room:a").on("note", (payload) => received.push(payload))
    await settled(world, ann.topic("room:a").join({ state: 1, recent: 5 }))
    expect(received).toEqual(["kept"])
  })

  it("is no gap for a later member: one that is too large for the buffer is a gap", async () => {
    const world = createWorld({ history: { maxBytes: 2 ** 22 }, limits: { sendBufferMaxBytes: 100_000 } })
    const room = world.server.topic("room:a")
    for (const payload of ["first", "x".repeat(99_000), "x".repeat(98_000), "last"])
      room.publish("note", payload)
    const ann = await world.open("ann")
    const received: unknown[] = []
    ann.topic("room:a").on("note", (payload, { offset }) => received.push([offset, payload]))
    ann.topic("room:a").onGap(({ from, to, reason }) => received.push([from, to, reason]))
    expect(await settled(world, ann.topic("room:a").join({ state: 1, recent: 9 }))).toBeUndefined()
    expect(received).toEqual([
      [1, "first"],
      [2, 3, "trimmed"],
      [4, "last"],
    ])
    expectWhole(world, [ann])
  })

  it("waits for space where the buffer is not empty, instead of ending the session", async () => {
    const world = createWorld({
      history: { maxBytes: 2 ** 22 },
      limits: { sendBufferMaxBytes: 100_000 },
      latencyMs: 20,
    })
    const payloads = Array.from({ length: 5 }, (_, at) => `${at}${"x".repeat(60_000)}`)
    for (const payload of payloads) world.server.topic("room:a").publish("note", payload)
    const ann = await world.open("ann")
    const received: unknown[] = []
    ann.topic("room:a").on("note", (payload) => received.push(payload))
    // Both are under way at once: when the server reads the request, the client has not acknowledged the event.
    const joined = ann.topic("room:a").join({ state: 1, recent: 9 })
    await world.clock.advance(10)
    world.server.broadcast("note", "b".repeat(45_000))
    expect(await settled(world, joined, 20_000)).toBeUndefined()
    expect(received).toEqual(payloads)
    expectWhole(world, [ann])
  })
})

describe("surprise-B2 a session", () => {
  it.each([
    ["half a pair in its code", "code_\ud83d", "message"],
    ["half a pair in its message", "application_code", "cut \ud83d"],
    ["a message of two megabytes", "application_code", "x".repeat(2_000_000)],
    ["a code of two megabytes", "x".repeat(2_000_000), "message"],
  ])("ends completely, with any cause: %s", async (_, code, message) => {
    const world = createWorld()
    const ended: string[] = []
    world.server.onSessionEnd(({ cause }) => void ended.push(cause))
    const ann = await enter(world, "ann", 1)
    await world.server.endSessions({ user: "ann", code, message })
    await world.clock.advance(1_000)
    expect(ended).toEqual([code])
    expect(ann.current.state).toBe("closed")
    expect(world.server.local.topic("room:a").size).toBe(0)
    expect(world.server.stats()).toMatchObject({ sessions: 0, connections: 0, topicMembers: 0 })
    expect([world.clientErrors, world.serverErrors]).toEqual([[], []])
  })

  it("does not remain after a WELCOME that cannot be sent", async () => {
    const ended: string[] = []
    const welcome = (): object => ({ config: { seed: 5n } })
    const world = createWorld({ profile: "2.0", server: { profile20: profile20({ welcome }) } })
    world.server.onSessionEnd(({ cause }) => void ended.push(cause))
    const ann = world.client("ann", { reconnect: false })
    expect(await settled(world, ann.connect(), 20_000)).not.toBeUndefined()
    expect([world.server.local.sessions(), ended]).toEqual([[], []])
    expect(world.serverErrors).toMatchObject([{ code: "invalid_input", details: { path: "config.seed" } }])
    expect(world.server.stats()).toMatchObject({ sessions: 0, connections: 0 })
  })

  it("is refused with a message, with any details of the refusal", async () => {
    const authenticate = (): never => {
      throw new HawserError("auth_forbidden", { message: "banned \ud83d", details: { until: 5n } })
    }
    for (const profile of ["hawser.1", "2.0"] as const) {
      const world = createWorld({ profile, server: { authenticate } })
      const ann = world.client("ann", { reconnect: false })
      expect(await settled(world, ann.connect(), 20_000)).toBe("auth_forbidden: banned \ufffd")
      expect(world.serverErrors).toHaveLength(1)
    }
  })

  it("is refused for a user whose id cannot be sent to others", async () => {
    const world = createWorld({ server: { authenticate: () => ({ id: "ann\ud83d" }) } })
    const ann = world.client("ann", { reconnect: false })
    expect(await settled(world, ann.connect(), 20_000)).toMatch("The server failed")
    expect([world.serverErrors.length, world.server.local.sessions()]).toEqual([1, []])
  })

  it("is not lost by a token that cannot be sent", async () => {
    const world = createWorld()
    const ann = world.client("x".repeat(70_000))
    expect(await settled(world, ann.connect(), 20_000)).toMatch(
      /^message_too_large: the token cannot be sent/,
    )
    const ben = world.client("ben\ud83d")
    expect(await settled(world, ben.connect(), 20_000)).toMatch(
      /^auth_token_invalid: .*half a surrogate pair/,
    )
    await world.clock.advance(600_000)
    expect([ann.current.state, ben.current.state]).toEqual(["closed", "closed"])
  })
})

describe("surprise-B2 a request with a key", () => {
  it("runs once, though its result cannot be sent", async () => {
    const world = createWorld()
    const ann = await world.open("ann")
    let runs = 0
    world.made.make = () => {
      runs += 1
      return new Set([runs])
    }
    for (let time = 0; time < 3; time += 1)
      expect(await settled(world, ann.command("make", 1, { key: "k" }))).toMatch("sys_internal_error")
    expect([runs, world.serverErrors.length]).toEqual([1, 1])
  })
})
