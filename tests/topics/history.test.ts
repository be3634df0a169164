// History of topics: missed publications arrive in order and once, after any absence. Where they are not retained any
// more, a gap is reported.
import type { JoinOptions } from "@hawser/client"
import { describe, expect, it } from "vitest"
import { createWorld, listen, sessionOf, settled } from "./harness.ts"
import type { World, WorldOptions } from "./harness.ts"

const fine = { state: { mood: "fine" } }
const brief = { resumeWindowMs: 100 }

function publish(world: World, ...texts: string[]): void {
  for (const text of texts) world.server.topic("chat:a").publish("chatMessage", { text })
}

/** A client in a topic that loses its session, for the duration of `absent`. */
async function afterAbsence(options: WorldOptions, absent: (world: World) => void | Promise<void>) {
  const world = createWorld({ ...options, limits: { ...brief, ...options.limits } })
  const ann = await world.open("ann", { reconnect: () => 1_000 })
  const received = listen(ann, "chat:a")
  const room = ann.topic("chat:a")
  await settled(world, room.join(fine))
  publish(world, "one")
  await world.clock.advance(100)
  const { epoch } = room.position ?? {}
  world.network.links[0]?.cut()
  await world.clock.advance(200)
  expect(world.server.stats().sessions).toBe(0)
  await absent(world)
  await world.clock.advance(3_000)
  expect(room.state).toBe("in")
  return { world, ann, room, received, epoch }
}

describe("a client that lost its session", () => {
  it("gets missed publications in order and once, in the same bytes as the others", async () => {
    const { world, received, room, epoch } = await afterAbsence({}, (at) => publish(at, "two", "three"))
    const encodedBefore = world.server.stats().publicationsEncoded
    publish(world, "four")
    await world.clock.advance(100)
    expect(received).toEqual(["1 one", "2 two", "3 three", "4 four"])
    expect(room.position).toEqual({ epoch, offset: 4 })
    expect(world.server.stats()).toMatchObject({
      topicReplays: 2,
      topicGaps: 0,
      publicationsEncoded: encodedBefore + 1,
    })
  })

  it("gets as many pages as necessary, before any new publication", async () => {
    const { world, received } = await afterAbsence(
      { limits: { topicPageMaxCount: 3 }, latencyMs: 20 },
      async (at) => {
        publish(at, "2", "3", "4", "5", "6", "7", "8")
        // In the middle of the pages.
        at.clock.schedule(900, () => publish(at, "new"))
      },
    )
    expect(received).toEqual(["1 one", "2 2", "3 3", "4 4", "5 5", "6 6", "7 7", "8 8", "9 new"])
    expect(world.server.stats()).toMatchObject({ topicReplays: 8, topicGaps: 0 })
  })

  it("gets a page by its bytes, too, and one publication at least", async () => {
    const texts = [1, 2, 3, 4].map((number) => `${number}`.repeat(500))
    const { world, received } = await afterAbsence({ limits: { topicPageMaxBytes: 300 } }, (at) =>
      publish(at, ...texts),
    )
    expect(received).toEqual(["1 one", ...texts.map((text, index) => `${index + 2} ${text}`)])
    // One request for the first join, and one for each page.
    expect(world.server.stats().calls["$join"]?.count).toBe(1 + 4)
  })

  it("gets no more at once than its buffer takes, in any number of topics", async () => {
    const world = createWorld({ limits: { ...brief, sendBufferMaxCount: 64 } })
    const names = ["a", "b", "c", "d", "e", "f"] as const
    const ann = await world.open("ann", { reconnect: () => 1_000 })
    const received: unknown[] = []
    ann.on("chatMessage", ({ text }) => received.push(text))
    for (const name of names) await settled(world, ann.topic(`chat:${name}`).join(fine))
    world.network.links[0]?.cut()
    await world.clock.advance(200)
    for (const name of names)
      for (let count = 0; count < 20; count += 1)
        world.server.topic(`chat:${name}`).publish("chatMessage", { text: `${name} ${count}` })
    await world.clock.advance(30_000)
    expect(received).toHaveLength(120)
    expect(world.server.stats().sessionsEndedByCause).toEqual({ session_expired: 1 })
  })

  it.each([
    ["count", { maxCount: 2 }, ["gap 2-3 trimmed", "4 4", "5 5"]],
    ["bytes", { maxBytes: 400 }, ["gap 2-3 trimmed", "4 4", "5 5"]],
  ])("gets the gap that a bound of %s caused", async (_bound, history, rest) => {
    const { received, world } = await afterAbsence({ history }, (at) => publish(at, "2", "3", "4", "5"))
    expect(received).toEqual(["1 one", ...rest])
    expect(world.server.stats().topicGaps).toBe(1)
  })

  it("gets the gap that expiry caused", async () => {
    const world = createWorld({ limits: brief, history: { maxAgeMs: 300 } })
    const ben = await world.open("ben")
    await settled(world, ben.topic("chat:a").join(fine))
    const ann = await world.open("ann", { reconnect: () => 1_000 })
    const received = listen(ann, "chat:a")
    await settled(world, ann.topic("chat:a").join(fine))
    world.network.links.at(-1)?.cut()
    await world.clock.advance(600)
    publish(world, "old")
    await world.clock.advance(350)
    publish(world, "young")
    await world.clock.advance(3_000)
    expect(received).toEqual(["gap 1-1 trimmed", "2 young"])
  })

  it("has no gap in the retained publications: one that is too large evicts all before it", async () => {
    const { received } = await afterAbsence({ history: { maxBytes: 1_000 } }, (at) =>
      publish(at, "two", "x".repeat(1_500), "four"),
    )
    expect(received).toEqual(["1 one", "gap 2-3 trimmed", "4 four"])
  })

  it("gets a gap without a history, and none where nothing was missed", async () => {
    for (const texts of [["two", "three"], []]) {
      const world = createWorld({ limits: brief })
      const ben = await world.open("ben")
      await settled(world, ben.topic("lobby").join())
      const ann = await world.open("ann", { reconnect: () => 1_000 })
      const received = listen(ann, "lobby")
      await settled(world, ann.topic("lobby").join())
      world.network.links.at(-1)?.cut()
      await world.clock.advance(200)
      for (const text of texts) world.server.topic("lobby").publish("chatMessage", { text })
      await world.clock.advance(3_000)
      expect(received).toEqual(texts.length === 0 ? [] : ["gap 1-2 unkept"])
    }
  })

  it("gets a restart of a topic without a history after its last member", async () => {
    const world = createWorld({ limits: brief })
    const ann = await world.open("ann", { reconnect: () => 1_000 })
    const gaps: unknown[] = []
    const room = ann.topic("lobby")
    room.onGap((gap) => gaps.push(gap))
    await settled(world, room.join())
    const { epoch } = room.position ?? {}
    world.network.links[0]?.cut()
    await world.clock.advance(3_000)
    expect(gaps).toEqual([{ topic: "lobby", epoch, from: 1, to: undefined, reason: "restarted" }])
    expect(room.position?.epoch).not.toBe(epoch)
  })

  it("gets a restart after the server was replaced, and the publications that the new one retained", async () => {
    const { received, room, epoch } = await afterAbsence({}, (at) => {
      at.restart()
      publish(at, "anew", "again")
    })
    expect(received).toEqual(["1 one", "gap 2-undefined restarted", "1 anew", "2 again"])
    expect(room.position?.offset).toBe(2)
    expect(room.position?.epoch).not.toBe(epoch)
  })

  it("reads the gap at its position in an iteration", async () => {
    const world = createWorld({ limits: brief, history: { maxCount: 1 } })
    const ann = await world.open("ann", { reconnect: () => 1_000 })
    const room = ann.topic("chat:a")
    await settled(world, room.join(fine))
    const reader = room[Symbol.asyncIterator]()
    world.network.links[0]?.cut()
    await world.clock.advance(200)
    publish(world, "one", "two", "three")
    await world.clock.advance(3_000)
    const { epoch } = room.position ?? {}
    const gap = { topic: "chat:a", epoch, from: 1, to: 2, reason: "trimmed" }
    expect((await reader.next()).value).toEqual({ kind: "gap", gap })
    expect((await reader.next()).value).toMatchObject({ kind: "message", payload: { text: "three" } })
  })
})

describe("a publication that excepts a client", () => {
  it("is neither missing nor a gap for it, for every way to except it", async () => {
    const { world, received, ann } = await afterAbsence({}, () => {})
    const but = { except: sessionOf(world, "ann") }
    world.server.topic("chat:a").publish("chatMessage", { text: "not for ann" }, but)
    const own = ann.topic("chat:a").publish("chatMessage", { text: "her own" }, { echo: false })
    expect(await settled(world, own)).toEqual({ offset: 3 })
    world.network.links.at(-1)?.cut()
    await world.clock.advance(200)
    publish(world, "for all")
    await world.clock.advance(3_000)
    expect(received).toEqual(["1 one", "4 for all"])
    expect(world.server.stats()).toMatchObject({ topicGaps: 0, topicReplays: 1 })
    // Another client of the same user is not excepted.
    const phone = await world.open("ann")
    const receivedByPhone = listen(phone, "chat:a")
    await settled(world, phone.topic("chat:a").join({ ...fine, recent: 10 }))
    expect(receivedByPhone).toEqual(["1 one", "2 not for ann", "3 her own", "4 for all"])
  })
})

describe("a join", () => {
  async function late(how: JoinOptions) {
    const world = createWorld({ history: { maxCount: 4 } })
    publish(world, "1", "2", "3", "4", "5")
    const ann = await world.open("ann")
    const received = listen(ann, "chat:a")
    await settled(world, ann.topic("chat:a").join({ ...fine, ...how }))
    return { world, ann, received }
  }

  it("returns no earlier publications by default", async () => {
    expect((await late({})).received).toEqual([])
  })

  it("returns the requested number of last publications, as far as retained, also of a topic without members", async () => {
    expect((await late({ recent: 2 })).received).toEqual(["4 4", "5 5"])
    expect((await late({ recent: 100 })).received).toEqual(["2 2", "3 3", "4 4", "5 5"])
  })

  it("continues from a position that the application stored", async () => {
    const { world, ann } = await late({})
    const since = { epoch: ann.topic("chat:a").position?.epoch ?? "", offset: 3 }
    const other = await world.open("other page of ann")
    const received = listen(other, "chat:a")
    await settled(world, other.topic("chat:a").join({ ...fine, since }))
    expect(received).toEqual(["4 4", "5 5"])
    // A position ahead of the topic belongs to another epoch.
    const third = await world.open("third")
    const receivedByThird = listen(third, "chat:a")
    await settled(world, third.topic("chat:a").join({ ...fine, since: { ...since, offset: 9 } }))
    expect(receivedByThird).toEqual(["gap 10-undefined restarted", "2 2", "3 3", "4 4", "5 5"])
  })
})

describe("a topic with a history", () => {
  it("outlives its last member for the age of its history, and not longer", async () => {
    const world = createWorld({ history: { maxAgeMs: 60_000 } })
    const ann = await world.open("ann")
    const room = ann.topic("chat:a")
    await settled(world, room.join(fine))
    publish(world, "one")
    const { epoch } = room.position ?? {}
    await settled(world, room.leave())
    expect(world.server.stats()).toMatchObject({ topics: 0, topicMembers: 0 })
    await world.clock.advance(59_000)
    await settled(world, room.join(fine))
    expect(room.position).toEqual({ epoch, offset: 1 })
    await settled(world, room.leave())
    const before = world.server.stats().topicHistoryBytes
    await world.clock.advance(61_000)
    expect([before > 0, world.server.stats().topicHistoryBytes]).toEqual([true, 0])
    await settled(world, room.join(fine))
    expect(room.position?.offset).toBe(0)
    expect(room.position?.epoch).not.toBe(epoch)
  })

  it("is dropped with all its deadlines when the server closes", async () => {
    const world = createWorld()
    publish(world, "one")
    expect(world.server.stats().timers).toBeGreaterThan(0)
    const closed = world.server.close()
    await world.clock.advance(20_000)
    await closed
    expect(world.server.stats()).toMatchObject({ timers: 0, topicHistoryBytes: 0 })
  })

  it("shares the bound of all histories: the oldest publication of any topic is evicted", async () => {
    const world = createWorld({ limits: { topicHistoryMaxBytes: 1_000 } })
    const text = "x".repeat(200)
    for (const name of ["chat:a", "chat:b", "chat:a"] as const)
      world.server.topic(name).publish("chatMessage", { text })
    expect(world.server.stats().topicHistoryBytes).toBeLessThanOrEqual(1_000)
    const ann = await world.open("ann")
    const received = (["chat:a", "chat:b"] as const).map((name) => listen(ann, name))
    for (const name of ["chat:a", "chat:b"] as const)
      await settled(world, ann.topic(name).join({ ...fine, recent: 9 }))
    expect(received).toEqual([[`2 ${text}`], [`1 ${text}`]])
  })

  it("is one of a bounded number without members; the one left first is evicted", async () => {
    const world = createWorld({ limits: { idleTopicsMax: 2 } })
    for (const name of ["chat:a", "chat:b", "chat:c"] as const)
      world.server.topic(name).publish("chatMessage", { text: name })
    const ann = await world.open("ann")
    const received = (["chat:a", "chat:b"] as const).map((name) => listen(ann, name))
    await settled(world, ann.topic("chat:b").join({ ...fine, recent: 9 }))
    await settled(world, ann.topic("chat:a").join({ ...fine, recent: 9 }))
    expect(received).toEqual([[], ["1 chat:b"]])
  })
})
