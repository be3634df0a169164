// Topics of sessions that are frozen, encoded, decoded and thawed: memberships, presence and offsets are preserved.
import { decodeSessionRecord, encodeSessionRecord, memoryStore } from "@hawser/server"
import type { StoreHost } from "@hawser/server"
import { expect, it } from "vitest"
import { createWorld, listen, sessionOf, settled } from "./harness.ts"
import type { World } from "./harness.ts"

interface TestUser {
  readonly id: string
  readonly isGuest: boolean
}

/** Users are packed as one text, to show that the option is used. */
const userRecord = {
  pack: ({ id, isGuest }: TestUser): unknown => `${isGuest ? "guest " : ""}${id}`,
  unpack: (packed: unknown): TestUser => {
    const token = String(packed)
    return { id: token.replace(/^guest /, ""), isGuest: token.startsWith("guest ") }
  },
}

function createFreezer() {
  const hosts: StoreHost<TestUser>[] = []
  const sessionStore = (host: StoreHost<TestUser>) => {
    hosts.push(host)
    return memoryStore(host)
  }
  const freeze = (id: string): Uint8Array => {
    const record = hosts[0]?.freeze(id)
    if (record === undefined) throw new Error(`session ${id} cannot be frozen`)
    return encodeSessionRecord(record)
  }
  const resumeKey = new Uint8Array(32).fill(7)
  const world: World = createWorld({ server: { sessionStore, userRecord, resumeKey } })
  return { world, freeze, thaw: (bytes: Uint8Array) => hosts.at(-1)?.thaw(decodeSessionRecord(bytes)) }
}

it("keeps a membership, its presence and the offsets of a session that is frozen and thawed", async () => {
  const { world, freeze, thaw } = createFreezer()
  const [ann, ben] = [await world.open("guest ann"), await world.open("ben")]
  const received = listen(ann, "chat:a")
  for (const client of [ann, ben])
    await settled(world, client.topic("chat:a").join({ state: { mood: "good" } }))
  const seen: string[] = []
  ben.topic("chat:a").presence.subscribe(({ joined, changed, left }) => {
    seen.push(...joined.map(({ user }) => `joined ${user}`), ...left.map(({ user }) => `left ${user}`))
    seen.push(...changed.map(({ user, away }) => `${user} ${away ? "away" : "back"}`))
  })
  const publish = (text: string): Promise<unknown> =>
    settled(world, ben.topic("chat:a").publish("chatMessage", { text }))
  await publish("before")
  const { id } = sessionOf(world, "ann")
  thaw(freeze(id))
  await publish("between")
  await world.clock.advance(5_000)
  await publish("after")
  expect(received).toEqual(["1 before", "2 between", "3 after"])
  expect(seen).toEqual(["ann away", "ann back"])
  expect(sessionOf(world, "ann")).toMatchObject({ id, user: { id: "ann", isGuest: true }, attached: true })
  expect(world.server.stats()).toMatchObject({ topics: 1, topicMembers: 2, sessions: 2 })
  expect(world.errors).toEqual([])
})

it("removes a frozen session from its topics if nothing thaws it within the window", async () => {
  const { world, freeze } = createFreezer()
  const [ann, ben] = [await world.open("ann"), await world.open("ben")]
  for (const client of [ann, ben])
    await settled(world, client.topic("chat:a").join({ state: { mood: "good" } }))
  world.network.listening = false
  freeze(sessionOf(world, "ann").id)
  await world.clock.advance(119_000)
  expect(world.server.stats().topicMembers).toBe(2)
  await world.clock.advance(2_000)
  expect(world.server.stats().topicMembers).toBe(1)
  ann.close()
  ben.close()
})

it("keeps the views of a topic's replicas, without a snapshot in the same process", async () => {
  const { world, freeze, thaw } = createFreezer()
  const client = await world.open("ann")
  await settled(world, client.topic("board:7").join())
  const cursors = world.server.topic("board:7").replica("cursors")
  for (let index = 0; index < 200; index += 1) cursors.set(`cursor ${index}`, { x: index, name: "" })
  await world.clock.advance(200)
  const copy = client.topic("board:7").replica("cursors")
  const events: string[] = []
  for (const kind of ["enter", "change", "leave"] as const)
    copy.on(kind, ({ id, record }) => events.push(`${kind} ${id} ${record.x}`))
  const before = client.stats().bytesReceived
  thaw(freeze(sessionOf(world, "ann").id))
  cursors.patch("cursor 3", { x: 1_000 })
  await world.clock.advance(5_000)
  expect([copy.size, copy.stale, events]).toEqual([200, false, ["change cursor 3 1000"]])
  expect(world.server.stats()).toMatchObject({ sessionsResumed: 1, viewing: 1 })
  // A snapshot contains 200 ids.
  expect(client.stats().bytesReceived - before).toBeLessThan(600)
  client.close()
  await world.clock.advance(1_000)
  expect(world.server.stats()).toMatchObject({ replicaRecords: 0, viewing: 0 })
  expect(world.errors).toEqual([])
})

it("opens the views of a session that another server froze, in the topic's replica of this server", async () => {
  const { world, freeze, thaw } = createFreezer()
  const client = await world.open("ann")
  await settled(world, client.topic("board:7").join())
  world.server.topic("board:7").replica("cursors").set("a", { x: 1, name: "old" })
  await world.clock.advance(200)
  const bytes = freeze(sessionOf(world, "ann").id)
  world.restart()
  // Same version as at the first server.
  world.server.topic("board:7").replica("cursors").set("b", { x: 2, name: "new" })
  thaw(bytes)
  expect(world.server.stats()).toMatchObject({ topicMembers: 1, viewing: 1, replicaRecords: 1 })
  await world.clock.advance(30_000)
  expect(world.server.stats()).toMatchObject({ sessionsResumed: 1 })
  expect([...client.topic("board:7").replica("cursors")]).toEqual([["b", { x: 2, name: "new" }]])
  expect(world.errors).toEqual([])
})
