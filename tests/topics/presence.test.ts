// Presence as members see it: each member once, with a state, over lost connections and lost sessions.
import { unwatched } from "@hawser/protocol/testing"
import type { PresenceUpdate } from "@hawser/client"
import { describe, expect, it } from "vitest"
import { createWorld, sessionOf, settled } from "./harness.ts"
import type { TopicClient, World } from "./harness.ts"

const mood = (text: string) => ({ state: { mood: text } })

async function enter(world: World, user: string, options = {}): Promise<TopicClient> {
  const client = await world.open(user, options)
  await settled(world, client.topic("chat:a").join(mood("fine")))
  return client
}

function seen(client: TopicClient): string[] {
  return [...client.topic("chat:a").presence].map(
    ({ user, state, away }) => `${user} ${state.mood}${away ? " away" : ""}`,
  )
}

/** `+` joined, `~` changed, `-` left; each update is one line. */
function updates(client: TopicClient): string[] {
  const lines: string[] = []
  client.topic("chat:a").presence.subscribe(({ joined, changed, left }: PresenceUpdate<{ mood: string }>) => {
    const show = (sign: string) => (member: { user: string; state: { mood: string } }) =>
      `${sign}${member.user} ${member.state.mood}`
    lines.push([...joined.map(show("+")), ...changed.map(show("~")), ...left.map(show("-"))].join(", "))
  })
  return lines
}

describe("presence", () => {
  it("is complete when the join is done, then changes as others join, change and leave", async () => {
    const world = createWorld()
    const ann = await enter(world, "ann")
    const changes = updates(ann)
    const ben = await world.open("ben")
    const joined = ben.topic("chat:a").join(mood("new"))
    unwatched(joined.then(() => expect(seen(ben)).toEqual(["ann fine", "ben new"])))
    await settled(world, joined)
    expect(seen(ann)).toEqual(["ann fine", "ben new"])
    expect(ben.topic("chat:a").presence).toMatchObject({
      count: 2,
      size: 2,
      stale: false,
      self: { user: "ben" },
    })
    await settled(world, ben.topic("chat:a").setState({ mood: "older" }))
    await settled(world, ben.topic("chat:a").leave())
    expect(changes).toEqual(["+ben new", "~ben older", "-ben older"])
    expect([seen(ann), seen(ben)]).toEqual([["ann fine"], []])
    expect(ann.topic("chat:a").presence.self?.id).toBe([...ann.topic("chat:a").presence][0]?.id)
    expect(ann.topic("chat:a").presence.get(-1)).toBeUndefined()
  })

  it("is sent once per tick, in one encoding for all", async () => {
    const world = createWorld({ limits: { presenceTickMs: 40 } })
    const [ann, ben] = [await enter(world, "ann"), await enter(world, "ben")]
    const others: TopicClient[] = []
    for (const user of ["cem", "dan", "eve"]) others.push(await world.open(user))
    await world.clock.advance(200)
    const changes = [updates(ann), updates(ben)]
    const before = world.server.stats()
    for (const client of others)
      client
        .topic("chat:a")
        .join(mood("new"))
        .catch(() => {})
    unwatched(ben.topic("chat:a").setState({ mood: "a" }))
    unwatched(ben.topic("chat:a").setState({ mood: "b" }))
    await world.clock.advance(38)
    expect(changes).toEqual([[], []])
    await world.clock.advance(10)
    expect(changes[0]).toEqual(["+cem new, +dan new, +eve new, ~ben b"])
    expect(changes[1]).toEqual(changes[0])
    const after = world.server.stats()
    expect(after.presenceUpdates - before.presenceUpdates).toBe(1)
    // Their three joins, and the changes to all five.
    expect(after.publicationsEncoded - before.publicationsEncoded).toBe(4)
  })

  it("counts a session, not its connections: a short outage shows as `away` and ends no membership", async () => {
    const world = createWorld()
    const [ann, ben] = [await enter(world, "ann"), await enter(world, "ben", { reconnect: () => 1_000 })]
    const changes: unknown[] = []
    ann.topic("chat:a").presence.subscribe((update) => changes.push(update))
    const { id } = ben.topic("chat:a").presence.self ?? {}
    world.network.links.at(-1)?.cut()
    await world.clock.advance(300)
    expect(seen(ann)).toEqual(["ann fine", "ben fine away"])
    expect(ben.topic("chat:a").presence.stale).toBe(true)
    expect(seen(ben)).toEqual(["ann fine", "ben fine"])
    await world.clock.advance(3_000)
    expect(seen(ann)).toEqual(["ann fine", "ben fine"])
    expect(ben.topic("chat:a").presence).toMatchObject({ stale: false, self: { id } })
    expect(changes).toHaveLength(2)
  })

  it("is complete again after an outage, in one update, after any number of changes", async () => {
    const world = createWorld({ limits: { sendBufferMaxCount: 8 } })
    const [ann, ben] = [await enter(world, "ann"), await enter(world, "ben", { reconnect: () => 10_000 })]
    const cem = await enter(world, "cem")
    world.network.links[1]?.cut()
    await world.clock.advance(100)
    const changes = updates(ben)
    for (let turn = 0; turn < 20; turn += 1)
      await settled(world, ann.topic("chat:a").setState({ mood: `${turn}` }))
    await settled(world, cem.topic("chat:a").leave())
    await enter(world, "dan")
    await world.clock.advance(10_000)
    expect(world.server.stats()).toMatchObject({ sessionsResumed: 1, sessionsEnded: 0 })
    // First the copy is no longer stale.
    expect(changes).toEqual(["", "+dan fine, ~ann 19, -cem fine"])
    expect(seen(ben).toSorted()).toEqual(["ann 19", "ben fine", "dan fine"])
  })

  it("has another membership of the same user after a lost session", async () => {
    const world = createWorld({ limits: { resumeWindowMs: 100 } })
    const ann = await enter(world, "ann")
    const ben = await enter(world, "ben", { reconnect: () => 1_000 })
    await settled(world, ben.topic("chat:a").setState({ mood: "tired" }))
    const changes = updates(ann)
    const before = ben.topic("chat:a").presence.self?.id
    world.network.links.at(-1)?.cut()
    await world.clock.advance(500)
    expect(seen(ann)).toEqual(["ann fine"])
    expect(ben.topic("chat:a").presence.stale).toBe(true)
    await world.clock.advance(3_000)
    // With its last state.
    expect([seen(ann), seen(ben)]).toEqual([
      ["ann fine", "ben tired"],
      ["ann fine", "ben tired"],
    ])
    expect(changes).toEqual(["~ben tired", "-ben tired", "+ben tired"])
    expect(ben.topic("chat:a").presence.self?.id).not.toBe(before)
  })

  it("lists the members that joined first and counts all; the next one moves up", async () => {
    const world = createWorld({ limits: { presenceListMaxCount: 2 } })
    const ann = await enter(world, "ann")
    const [ben, cem] = [await enter(world, "ben"), await enter(world, "cem")]
    expect(seen(ann)).toEqual(["ann fine", "ben fine"])
    expect(cem.topic("chat:a").presence).toMatchObject({ count: 3, size: 2, self: undefined })
    expect(ann.topic("chat:a").presence.count).toBe(3)
    await settled(world, cem.topic("chat:a").setState({ mood: "unseen" }))
    await settled(world, ben.topic("chat:a").leave())
    for (const client of [ann, cem]) {
      expect(seen(client)).toEqual(["ann fine", "cem unseen"])
      expect(client.topic("chat:a").presence.count).toBe(2)
    }
    expect(cem.topic("chat:a").presence.self).toMatchObject({ user: "cem" })
  })

  it("door-8 lists the current members, after any number of joins and leaves", async () => {
    // Half of the send buffer is space for seven.
    const world = createWorld({ limits: { sendBufferMaxBytes: 8_192 } })
    const [ann, ben] = [await enter(world, "ann"), await enter(world, "ben")]
    const room = ben.topic("chat:a")
    for (let turn = 0; turn < 20; turn += 1) {
      await settled(world, room.leave())
      await settled(world, room.join(mood("back")))
    }
    expect([seen(ann), seen(ben)]).toEqual([
      ["ann fine", "ben back"],
      ["ann fine", "ben back"],
    ])
  })

  it("does not show subscribers that the application added, nor topics without presence", async () => {
    const world = createWorld()
    const ann = await enter(world, "ann")
    await world.open("ben")
    world.server.topic("chat:a").subscribe(sessionOf(world, "ben"))
    await settled(world, ann.topic("lobby").join())
    expect([seen(ann), ann.topic("chat:a").presence.count, world.server.local.topic("chat:a").size]).toEqual([
      ["ann fine"],
      1,
      2,
    ])
    expect(ann.topic("lobby").presence).toMatchObject({ count: 0, size: 0, self: undefined })
  })

  it("refuses a state that does not fit, is too large, or has no member", async () => {
    const world = createWorld({ limits: { presenceStateMaxBytes: 64 } })
    const ann = await enter(world, "ann")
    const room = ann.topic("chat:a")
    // @ts-expect-error 2322: a mood is text
    expect(await settled(world, room.setState({ mood: 1 }))).toBe("invalid_input")
    expect(await settled(world, room.setState({ mood: "x".repeat(40) }))).toBeUndefined()
    expect(await settled(world, room.setState({ mood: "x".repeat(70) }))).toBe("invalid_input")
    expect(await settled(world, ann.topic("chat:b").setState({ mood: "x" }))).toBe("forbidden")
    expect(await settled(world, ann.topic("chat:b").join(mood("x".repeat(70))))).toBe("invalid_input")
    expect(seen(ann)).toEqual([`ann ${"x".repeat(40)}`])
  })
})
