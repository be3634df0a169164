// Hundreds of seeded worlds: clients join and leave, publish and are excepted, connections break, sessions expire,
// servers are replaced. Always, a client receives the publications of a topic in order, once, and a gap for missing
// ones. In every quiet state each member's presence is complete.
import type { ServerStats } from "@hawser/server"
import { seededRandom } from "@hawser/protocol/testing"
import { describe, expect, it } from "vitest"
import { boundlessDials } from "../faults/harness.ts"
import { createWorld, settled } from "./harness.ts"
import type { TopicClient, World } from "./harness.ts"

const names = ["chat:a", "chat:b", "lobby"] as const
type Name = (typeof names)[number]

interface Draw {
  int(from: number, to: number): number
  chance(of: number): boolean
}

function drawFrom(seed: number): Draw {
  const random = seededRandom(seed)
  return {
    int: (from, to) => from + Math.floor(random() * (to - from + 1)),
    chance: (of) => random() < of,
  }
}

/** Publications in order, each with the client that it excepts. */
interface Published {
  readonly text: string
  readonly except: string | undefined
}

/** Events of one client in one topic since its join. */
type Heard = { readonly text: string } | { readonly missing: number }

interface Ear {
  readonly client: TopicClient
  readonly user: string
  readonly name: Name
  heard: Heard[]
  /** From this publication on it must receive all; undefined while it is not in. */
  fromIndex: number | undefined
  /** The next join continues from its position. */
  continues: boolean
  mood: string
}

interface Play {
  readonly world: World
  readonly draw: Draw
  readonly ears: Ear[]
  readonly published: Map<Name, Published[]>
  count: number
}

function note(play: Play, name: Name, what: Published): void {
  play.published.get(name)?.push(what)
}

function createPlay(seed: number): Play {
  const draw = drawFrom(seed)
  const published = new Map<Name, Published[]>(names.map((name) => [name, []]))
  const rules = {
    // Checked immediately before each publication.
    canPublish: ({ topic, payload }: { readonly topic: string; readonly payload: object }) => {
      const name = names.find((known) => known === topic)
      if (name !== undefined && "text" in payload) {
        const [text = "", except] = String(payload.text).split(" not ")
        note(play, name, { text: except === undefined ? text : String(payload.text), except })
      }
      return true
    },
  }
  const world = createWorld({
    latencyMs: draw.int(0, 30),
    history: { maxCount: draw.int(2, 30), maxAgeMs: draw.int(1_000, 60_000) },
    chat: rules,
    lobby: rules,
    limits: {
      resumeWindowMs: draw.int(50, 800),
      topicPageMaxCount: draw.int(1, 6),
      userDeliveryBurst: 1_000_000,
      pingAfterMs: 5_000,
      pongTimeoutMs: 2_000,
      concurrency: draw.int(1, 3),
    },
  })
  const play: Play = { world, draw, ears: [], published, count: 0 }
  return play
}

async function listenEverywhere(play: Play, user: string): Promise<void> {
  const client = await play.world.open(user, { limits: boundlessDials })
  for (const name of names) {
    const ear: Ear = {
      client,
      user,
      name,
      heard: [],
      fromIndex: undefined,
      continues: false,
      mood: "",
    }
    play.ears.push(ear)
    const room = client.topic(name)
    room.on("chatMessage", ({ text }) => ear.heard.push({ text }))
    room.onGap(({ from, to = Infinity }) => ear.heard.push({ missing: to - from + 1 }))
  }
}

function join(play: Play, ear: Ear): void {
  const { client, name } = ear
  if (client.topic(name).state !== "out") return
  const position = ear.continues ? client.topic(name).position : undefined
  const since = position === undefined ? {} : { since: position }
  if (position === undefined) ear.heard = []
  ear.mood = `mood ${play.draw.int(1, 9)}`
  const joined =
    name === "lobby"
      ? client.topic(name).join(since)
      : client.topic(name).join({ ...since, state: { mood: ear.mood } })
  joined.then(
    () => {
      if (position === undefined) ear.fromIndex = play.published.get(name)?.length ?? 0
    },
    () => {},
  )
}

function leave(play: Play, ear: Ear): void {
  const room = ear.client.topic(ear.name)
  if (room.state !== "in") return
  room.leave().catch(() => {})
  ear.continues = play.draw.chance(0.5)
  if (ear.continues) return
  checkHeard(play, ear)
  ear.fromIndex = undefined
}

function publish(play: Play, ear: Ear): void {
  const { world, draw } = play
  const { client, name, user } = ear
  play.count += 1
  const isExcept = draw.chance(0.2)
  const text = isExcept ? `${play.count} not ${user}` : `${play.count}`
  const room = client.topic(name)
  if (draw.chance(0.4)) {
    // The outcome is unknown if the connection breaks; the server's handler records its effect.
    room.publish("chatMessage", { text }, { echo: !isExcept }).catch(() => {})
    return
  }
  const [session] = world.server.sessionsOf(user)
  const but = isExcept && session !== undefined ? { except: session } : {}
  const except = isExcept && session !== undefined ? user : undefined
  note(play, name, { text, except })
  world.server.topic(name).publish("chatMessage", { text }, but)
}

function step(play: Play): void {
  const { draw, ears, world } = play
  const ear = ears[draw.int(0, ears.length - 1)]
  if (ear === undefined) return
  const dice = draw.int(0, 99)
  if (dice < 12) join(play, ear)
  else if (dice < 18) leave(play, ear)
  else if (dice < 23) changeMood(play, ear)
  else if (dice < 26) {
    const link = world.network.links.at(-draw.int(1, Math.min(4, world.network.links.length)))
    if (draw.chance(0.6)) link?.cut()
    else link?.server.stall(draw.chance(0.6))
  } else publish(play, ear)
}

function changeMood(play: Play, ear: Ear): void {
  const room = ear.client.topic(ear.name)
  if (ear.name === "lobby" || room.state !== "in") return
  const mood = `mood ${play.draw.int(1, 9)}`
  ear.client
    .topic(ear.name)
    .setState({ mood })
    .then(
      () => (ear.mood = mood),
      () => {},
    )
}

/** It must have received all publications since its join, except those in gaps and those that except it. */
function checkHeard(play: Play, ear: Ear): void {
  const { name, user, heard, fromIndex } = ear
  const all = play.published.get(name) ?? []
  if (fromIndex === undefined) return
  const indexes = new Map(all.map(({ text }, index) => [text, index]))
  const where = `${user} in ${name}`
  let next = 0
  let mayMiss = 0
  for (const one of heard) {
    if ("missing" in one) {
      mayMiss += one.missing
      continue
    }
    const index = indexes.get(one.text) ?? -1
    expect(index, `${where}: ${one.text} was published`).toBeGreaterThanOrEqual(0)
    expect(index, `${where}: ${one.text} arrives in order`).toBeGreaterThanOrEqual(next)
    expect(all[index]?.except, `${where}: ${one.text} does not except it`).not.toBe(user)
    checkMissing(all.slice(next, index), {
      fromIndex: fromIndex - next,
      user,
      mayMiss,
      where,
      before: one.text,
    })
    next = index + 1
    mayMiss = 0
  }
}

function checkMissing(
  skipped: readonly Published[],
  how: { fromIndex: number; user: string; mayMiss: number; where: string; before: string },
): void {
  const missed = skipped.filter(({ except }, index) => index >= how.fromIndex && except !== how.user)
  expect(
    missed.length <= how.mayMiss,
    `${how.where} misses ${missed.map(({ text }) => text).join(", ")} before ${how.before}, with gaps of ${how.mayMiss}`,
  ).toBe(true)
}

async function checkWhenQuiet(play: Play): Promise<void> {
  const { world, ears } = play
  for (const link of world.network.links) link.server.stall(false)
  await world.clock.advance(60_000)
  for (const name of names) {
    play.count += 1
    const text = `${play.count} last`
    note(play, name, { text, except: undefined })
    world.server.topic(name).publish("chatMessage", { text })
  }
  await world.clock.advance(1_000)
  for (const ear of ears) {
    const room = ear.client.topic(ear.name)
    expect(ear.client.current.state).toBe("open")
    expect(["in", "out"]).toContain(room.state)
    checkHeard(play, ear)
    if (room.state === "out") continue
    expect(ear.heard.at(-1), `${ear.user} in ${ear.name}`).toEqual({ text: `${lastOf(play, ear.name)}` })
    const present = ears.filter(({ name, client }) => name === ear.name && client.topic(name).state === "in")
    const expected = present.map(({ user, mood }) => ({ user, mood })).toSorted(byUser)
    if (ear.name === "lobby") continue
    const seen = [...ear.client.topic(ear.name).presence].map(({ user, state, away }) => {
      expect(away).toBe(false)
      return { user, mood: state.mood }
    })
    expect(seen.toSorted(byUser), `presence of ${ear.name} at ${ear.user}`).toEqual(expected)
    expect(room.presence).toMatchObject({ count: present.length, stale: false, self: { user: ear.user } })
    expect(world.server.topic(ear.name).size).toBe(present.length)
  }
}

function lastOf(play: Play, name: Name): string {
  return play.published.get(name)?.at(-1)?.text ?? ""
}

function byUser(one: { readonly user: string }, other: { readonly user: string }): number {
  return one.user < other.user ? -1 : 1
}

async function run(seed: number): Promise<ServerStats> {
  const play = createPlay(seed)
  const { world, draw } = play
  for (const user of ["ann", "ben", "cem"]) await listenEverywhere(play, user)
  for (let round = 0; round < 3; round += 1) {
    for (let turn = 0; turn < 60; turn += 1) {
      for (let many = draw.int(0, 6); many > 0; many -= 1) step(play)
      if (draw.chance(0.01)) world.restart()
      await settled(world, Promise.resolve(), draw.int(1, 150))
    }
    await checkWhenQuiet(play)
  }
  expect(world.errors).toEqual([])
  return world.server.stats()
}

const { SEED } = process.env
const seeds = SEED === undefined ? Array.from({ length: 60 }, (_, index) => index + 1) : [Number(SEED)]

describe("topics through a hostile network", { timeout: 240_000 }, () => {
  it("are received completely and in order, or with reported gaps, in 60 worlds", async () => {
    let [gaps, replays, updates] = [0, 0, 0]
    for (const seed of seeds) {
      try {
        const stats = await run(seed)
        gaps += stats.topicGaps
        replays += stats.topicReplays
        updates += stats.presenceUpdates
      } catch (error) {
        throw new Error(`seed ${seed} failed; SEED=${seed} runs it alone`, { cause: error })
      }
    }
    // Worlds in which nothing is missed would prove nothing.
    expect(Math.min(gaps, replays, updates)).toBeGreaterThan(SEED === undefined ? 100 : -1)
  })
})
