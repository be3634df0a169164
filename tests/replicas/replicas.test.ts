// Viewers' copies of replicas: only near records, each change sent once and packed once, exact after every network
// fault.
import { describe, expect, it } from "vitest"
import { around, createWorld, sessionOf, shown, walker } from "./harness.ts"

const tickMs = 60

describe("a view", () => {
  it("shows near records and their changes, and no far record", async () => {
    const world = createWorld()
    const walkers = world.server.replica("walkers")
    walkers.set("near", walker(5, 5, { name: "näh", title: "Sir" }))
    walkers.set("next", walker(15, -5))
    walkers.set("far", walker(25, 5))
    const client = await world.open("ann")
    world.server.replica("walkers").view(sessionOf(world, "ann"), { x: 1, y: 1 })
    const received: string[] = []
    for (const kind of ["enter", "change", "leave"] as const)
      client.replica("walkers").on(kind, ({ id }) => received.push(`${kind} ${id}`))
    await world.clock.advance(tickMs)
    expect(shown(client)).toEqual({
      near: walker(5, 5, { name: "näh", title: "Sir" }),
      next: walker(15, -5),
    })
    walkers.patch("near", { x: 6.25, hp: 99, title: undefined })
    walkers.patch("far", { hp: 1 })
    walkers.remove("next")
    await world.clock.advance(tickMs)
    expect(shown(client)).toEqual({ near: walker(6.25, 5, { name: "näh", hp: 99 }) })
    walkers.patch("far", { x: 19 })
    walkers.patch("near", { x: -15 })
    await world.clock.advance(tickMs)
    expect(shown(client)).toEqual({ far: walker(19, 5, { hp: 1 }) })
    // Both in one frame, cell by cell.
    expect(received.slice(0, 2).toSorted()).toEqual(["enter near", "enter next"])
    expect(received.slice(2, 4).toSorted()).toEqual(["change near", "leave next"])
    expect(received.slice(4).toSorted()).toEqual(["enter far", "leave near"])
    expect(client.replica("walkers")).toMatchObject({ size: 1, stale: false, ageMs: 0, name: "walkers" })
    expect(world.errors).toEqual([])
  })

  it("passes each record of a frame to the application once, with its previous value", async () => {
    const world = createWorld()
    const walkers = world.server.replica("walkers")
    walkers.set("a", walker(9, 1))
    const client = await world.open("ann")
    walkers.view(sessionOf(world, "ann"), { x: 1, y: 1 })
    await world.clock.advance(tickMs)
    const updates: unknown[] = []
    client.replica("walkers").subscribe(({ events }) => updates.push(events))
    const before = client.replica("walkers").get("a")
    // Into the next cell: for the client it is the same walker.
    walkers.patch("a", { x: 11 })
    walkers.set("b", walker(1, 1))
    walkers.patch("b", { hp: 7 })
    walkers.set("gone", walker(2, 2))
    walkers.remove("gone")
    await world.clock.advance(tickMs)
    expect(updates).toEqual([
      expect.arrayContaining([
        { kind: "change", id: "a", record: walker(11, 1), before: walker(9, 1) },
        { kind: "enter", id: "b", record: walker(1, 1, { hp: 7 }) },
      ]),
    ])
    expect(before).toEqual(walker(9, 1))
    await world.clock.advance(tickMs)
    expect(updates).toHaveLength(1)
  })

  it("follows a record, keeps cells one further out, and drops cells beyond", async () => {
    const world = createWorld()
    const walkers = world.server.replica("walkers")
    walkers.set("ann", walker(5, 5))
    walkers.set("stone", walker(-5, 5))
    const client = await world.open("ann")
    walkers.view(sessionOf(world, "ann"), { follow: "ann" })
    await world.clock.advance(tickMs)
    const sees = async (x: number): Promise<boolean> => {
      walkers.patch("ann", { x })
      await world.clock.advance(tickMs)
      return client.replica("walkers").has("stone")
    }
    expect([await sees(5), await sees(15), await sees(25)]).toEqual([true, true, false])
    // When it approaches again, it enters at the range, not one cell further.
    expect([await sees(15), await sees(5)]).toEqual([false, true])
    walkers.remove("ann")
    await world.clock.advance(tickMs)
    expect(shown(client)).toEqual({})
  })

  it("can be one of several, and can be moved and closed", async () => {
    const world = createWorld()
    const walkers = world.server.replica("walkers")
    walkers.set("west", walker(-100, 0))
    walkers.set("east", walker(100, 0))
    const client = await world.open("ann")
    const session = sessionOf(world, "ann")
    const one = walkers.view(session, { x: -100, y: 0 })
    const other = walkers.view(session, { x: -95, y: 0 })
    await world.clock.advance(tickMs)
    expect(Object.keys(shown(client))).toEqual(["west"])
    other.moveTo({ x: 100, y: 0 })
    await world.clock.advance(tickMs)
    expect(Object.keys(shown(client))).toEqual(["east", "west"])
    one.close()
    one.close()
    await world.clock.advance(tickMs)
    expect(Object.keys(shown(client))).toEqual(["east"])
    other.close()
    await world.clock.advance(tickMs)
    expect(shown(client)).toEqual({})
    expect(world.server.stats()).toMatchObject({ replicaRecords: 2, replicaCells: 2 })
  })

  it("of a replica without an area shows all of it", async () => {
    const world = createWorld()
    const scores = world.server.replica("scores")
    const client = await world.open("ann")
    scores.view(sessionOf(world, "ann"))
    for (let number = 0; number < 700; number += 1) scores.set(`p${number}`, { points: number * 1_000_003 })
    await world.clock.advance(tickMs)
    expect(client.replica("scores").size).toBe(700)
    scores.patch("p3", { points: -5 })
    await world.clock.advance(tickMs)
    expect(client.replica("scores").get("p3")).toEqual({ points: -5 })
  })

  it("packs a changed cell once for all of its viewers, and no cell without viewers", async () => {
    const world = createWorld()
    const walkers = world.server.replica("walkers")
    const clients = []
    for (let index = 0; index < 20; index += 1) {
      clients.push(await world.open(`user ${index}`))
      walkers.view(sessionOf(world, `user ${index}`), { x: 1, y: 1 })
    }
    walkers.set("near", walker(5, 5))
    walkers.set("far", walker(150, 150))
    await world.clock.advance(tickMs)
    const packed = world.server.stats().replicaCellsPacked
    walkers.patch("near", { x: 6 })
    walkers.patch("far", { x: 151 })
    await world.clock.advance(tickMs)
    expect(world.server.stats().replicaCellsPacked - packed).toBe(1)
    for (const client of clients) expect(shown(client)).toEqual({ near: walker(6, 5) })
  })

  it("costs at most nine bytes on the wire for each moving record", async () => {
    const world = createWorld()
    const walkers = world.server.replica("walkers")
    const client = await world.open("ann")
    walkers.view(sessionOf(world, "ann"), { x: 5, y: 5 })
    const ids = Array.from({ length: 20 }, (_, index) => `walker ${index}`)
    for (const [index, id] of ids.entries()) walkers.set(id, walker(-9 + index, 5 + (index % 3)))
    await world.clock.advance(tickMs)
    const before = client.stats().bytesReceived
    for (const id of ids) {
      const { x = 0, y = 0 } = walkers.get(id) ?? {}
      walkers.patch(id, { x: x + 0.5, y: y - 0.25 })
    }
    await world.clock.advance(tickMs)
    const bytes = client.stats().bytesReceived - before
    // No walker left a cell, so the frame contains changes only; the header of a WebSocket message is 2 bytes more.
    expect((bytes + 2) / ids.length).toBeLessThanOrEqual(9)
    expect(bytes).toBeGreaterThan(20)
  })
})

describe("an application", () => {
  it("gets an error that names the invalid value, and nothing is changed", () => {
    const world = createWorld()
    const walkers = world.server.replica("walkers")
    walkers.set("a", walker(1, 1))
    expect(() => walkers.patch("a", { hp: 101 })).toThrow(
      /"hp" of the record "a" in the replica "walkers": 101 is not a whole number from 0 to 100/,
    )
    expect(() => walkers.patch("b", { hp: 1 })).toThrow(/has no record "b"/)
    expect(walkers.get("a")).toEqual(walker(1, 1))
    expect([walkers.remove("b"), walkers.remove("a"), walkers.size]).toEqual([false, true, 0])
    // @ts-expect-error -- the contract has no such replica
    expect(() => world.server.replica("ghosts")).toThrow(/no replica "ghosts"/)
  })

  it("reads numbers as viewers do: rounded to the step, held in the range", () => {
    const world = createWorld()
    const walkers = world.server.replica("walkers")
    walkers.set("a", walker(1.1, 900))
    expect(walkers.get("a")).toEqual(walker(1, 200))
  })
})

describe("a lost connection", () => {
  it("leaves the copy readable, stale and ageing, and resumes with the missed changes only", async () => {
    const world = createWorld()
    const walkers = world.server.replica("walkers")
    for (let index = 0; index < 50; index += 1)
      walkers.set(
        `w${index}`,
        walker(index % 10, 5, { name: "a rather long name, so that a snapshot is large" }),
      )
    const client = await world.open("ann")
    walkers.view(sessionOf(world, "ann"), { x: 5, y: 5 })
    await world.clock.advance(tickMs)
    const seen = shown(client)
    world.network.listening = false
    world.network.links[0]?.cut()
    await world.clock.advance(1_000)
    expect(client.replica("walkers")).toMatchObject({ stale: true, size: 50 })
    expect(client.replica("walkers").ageMs).toBeGreaterThanOrEqual(900)
    expect(shown(client)).toEqual(seen)
    walkers.patch("w3", { x: 7.5 })
    walkers.remove("w4")
    await world.clock.advance(tickMs)
    walkers.set("new", walker(1, 1))
    await world.clock.advance(tickMs)
    const before = client.stats().bytesReceived
    world.network.listening = true
    await world.clock.advance(20_000)
    expect(client.replica("walkers")).toMatchObject({ stale: false, ageMs: 0 })
    expect(shown(client)).toEqual(around(world.server, { x: 5, y: 5 }))
    // A snapshot would contain more than 50 names.
    expect(client.stats().bytesReceived - before).toBeLessThan(600)
  })

  it("counts the age of the copy from the last message, not from when the silence was noticed", async () => {
    const world = createWorld()
    world.server.replica("walkers").set("a", walker(1, 1))
    const client = await world.open("ann")
    world.server.replica("walkers").view(sessionOf(world, "ann"), { x: 1, y: 1 })
    await world.clock.advance(60_000)
    world.network.listening = false
    const silentSinceMs = world.clock.now()
    let heardAtMs = silentSinceMs
    const before = client.stats().messagesReceived
    world.network.links[0]?.blackHole()
    while (["open", "doubtful"].includes(client.current.state)) {
      await world.clock.advance(100)
      if (client.stats().messagesReceived > before) heardAtMs = world.clock.now()
    }
    const { ageMs } = client.replica("walkers")
    const noticedAfterMs = world.clock.now() - silentSinceMs
    expect(noticedAfterMs).toBeGreaterThan(5_000)
    expect(heardAtMs).toBe(silentSinceMs)
    expect(ageMs).toBeGreaterThanOrEqual(noticedAfterMs)
    await world.clock.advance(1_000)
    expect(client.replica("walkers").ageMs).toBe(ageMs + 1_000)
  })

  it("resumes with snapshots where the changes have expired", async () => {
    const world = createWorld()
    const walkers = world.server.replica("walkers")
    for (let index = 0; index < 50; index += 1) walkers.set(`w${index}`, walker(index % 10, 5))
    const client = await world.open("ann")
    walkers.view(sessionOf(world, "ann"), { x: 5, y: 5 })
    await world.clock.advance(tickMs)
    world.network.listening = false
    world.network.links[0]?.cut()
    for (let tick = 0; tick < 200; tick += 1) {
      for (let index = 0; index < 50; index += 1) walkers.patch(`w${index}`, { x: (index + tick) % 10 })
      await world.clock.advance(50)
    }
    world.network.listening = true
    await world.clock.advance(30_000)
    expect(shown(client)).toEqual(around(world.server, { x: 5, y: 5 }))
    expect(client.stats()).toMatchObject({ sessionsResumed: 1 })
  })

  it("that ends the session starts all cells again, also when the server was replaced", async () => {
    const world = createWorld({ limits: { resumeWindowMs: 1_000 } })
    const walkers = world.server.replica("walkers")
    walkers.set("a", walker(5, 5))
    walkers.set("b", walker(6, 6))
    world.server.onSession(({ session }) => walkers.view(session, { x: 5, y: 5 }))
    const client = await world.open("ann")
    await world.clock.advance(tickMs)
    const events: string[] = []
    client.replica("walkers").on("leave", ({ id }) => events.push(`leave ${id}`))
    client.replica("walkers").on("enter", ({ id }) => events.push(`enter ${id}`))
    world.network.listening = false
    world.network.links[0]?.cut()
    await world.clock.advance(3_000)
    expect(Object.keys(shown(client))).toEqual(["a", "b"])
    walkers.remove("b")
    world.network.listening = true
    await world.clock.advance(30_000)
    expect(shown(client)).toEqual({ a: walker(5, 5) })
    expect(client.replica("walkers").stale).toBe(false)
    expect(events).toEqual(["leave b"])
  })
})

describe("a viewer that falls behind", () => {
  it("gets no backlog, and the current state once its socket has drained", async () => {
    const world = createWorld()
    const walkers = world.server.replica("walkers")
    walkers.set("a", walker(5, 5))
    const client = await world.open("ann")
    const other = await world.open("ben")
    walkers.view(sessionOf(world, "ann"), { x: 5, y: 5 })
    walkers.view(sessionOf(world, "ben"), { x: 5, y: 5 })
    await world.clock.advance(tickMs)
    const link = world.network.links[0]?.server
    link?.stall(true)
    // Fills the socket above the mark at which no volatile message is added.
    sessionOf(world, "ann").send("note", { text: "x".repeat(100_000) })
    for (let tick = 0; tick < 100; tick += 1) {
      walkers.patch("a", { x: tick % 10, hp: tick })
      if (tick % 10 === 0) walkers.set(`n${tick}`, walker(5, 5))
      await world.clock.advance(tickMs)
      expect(shown(other)).toEqual(around(world.server, { x: 5, y: 5 }))
    }
    expect(link?.bufferedBytes).toBeLessThan(110_000)
    expect(world.server.stats()).toMatchObject({ viewersConflated: 1, conflated: 1 })
    link?.stall(false)
    await world.clock.advance(200)
    expect(shown(client)).toEqual(around(world.server, { x: 5, y: 5 }))
    expect(world.server.stats()).toMatchObject({ viewersConflated: 1, conflated: 0, slowConsumersClosed: 0 })
  })

  it("is closed with 4408 when it reads nothing for too long, and exact after its return", async () => {
    const world = createWorld({ limits: { ackProgressMs: 2_000, volatileHighWaterBytes: 100 } })
    const walkers = world.server.replica("walkers")
    walkers.set("a", walker(5, 5))
    const client = await world.open("ann")
    walkers.view(sessionOf(world, "ann"), { x: 5, y: 5 })
    await world.clock.advance(tickMs)
    world.network.links[0]?.server.stall(true)
    for (let tick = 0; tick < 80; tick += 1) {
      walkers.patch("a", { x: tick % 10, name: `${tick}`.padEnd(200, "x") })
      await world.clock.advance(50)
    }
    expect(world.server.stats()).toMatchObject({ slowConsumersClosed: 1 })
    await world.clock.advance(20_000)
    expect(shown(client)).toEqual(around(world.server, { x: 5, y: 5 }))
    expect(client.stats()).toMatchObject({ sessionsResumed: 1 })
  })
})

it("opens no view for a session of another server, and none for one that has ended", async () => {
  const [world, other] = [createWorld(), createWorld()]
  const ann = await world.open("ann")
  const session = sessionOf(world, "ann")
  const walkers = other.server.replica("walkers")
  expect(() => walkers.view(session, { x: 1, y: 1 })).toThrow(
    new TypeError(`cannot open a view for session ${session.id}: it belongs to another server`),
  )
  ann.close()
  await world.clock.advance(100)
  walkers.view(session, { x: 1, y: 1 }).close()
})
