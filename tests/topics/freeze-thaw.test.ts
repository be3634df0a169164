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
  const world: World = createWorld({ server: { sessionStore, userRecord } })
  return { world, freeze, thaw: (bytes: Uint8Array) => hosts[0]?.thaw(decodeSessionRecord(bytes)) }
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
