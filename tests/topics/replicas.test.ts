// Replicas of topics: members see the records of their topic, from their join to their leave; a topic's records end with its
// last session. Resumes, new sessions and new servers lead to the same records as at the server.
import { createClient as createCore, topics } from "@hawser/client/core"
import type { Client } from "@hawser/client"
import { describe, expect, it } from "vitest"
import { contract, createWorld, sessionOf, settled } from "./harness.ts"
import type { TopicClient, World } from "./harness.ts"

const tickMs = 200

type Board = `board:${string}`

async function joined(world: World, client: TopicClient, name: Board = "board:7"): Promise<void> {
  expect(await settled(world, client.topic(name).join())).toBeUndefined()
}

function cursors(client: Client<typeof contract>, name: Board = "board:7"): object {
  return Object.fromEntries(client.topic(name).replica("cursors"))
}

/** Events of the copy, in order. */
function eventsOf(client: TopicClient): string[] {
  const events: string[] = []
  const copy = client.topic("board:7").replica("cursors")
  for (const kind of ["enter", "change", "leave"] as const)
    copy.on(kind, ({ id, record }) => events.push(`${kind} ${id} ${record.x}`))
  copy.onStale(({ kind }) => events.push(kind))
  return events
}

const at = (x: number, name = "ann") => ({ x, name })

describe("a replica of a topic", () => {
  it("shows a record of an owner to the member for which the server opens it", async () => {
    const world = createWorld()
    const [ann, ben] = [await world.open("ann"), await world.open("ben")]
    await joined(world, ann)
    await joined(world, ben)
    const hands = world.server.topic("board:7").replica("hands")
    hands.set("ann", { card: "ace" })
    hands.view(sessionOf(world, "ann"), { only: "ann" })
    await world.clock.advance(tickMs)
    expect([...ann.topic("board:7").replica("hands")]).toEqual([["ann", { card: "ace" }]])
    expect(ben.topic("board:7").replica("hands")).toMatchObject({ size: 0, stale: false })
  })

  it("shows each topic's records to its members alone", async () => {
    const world = createWorld()
    const [ann, ben, cem] = [await world.open("ann"), await world.open("ben"), await world.open("cem")]
    await joined(world, ann)
    await joined(world, ben, "board:8")
    world.server.topic("board:7").subscribe(sessionOf(world, "cem"))
    const before = cem.stats().bytesReceived
    world.server.topic("board:7").replica("cursors").set("a", at(1))
    world.server.topic("board:8").replica("cursors").set("a", at(2))
    await world.clock.advance(tickMs)
    expect([cursors(ann), cursors(ann, "board:8")]).toEqual([{ a: at(1) }, {}])
    expect([cursors(ben), cursors(ben, "board:8")]).toEqual([{}, { a: at(2) }])
    expect([cursors(cem), cem.stats().bytesReceived - before]).toEqual([{}, 0])
    expect(world.server.stats()).toMatchObject({ replicaRecords: 2, viewing: 2 })
    expect(world.errors).toEqual([])
  })

  it("is readable before the join, and emptied at the end of the membership", async () => {
    const world = createWorld()
    const client = await world.open("ann")
    await joined(world, await world.open("ben"))
    const copy = client.topic("board:7").replica("cursors")
    expect(client.topic("board:7").replica("cursors")).toBe(copy)
    const events = eventsOf(client)
    world.server.topic("board:7").replica("cursors").set("a", at(1))
    expect([copy.size, copy.stale, copy.snapshot().stale]).toEqual([0, true, true])
    await joined(world, client)
    expect([copy.size, copy.stale, copy.get("a")]).toEqual([1, false, at(1)])
    await settled(world, client.topic("board:7").leave())
    world.server.topic("board:7").replica("cursors").patch("a", { x: 2 })
    await world.clock.advance(tickMs)
    expect([copy.size, copy.stale]).toEqual([0, true])
    await joined(world, client)
    expect([copy.stale, copy.snapshot().records.get("a")]).toEqual([false, at(2)])
    world.server.topic("board:7").unsubscribe(sessionOf(world, "ann"))
    await world.clock.advance(tickMs)
    expect([copy.size, copy.stale]).toEqual([0, true])
    expect(events).toEqual([
      ...["enter a 1", "fresh", "leave a 1", "stale"],
      ...["enter a 2", "fresh", "leave a 2", "stale"],
    ])
    expect(world.errors).toEqual([])
  })

  it("gives stores of the copy and of a record", async () => {
    const world = createWorld()
    const client = await world.open("ann")
    await joined(world, client)
    const server = world.server.topic("board:7").replica("cursors")
    const record = client.topic("board:7").replica("cursors").record("a")
    const seen: (number | undefined)[] = []
    record.subscribe(() => seen.push(record.snapshot()?.x))
    server.set("a", at(1))
    server.set("b", at(5))
    await world.clock.advance(tickMs)
    server.patch("b", { x: 6 })
    await world.clock.advance(tickMs)
    server.patch("a", { x: 2 })
    await world.clock.advance(tickMs)
    server.remove("a")
    await world.clock.advance(tickMs)
    expect(seen).toEqual([1, 2, undefined])
    expect(client.topic("board:7").replica("cursors").snapshot()).toEqual({
      records: new Map([["b", at(6)]]),
      stale: false,
    })
  })

  it("ignores frames of a membership that the client has left", async () => {
    const world = createWorld({ latencyMs: 30 })
    const client = await world.open("ann")
    await joined(world, await world.open("ben"))
    await joined(world, client)
    const server = world.server.topic("board:7").replica("cursors")
    server.set("a", at(1))
    await world.clock.advance(60)
    // The frame with the record is under way.
    const left = client.topic("board:7").leave()
    const again = client.topic("board:7").join()
    expect(cursors(client)).toEqual({})
    await world.clock.advance(40)
    expect(cursors(client)).toEqual({})
    expect(client.topic("board:7").replica("cursors").stale).toBe(true)
    await world.clock.advance(500)
    await Promise.all([left, again])
    expect(cursors(client)).toEqual({ a: at(1) })
    server.patch("a", { x: 2 })
    await world.clock.advance(tickMs)
    expect(cursors(client)).toEqual({ a: at(2) })
    expect(world.errors).toEqual([])
  })

  it("ignores a description that was under way when the client left", async () => {
    const world = createWorld({ latencyMs: 30 })
    const client = await world.open("ann")
    await joined(world, await world.open("ben"))
    world.server.topic("board:7").replica("cursors").set("a", at(1))
    await world.clock.advance(tickMs)
    const join = client.topic("board:7").join()
    // The server sends REPLICA 50 ms after the join: it has left the server, and has not arrived.
    await world.clock.advance(90)
    await join
    const events = eventsOf(client)
    const left = client.topic("board:7").leave()
    await world.clock.advance(40)
    expect([cursors(client), events]).toEqual([{}, []])
    await world.clock.advance(100)
    await left
    // To ben a description, a snapshot of each replica and a delta; to ann all but the delta.
    expect(world.server.stats()).toMatchObject({ replicaFramesSent: 13 })
    expect(world.errors).toEqual([])
  })

  it("is not sent to a client of 2.0, which cannot join", async () => {
    const world = createWorld({ profile: "2.0" })
    const client = await world.open("ann")
    expect(await settled(world, client.topic("board:7").join())).toBe("not_available")
    const before = client.stats().bytesReceived
    const server = world.server.topic("board:7").replica("cursors")
    server.set("a", at(1))
    server.view(sessionOf(world, "ann"))
    await world.clock.advance(tickMs)
    expect([cursors(client), client.stats().bytesReceived - before]).toEqual([{}, 0])
  })
})

describe("the life of a topic's replica", () => {
  it("ends with the last session of the topic, and begins again with another epoch", async () => {
    const world = createWorld()
    const [ann, ben] = [await world.open("ann"), await world.open("ben")]
    for (const client of [ann, ben]) await joined(world, client)
    const server = world.server.topic("board:7").replica("cursors")
    server.set("a", at(1))
    await settled(world, ann.topic("board:7").leave())
    expect([server.size, server.has("a"), server.get("a"), [...server.ids()]]).toEqual([
      1,
      true,
      at(1),
      ["a"],
    ])
    world.network.listening = false
    for (const link of world.network.links) link.cut()
    await world.clock.advance(119_000)
    expect(server.size).toBe(1)
    await world.clock.advance(2_000)
    expect([server.size, server.has("a"), server.get("a"), [...server.ids()]]).toEqual([
      0,
      false,
      undefined,
      [],
    ])
    expect(server.remove("a")).toBe(false)
    expect(() => server.patch("a", { x: 1 })).toThrow('the replica "cursors" has no record "a"')
    expect(world.server.stats()).toMatchObject({ replicaRecords: 0, replicaCells: 0, timers: 0 })
    world.network.listening = true
    // Same version as the first instance had.
    server.set("b", at(2))
    await world.clock.advance(120_000)
    expect(ben.topic("board:7").state).toBe("in")
    expect(cursors(ben)).toEqual({ b: at(2) })
    expect(world.errors).toEqual([])
  })

  it("keeps records that are written before the first join, in a bounded number of topics", async () => {
    const world = createWorld({ limits: { idleTopicsMax: 2 } })
    const client = await world.open("ann")
    const replica = (name: Board) => world.server.topic(name).replica("cursors")
    replica("board:0").set("a", at(0))
    world.server.topic("board:0").subscribe(sessionOf(world, "ann"))
    for (const number of [1, 2, 3]) replica(`board:${number}`).set("a", at(number))
    expect([0, 1, 2, 3].map((number) => replica(`board:${number}`).size)).toEqual([1, 0, 1, 1])
    await joined(world, client, "board:3")
    expect(cursors(client, "board:3")).toEqual({ a: at(3) })
    for (const number of [4, 5]) replica(`board:${number}`).set("a", at(number))
    expect([2, 3, 4, 5].map((number) => replica(`board:${number}`).size)).toEqual([0, 1, 1, 1])
    replica("board:4").remove("a")
    replica("board:5").remove("a")
    expect(world.server.stats().replicaRecords).toBe(2)
  })

  it("has at most topicReplicaMaxCount records", async () => {
    const world = createWorld({ limits: { topicReplicaMaxCount: 2 } })
    const server = world.server.topic("board:7").replica("cursors")
    server.set("a", at(1))
    server.set("b", at(1))
    const most = "at most 2 are allowed (limits.topicReplicaMaxCount)"
    expect(() => server.set("c", at(1))).toThrow(
      new RangeError(`the replica "cursors" of the topic "board:7" has 2 records; ${most}`),
    )
    server.set("a", at(2))
    server.remove("b")
    server.set("c", at(3))
    expect([...server.ids()]).toEqual(["a", "c"])
    expect(() => server.set("d", at(3))).toThrow(RangeError)
    expect(() => world.server.topic("board:8").replica("cursors").set("d", { x: 0.5, name: "" })).toThrow(
      '"x" of the record "d" in the replica "cursors"',
    )
    expect(world.server.topic("board:8").replica("cursors").size).toBe(0)
  })

  it("is refused by names that the topic's kind lacks, at both ends", async () => {
    const world = createWorld()
    const client = await world.open("ann")
    const untyped: object = world.server.topic("board:7")
    const call = (topic: object, name: string): unknown => {
      const replica: unknown = Reflect.get(topic, "replica")
      return typeof replica === "function" ? Reflect.apply(replica, topic, [name]) : undefined
    }
    const sentence = 'the topic "board:7" has no replica "cursor". Did you mean "cursors"?'
    expect(() => call(untyped, "cursor")).toThrow(
      new TypeError(`${sentence} Valid names: cursors, hands, pieces`),
    )
    expect(() => call(untyped, "toString")).toThrow(TypeError)
    expect(() => call(client.topic("board:7"), "cursor")).toThrow(
      new TypeError(`${sentence} Valid names: cursors, hands, pieces`),
    )
    expect(() => call(client.topic("lobby"), "cursors")).toThrow("Valid names: none")
    const core = createCore(contract, {
      ...{ url: "memory:", token: "ben", dial: world.network.dial, clock: world.clock },
      use: [topics()],
    })
    expect(() => call(core.topic("board:7"), "cursors")).toThrow(
      new TypeError("this client has no replicas: add replicas() to its option use"),
    )
    core.close()
  })
})

describe("a replica of a topic with an area", () => {
  it("shows a member the records of its views, which end with the membership", async () => {
    const world: World = createWorld({
      board: {
        onJoin: ({ topic, session }) => {
          if (topic !== "board:7") return
          world.server.topic("board:7").replica("pieces").view(session, { follow: session.user.id })
        },
      },
    })
    const client = await world.open("ann")
    const pieces = world.server.topic("board:7").replica("pieces")
    const copy = client.topic("board:7").replica("pieces")
    const ids = (): string[] => [...copy.ids()].toSorted()
    pieces.set("ann", { x: 0, y: 0 })
    pieces.set("near", { x: 5, y: 5 })
    pieces.set("far", { x: 95, y: 5 })
    pieces.view(sessionOf(world, "ann"), { x: 95, y: 5 }).close()
    await joined(world, client)
    expect([ids(), copy.stale]).toEqual([["ann", "near"], false])
    pieces.patch("ann", { x: 90 })
    await world.clock.advance(tickMs)
    expect(ids()).toEqual(["ann", "far"])
    const view = pieces.view(sessionOf(world, "ann"), { x: 5, y: 5 })
    await world.clock.advance(tickMs)
    expect(ids()).toEqual(["ann", "far", "near"])
    world.network.links.at(-1)?.cut()
    await world.clock.advance(5_000)
    expect([ids(), copy.stale]).toEqual([["ann", "far", "near"], false])
    world.server.topic("board:7").subscribe(sessionOf(world, "ann"))
    await joined(world, await world.open("ben"))
    await settled(world, client.topic("board:7").leave())
    view.moveTo({ x: 95, y: 5 })
    pieces.patch("ann", { x: 0 })
    pieces.view(sessionOf(world, "ann"), { x: 0, y: 0 })
    await world.clock.advance(tickMs)
    expect([ids(), copy.stale]).toEqual([[], true])
    expect(world.errors).toEqual([])
  })

  it("is empty and up to date for a member without a view", async () => {
    const world = createWorld()
    const client = await world.open("ann")
    world.server.topic("board:7").replica("pieces").set("a", { x: 0, y: 0 })
    await joined(world, client)
    const copy = client.topic("board:7").replica("pieces")
    expect([copy.size, copy.stale]).toEqual([0, false])
  })
})

describe("connections, sessions and servers", () => {
  it("keep the view through a resume: the missed changes arrive as deltas", async () => {
    const world = createWorld()
    const client = await world.open("ann")
    await joined(world, client)
    const server = world.server.topic("board:7").replica("cursors")
    for (let index = 0; index < 200; index += 1) server.set(`cursor ${index}`, at(index))
    await world.clock.advance(tickMs)
    const events = eventsOf(client)
    const before = client.stats().bytesReceived
    world.network.links.at(-1)?.cut()
    await world.clock.advance(1)
    server.patch("cursor 3", { x: 1_000 })
    await world.clock.advance(30_000)
    expect(world.server.stats()).toMatchObject({ sessionsResumed: 1 })
    expect(client.topic("board:7").replica("cursors").get("cursor 3")).toEqual(at(1_000))
    expect(events).toEqual(["stale", "change cursor 3 1000", "fresh"])
    // A snapshot contains 200 ids.
    expect(client.stats().bytesReceived - before).toBeLessThan(600)
    expect(world.errors).toEqual([])
  })

  it("do not name a topic that the client left while it had no connection", async () => {
    const world = createWorld()
    const client = await world.open("ann")
    await joined(world, await world.open("ben"))
    await joined(world, client)
    world.server.topic("board:7").replica("cursors").set("a", at(1))
    await world.clock.advance(tickMs)
    client.cut()
    const left = client.topic("board:7").leave()
    const again = client.topic("board:7").join()
    await world.clock.advance(30_000)
    await Promise.all([left, again])
    expect(cursors(client)).toEqual({ a: at(1) })
    expect(world.server.stats()).toMatchObject({ sessionsResumed: 1 })
    expect(world.errors).toEqual([])
  })

  it("lead to the records of the topic's new instance after the end of a session, and of a server", async () => {
    const world = createWorld({ limits: { resumeWindowMs: 100 } })
    const client = await world.open("ann")
    await joined(world, client)
    const events = eventsOf(client)
    world.server.topic("board:7").replica("cursors").set("a", at(1))
    world.server.topic("board:7").replica("cursors").set("b", at(1))
    await world.clock.advance(tickMs)
    world.network.listening = false
    world.network.links.at(-1)?.cut()
    await world.clock.advance(500)
    expect(cursors(client)).toEqual({ a: at(1), b: at(1) })
    world.server.topic("board:7").replica("cursors").set("a", at(2))
    world.server.topic("board:7").replica("cursors").set("c", at(2))
    world.network.listening = true
    await world.clock.advance(30_000)
    expect(cursors(client)).toEqual({ a: at(2), c: at(2) })
    expect(events.splice(0).toSorted()).toEqual(
      ["change a 2", "enter a 1", "enter b 1", "enter c 2", "fresh", "leave b 1", "stale"].toSorted(),
    )
    world.restart()
    world.server.topic("board:7").replica("cursors").set("d", at(3))
    await world.clock.advance(30_000)
    expect(cursors(client)).toEqual({ d: at(3) })
    expect(world.errors).toEqual([])
  })

  it("empty the copy when the client is closed", async () => {
    const world = createWorld()
    const client = await world.open("ann")
    await joined(world, client)
    world.server.topic("board:7").replica("cursors").set("a", at(1))
    await world.clock.advance(tickMs)
    client.close()
    expect(client.topic("board:7").replica("cursors")).toMatchObject({ size: 0, stale: true })
  })
})
