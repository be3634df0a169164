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
type Received = { readonly text: string } | { readonly missing: number }

interface Listener {
  readonly client: TopicClient
  readonly user: string
  readonly name: Name
  received: Received[]
  /** From this publication on it must receive all; undefined while it is not in. */
  fromIndex: number | undefined
  /** The next join continues from its position. */
  continues: boolean
  mood: string
}

interface Play {
  readonly world: World
  readonly draw: Draw
  readonly listeners: Listener[]
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
    },
  })
  const play: Play = { world, draw, listeners: [], published, count: 0 }
  return play
}

async function listenEverywhere(play: Play, user: string): Promise<void> {
  const client = await play.world.open(user, { limits: boundlessDials })
  for (const name of names) {
    const listener: Listener = {
      client,
      user,
      name,
      received: [],
      fromIndex: undefined,
      continues: false,
      mood: "",
    }
    play.listeners.push(listener)
    const room = client.topic(name)
    room.on("chatMessage", ({ text }) => listener.received.push({ text }))
    room.onGap(({ from, to = Infinity }) => listener.received.push({ missing: to - from + 1 }))
  }
}

function join(play: Play, listener: Listener): void {
  const { client, name } = listener
  if (client.topic(name).state !== "out") return
  const position = listener.continues ? client.topic(name).position : undefined
  const since = position === undefined ? {} : { since: position }
  if (position === undefined) listener.received = []
  listener.mood = `mood ${play.draw.int(1, 9)}`
  const joined =
    name === "lobby"
      ? client.topic(name).join(since)
      : client.topic(name).join({ ...since, state: { mood: listener.mood } })
  joined.then(
    () => {
      if (position === undefined) listener.fromIndex = play.published.get(name)?.length ?? 0
    },
    () => {},
  )
}

function leave(play: Play, listener: Listener): void {
  const room = listener.client.topic(listener.name)
  if (room.state !== "in") return
  room.leave().catch(() => {})
  listener.continues = play.draw.chance(0.5)
  if (listener.continues) return
  checkReceived(play, listener)
  listener.fromIndex = undefined
}

function publish(play: Play, listener: Listener): void {
  const { world, draw } = play
  const { client, name, user } = listener
  play.count += 1
  const isExcept = draw.chance(0.2)
  const text = isExcept ? `${play.count} not ${user}` : `${play.count}`
  const room = client.topic(name)
  if (draw.chance(0.4)) {
    // The outcome is unknown if the connection breaks; the server's handler records its effect.
    room.publish("chatMessage", { text }, { echo: !isExcept }).catch(() => {})
    return
  }
  const [session] = world.server.local.sessions(user)
  const but = isExcept && session !== undefined ? { except: session } : {}
  const except = isExcept && session !== undefined ? user : undefined
  note(play, name, { text, except })
  world.server.topic(name).publish("chatMessage", { text }, but)
}

function step(play: Play): void {
  const { draw, listeners, world } = play
  const listener = listeners[draw.int(0, listeners.length - 1)]
  if (listener === undefined) return
  const dice = draw.int(0, 99)
  if (dice < 12) join(play, listener)
  else if (dice < 18) leave(play, listener)
  else if (dice < 23) changeMood(play, listener)
  else if (dice < 26) {
    const link = world.network.links.at(-draw.int(1, Math.min(4, world.network.links.length)))
    if (draw.chance(0.6)) link?.cut()
    else link?.server.stall(draw.chance(0.6))
  } else publish(play, listener)
}

function changeMood(play: Play, listener: Listener): void {
  const room = listener.client.topic(listener.name)
  if (listener.name === "lobby" || room.state !== "in") return
  const mood = `mood ${play.draw.int(1, 9)}`
  listener.client
    .topic(listener.name)
    .setState({ mood })
    .then(
      () => (listener.mood = mood),
      () => {},
    )
}

/** It must have received all publications since its join, except those in gaps and those that except it. */
function checkReceived(play: Play, listener: Listener): void {
  const { name, user, received, fromIndex } = listener
  const all = play.published.get(name) ?? []
  if (fromIndex === undefined) return
  const indexes = new Map(all.map(({ text }, index) => [text, index]))
  const where = `${user} in ${name}`
  let next = 0
  let mayMiss = 0
  for (const one of received) {
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
  const { world, listeners } = play
  for (const link of world.network.links) link.server.stall(false)
  await world.clock.advance(60_000)
  for (const name of names) {
    play.count += 1
    const text = `${play.count} last`
    note(play, name, { text, except: undefined })
    world.server.topic(name).publish("chatMessage", { text })
  }
  await world.clock.advance(1_000)
  for (const listener of listeners) {
    const room = listener.client.topic(listener.name)
    expect(listener.client.current.state).toBe("open")
    expect(["in", "out"]).toContain(room.state)
    checkReceived(play, listener)
    if (room.state === "out") continue
    expect(listener.received.at(-1), `${listener.user} in ${listener.name}`).toEqual({
      text: `${lastOf(play, listener.name)}`,
    })
    const present = listeners.filter(
      ({ name, client }) => name === listener.name && client.topic(name).state === "in",
    )
    const expected = present.map(({ user, mood }) => ({ user, mood })).toSorted(byUser)
    if (listener.name === "lobby") continue
    const seen = [...listener.client.topic(listener.name).presence].map(({ user, state, away }) => {
      expect(away).toBe(false)
      return { user, mood: state.mood }
    })
    expect(seen.toSorted(byUser), `presence of ${listener.name} at ${listener.user}`).toEqual(expected)
    expect(room.presence).toMatchObject({
      count: present.length,
      stale: false,
      self: { user: listener.user },
    })
    expect(world.server.local.topic(listener.name).size).toBe(present.length)
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
