// A player who leaves and returns before the store has the progress: no progress is lost.
import { createServer } from "@hawser/server"
import { readFileSync } from "node:fs"
import { expect, it, onTestFinished, vi } from "vitest"
import { world as contract } from "../../apps/world/src/contract.ts"
import { parseTiledMap } from "../../apps/world/src/rules/map.ts"
import { stepXp } from "../../apps/world/src/rules/skills.ts"
import { Game } from "../../apps/world/src/server/game/game.ts"
import type { PlayerRecord, Progress } from "../../apps/world/src/server/store/player-record.ts"
import { ResumingPlayer } from "./resuming-player.ts"

const mapFile = new URL("../../apps/world/assets/map.json", import.meta.url)
const map = parseTiledMap(JSON.parse(readFileSync(mapFile, "utf8")))

/** Record in the store. It never changes. */
const record: PlayerRecord = {
  id: 1,
  username: "ann",
  passwordHash: "",
  role: "player",
  isBanned: false,
  timeoutUntilMs: null,
  mapId: map.id,
  x: map.spawn.x,
  y: map.spawn.y,
  facing: "DOWN",
  currentHp: 10,
  maxHp: 10,
  appearance: {},
  skills: {},
  goods: {},
  createdAtMs: 0,
}

interface GameHooks {
  readonly save: (progress: readonly Progress[]) => void
  readonly isUnsaved: () => boolean
}

/** A token is the name of its player; the player `ann` has the number 1. */
function openGame({ save, isUnsaved }: GameHooks) {
  const server = createServer(contract, {
    authenticate(username) {
      const id = username === "ann" ? 1 : 2
      return { id: String(id), expiresAtMs: Date.now() + 3_600_000, record: { ...record, id, username } }
    },
  })
  onTestFinished(() => server.close())
  const game = new Game({
    server,
    map,
    motd: "",
    random: () => 0,
    wallClockMs: Date.now,
    save,
    isUnsaved,
    read: async () => record,
    onError: (error) => expect.unreachable(String(error)),
    tickTimes: () => ({ averageMs: null, p50Ms: null, p99Ms: null }),
  })
  game.begin(0)
  return { server, game }
}

it("restores a player who returns before the store has the progress (door-5)", async () => {
  const saved: Progress[] = []
  let isUnsaved = true
  const { server, game } = openGame({
    save: (progress) => void saved.push(...progress),
    isUnsaved: () => isUnsaved,
  })
  const { port } = await server.listen()
  const player = new ResumingPlayer(`ws://127.0.0.1:${port}/ws`, { username: "ann", token: "ann" })
  await player.client.connect()
  await player.move("LEFT")
  const { at } = player
  expect(at).not.toMatchObject({ x: record.x })

  player.client.close()
  await vi.waitFor(() => expect(game.players.size).toBe(0))
  await player.client.connect()
  await vi.waitFor(() => expect(player.welcomes).toBe(2))
  expect(player.at).toEqual(at)
  expect(await player.xp()).toMatchObject({ exploration: stepXp })
  expect(saved).toMatchObject([{ id: 1, x: at?.x }])

  // Progress that the store cannot save is kept in memory without a time limit.
  player.client.close()
  await vi.waitFor(() => expect(game.players.size).toBe(0))
  for (let tick = 0; tick < 1_000; tick += 1) game.tick(tick * 50)
  await player.client.connect()
  await vi.waitFor(() => expect(player.welcomes).toBe(3))
  expect(player.at).toEqual(at)

  // After the save and the delay, the log-in uses the record of the store again.
  player.client.close()
  await vi.waitFor(() => expect(game.players.size).toBe(0))
  isUnsaved = false
  for (let tick = 0; tick < 850; tick += 1) game.tick(tick * 50)
  await player.client.connect()
  await vi.waitFor(() => expect(player.at).toMatchObject({ x: record.x, y: record.y }))
})

it("door-5 reports no departures at a shutdown, and saves the progress of all players", async () => {
  const saved: Progress[] = []
  const { server, game } = openGame({
    save: (progress) => void saved.push(...progress),
    isUnsaved: () => true,
  })
  const { port } = await server.listen()
  const players = ["ann", "bob"].map(
    (username) => new ResumingPlayer(`ws://127.0.0.1:${port}/ws`, { username, token: username }),
  )
  for (const { client } of players) {
    onTestFinished(() => client.close())
    await client.connect()
  }
  const shutdowns = new Set<unknown>()
  for (const { client } of players)
    client.onStatus((status) => {
      if (status.state === "reconnecting" && status.error?.code === "server_shutdown") shutdowns.add(client)
    })
  await server.close()
  await vi.waitFor(() => expect(shutdowns.size).toBe(2))
  expect(game.players.size).toBe(0)
  expect(players.map(({ left }) => left)).toEqual([[], []])
  expect(saved.map(({ id }) => id)).toEqual([1, 2])
})
