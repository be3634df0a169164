// Players whose connections break: each action and line takes effect exactly once, in one session. Other players see
// them correctly.
import { setTimeout as pause } from "node:timers/promises"
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest"
import { moveCooldownMs } from "../../apps/world/src/contract.ts"
import type { Direction } from "../../apps/world/src/contract.ts"
import { openDatabase } from "../../apps/world/src/server/store/database.ts"
import { gatherXp, stepXp } from "../../apps/world/src/rules/skills.ts"
import type { ConnectionBehaviour } from "../chaos/behaviour.ts"
import { startChaosProxy } from "../chaos/proxy.ts"
import type { ChaosProxy, ChaosProxyOptions } from "../chaos/proxy.ts"
import { newAccount } from "../conformance-2.0/player.ts"
import type { Account } from "../conformance-2.0/player.ts"
import { caseContext } from "./case-context.ts"
import { ResumingPlayer } from "./resuming-player.ts"
import { WorldProcess, startWorld } from "./start-world.ts"

const world = new WorldProcess()
beforeAll(() => world.start(), 60_000)
afterAll(() => world.remove())

const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 15_000, interval: 10 })

async function proxyTo(
  { url }: WorldProcess,
  options: Omit<ChaosProxyOptions, "to"> = {},
): Promise<ChaosProxy> {
  const { hostname, port } = new URL(url)
  const proxy = await startChaosProxy({ ...options, to: { host: hostname, port: Number(port) } })
  onTestFinished(() => proxy.close())
  return proxy
}

/** Connects a new player through the proxy. */
async function enter(to: WorldProcess, proxy: ChaosProxy, as?: Account): Promise<ResumingPlayer> {
  const account = as ?? (await newAccount(caseContext(to)))
  const player = new ResumingPlayer(`ws://${proxy.host}:${proxy.port}/ws`, account)
  await player.client.connect()
  await eventually(() => expect(player.welcomes).toBe(1))
  return player
}

const cuts = 50

/** Resets connections after a random byte of either direction, until enough have been lost; then none. */
function untilPeace(isPeace: () => boolean): NonNullable<ChaosProxyOptions["plan"]> {
  return (_, random): ConnectionBehaviour => {
    const [direction, bytes] = [random(), random()]
    if (isPeace()) return {}
    // A log-in takes about 600 bytes one way and 500 the other; the first snapshot takes about 5,000 more.
    return direction < 0.5
      ? { toServer: { stop: { afterBytes: 200 + Math.floor(bytes * 1_000), how: "rst" } } }
      : { toClient: { stop: { afterBytes: 200 + Math.floor(bytes ** 3 * 12_000), how: "rst" } } }
  }
}

/** Way from the spawn point to the foot of a tree, which is to the right. */
const toTheTree: readonly Direction[] = [
  ...Array.from({ length: 17 }, () => "UP" as const),
  ...Array.from({ length: 8 }, () => "RIGHT" as const),
]

/** Keeps the world's rate limits: a faster step is refused, in an outage or not. */
async function walkAndGather(player: ResumingPlayer, isOver: () => boolean): Promise<readonly number[]> {
  const step = async (direction: Direction): Promise<void> => {
    await player.move(direction)
    await pause(moveCooldownMs)
  }
  for (const direction of toTheTree) await step(direction)
  const { x = 0, y = 0 } = player.at ?? {}
  const xp: number[] = []
  while (!isOver()) {
    const gained = await player.gather({ x: x + 1, y })
    if (gained !== undefined) xp.push(gained)
    // Eight steps take longer than the second between two gatherings.
    const others = ["LEFT", "LEFT", "LEFT", "DOWN", "UP", "RIGHT", "RIGHT", "RIGHT"] as const
    for (const direction of others) await step(direction)
  }
  return xp
}

async function talk(player: ResumingPlayer, isOver: () => boolean): Promise<readonly string[]> {
  const said: string[] = []
  while (!isOver()) {
    const line = `line ${said.length}`
    await player.say(line)
    said.push(`${player.username}: ${line}`)
    await pause(1_000)
  }
  return said
}

describe("two players whose connections are cut repeatedly", { timeout: 180_000 }, () => {
  it("walk, talk and gather, each thing once and in order, in one session", async () => {
    const players: ResumingPlayer[] = []
    const isPeace = (): boolean =>
      players.reduce((sum, { client }) => sum + client.stats().connectionsLost, 0) >= cuts
    const proxy = await proxyTo(world, { seed: 20_260, plan: untilPeace(isPeace) })
    const [ann, bob] = [await enter(world, proxy), await enter(world, proxy)]
    players.push(ann, bob)
    const ids = players.map(({ client }) => client.sessionId)

    const [annXp, bobXp, annSaid, bobSaid] = await Promise.all([
      walkAndGather(ann, isPeace),
      walkAndGather(bob, isPeace),
      talk(ann, isPeace),
      talk(bob, isPeace),
    ])

    await eventually(() => expect(ann.talk).toHaveLength(annSaid.length + bobSaid.length))
    await eventually(() => expect(bob.talk).toEqual(ann.talk))
    for (const said of [annSaid, bobSaid])
      expect(ann.talk.filter((line) => said.includes(line))).toEqual(said)
    for (const xp of [annXp, bobXp]) expect(xp).toEqual(xp.map((_, index) => (index + 1) * gatherXp))
    for (const player of players) {
      const { woodcutting, exploration } = await player.xp()
      expect({ woodcutting, exploration }).toEqual({
        woodcutting: player.gathered * gatherXp,
        exploration: player.steps * stepXp,
      })
      for (const watcher of players)
        await eventually(() =>
          expect(watcher.seen.get(player.username)).toMatchObject({
            x: player.at?.x,
            y: player.at?.y,
            away: false,
          }),
        )
      expect([player.welcomes, player.lines.length - player.talk.length, player.left, player.errors]).toEqual(
        [1, 1, [], []],
      )
      expect(new Set(player.sessions.map(({ kind }) => kind))).toEqual(new Set(["opened", "resumed"]))
      const { sessionsOpened, sessionsReset, sessionsResumed, connectionsLost } = player.client.stats()
      expect([sessionsOpened, sessionsReset, sessionsResumed]).toEqual([1, 0, connectionsLost])
    }
    expect(players.map(({ client }) => client.sessionId)).toEqual(ids)
    expect(Math.min(annXp.length, bobXp.length)).toBeGreaterThan(0)
    expect(isPeace()).toBe(true)
  })
})

describe("a player whose connection is lost", { timeout: 60_000 }, () => {
  it("stays in the world, marked as away, and returns without a chat line", async () => {
    const [direct, proxy] = [await proxyTo(world), await proxyTo(world)]
    const [watcher, player] = [await enter(world, direct), await enter(world, proxy)]
    const seen = (): unknown => watcher.seen.get(player.username)
    await eventually(() => expect(seen()).toMatchObject({ away: false }))
    await pullThePlug(proxy, player)
    await eventually(() => expect(seen()).toMatchObject({ ...place(player), away: true }))
    await watcher.say("are you there?")
    const news = Promise.all([player.say("what I said meanwhile"), player.move("LEFT")])
    await proxy.accept()
    await news
    await eventually(() => expect(seen()).toMatchObject({ ...place(player), away: false }))
    const talk = [`${watcher.username}: are you there?`, `${player.username}: what I said meanwhile`]
    await eventually(() => expect([watcher.talk, player.talk]).toEqual([talk, talk]))
    expect([watcher.left, watcher.joined.filter((name) => name === player.username)]).toEqual([
      [],
      [player.username],
    ])
    expect([player.welcomes, player.joined.includes(player.username)]).toEqual([1, false])
  })

  it("receives missed movements after the resume in one update, not one by one", async () => {
    const [direct, proxy] = [await proxyTo(world), await proxyTo(world)]
    const [walker, player] = [await enter(world, direct), await enter(world, proxy)]
    await eventually(() => expect(player.seen.has(walker.username)).toBe(true))
    await pullThePlug(proxy, player)
    await eventually(() => expect(walker.seen.get(player.username)).toMatchObject({ away: true }))
    let updates = 0
    player.client.replica("players").subscribe(() => (updates += 1))
    for (const direction of ["UP", "UP", "UP", "UP", "UP", "UP", "LEFT"] as const) {
      await walker.move(direction)
      await pause(moveCooldownMs)
    }
    let updatesAtSight = 0
    player.client.replica("players").subscribe(({ events }) => {
      if (updatesAtSight === 0 && events.some(({ record }) => record.username === walker.username))
        updatesAtSight = updates
    })
    await proxy.accept()
    await eventually(() => expect(player.seen.get(walker.username)).toMatchObject(place(walker)))
    expect(updatesAtSight).toBe(1)
  })

  it("has the account's current permissions after the resume", async () => {
    const proxy = await proxyTo(world)
    const player = await enter(world, proxy)
    const shout = (): Promise<unknown> =>
      player.client.command("chatSend", { channel: "global", message: "hear, hear" })
    await expect(shout()).rejects.toMatchObject({ code: "chat_permission_denied" })
    const database = await openDatabase(`file:${world.folder}/data/world.sqlite`)
    onTestFinished(() => database.destroy())
    await database
      .updateTable("players")
      .set({ role: "moderator" })
      .where("username", "=", player.username)
      .execute()
    await expect(shout()).rejects.toMatchObject({ code: "chat_permission_denied" })
    proxy.cut()
    await eventually(() => expect(player.sessions.at(-1)).toMatchObject({ kind: "resumed" }))
    await shout()
    await eventually(() => expect(player.talk).toEqual([`${player.username}: hear, hear`]))
  })
})

describe("a second login while the first one's connection is lost", { timeout: 60_000 }, () => {
  it("replaces the session: it gets the player on the same tile, and the first client closes with `replaced`", async () => {
    const [direct, proxy] = [await proxyTo(world), await proxyTo(world)]
    const account = await newAccount(caseContext(world))
    const [watcher, first] = [await enter(world, direct), await enter(world, proxy, account)]
    await first.move("LEFT")
    await pullThePlug(proxy, first)
    await eventually(() => expect(watcher.seen.get(account.username)).toMatchObject({ away: true }))
    const second = await enter(world, direct, account)
    expect(second.at).toEqual(first.at)
    await eventually(() => expect(watcher.seen.get(account.username)).toMatchObject({ away: false }))
    await proxy.accept()
    await eventually(() =>
      expect(first.client.current).toMatchObject({ state: "closed", error: { code: "replaced" } }),
    )
    expect(first.sessions.at(-1)).toMatchObject({ kind: "reset", cause: "replaced" })
    await second.say("it is me")
    expect([watcher.left, second.client.current]).toEqual([[], { state: "open" }])
  })
})

describe("a player who is detached for longer than the resume window", { timeout: 60_000 }, () => {
  it("leaves, and begins a new session with the saved progress; a waiting request runs once", async () => {
    const short = await startWorld({ env: { RESUME_WINDOW_SECONDS: "1" } })
    onTestFinished(() => short.remove())
    const [direct, proxy] = [await proxyTo(short), await proxyTo(short)]
    const [watcher, player] = [await enter(short, direct), await enter(short, proxy)]
    await player.move("LEFT")
    await pullThePlug(proxy, player)
    const line = player.say("said in between")
    await eventually(() => expect(watcher.left).toEqual([player.username]))
    await watcher.say("lost to who is not there")
    await proxy.accept()
    await line
    await eventually(() => expect(player.welcomes).toBe(2))
    expect(player.sessions).toMatchObject([
      { kind: "opened" },
      { kind: "reset", cause: "session_expired", unacknowledged: [] },
      { kind: "opened" },
    ])
    await eventually(() =>
      expect(watcher.talk).toEqual([
        `${watcher.username}: lost to who is not there`,
        `${player.username}: said in between`,
      ]),
    )
    expect(player.talk).toEqual([`${player.username}: said in between`])
    await eventually(() => expect(watcher.seen.get(player.username)).toMatchObject(place(player)))
    expect(await player.xp()).toMatchObject({ exploration: stepXp })
  })
})

function place({ at }: ResumingPlayer): { readonly x: number; readonly y: number } {
  if (at === undefined) throw new Error("the player is not in the world")
  return { x: at.x, y: at.y }
}

/** Refuses connections, and waits until the player's client has noticed. */
async function pullThePlug(proxy: ChaosProxy, { client }: ResumingPlayer): Promise<void> {
  proxy.refuse()
  proxy.cut()
  await eventually(() => expect(client.current.state).toBe("reconnecting"))
}
