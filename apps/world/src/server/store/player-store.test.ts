import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { openDatabase } from "./database.ts"
import type { PlayerRecord } from "./player-record.ts"
import { createPlayerStore } from "./player-store.ts"
import type { PlayerStore } from "./player-store.ts"

const spawn = {
  mapId: "meadow",
  x: 25,
  y: 30,
  maxHp: 10,
  appearance: { hair: "buzzcut" },
  skills: { mining: 0, hitpoints: 1154 },
}
let folder = ""

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hawser-store-"))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function registered(store: PlayerStore, username: string): Promise<PlayerRecord> {
  const player = await store.register({ username, passwordHash: "hash", spawn })
  if (player === "nameTaken") throw new Error(`${username} is taken`)
  return player
}

describe.each([":memory:", "file"])("the store in %s", (kind) => {
  let store: PlayerStore

  beforeAll(async () => {
    const url = kind === "file" ? `file:${folder}/deep/world.sqlite` : kind
    store = createPlayerStore(await openDatabase(url), { nowMs: () => 1234 })
  })

  afterAll(() => store.close())

  test("registers a player and finds it by id and by name in any case", async () => {
    const player = await registered(store, "Anna")
    expect(player).toEqual({
      id: player.id,
      username: "Anna",
      passwordHash: "hash",
      role: "player",
      isBanned: false,
      timeoutUntilMs: null,
      mapId: "meadow",
      x: 25,
      y: 30,
      facing: "DOWN",
      currentHp: 10,
      maxHp: 10,
      appearance: { hair: "buzzcut" },
      skills: { mining: 0, hitpoints: 1154 },
      goods: {},
      createdAtMs: 1234,
    })
    expect(await store.findById(player.id)).toEqual(player)
    expect(await store.findByName("aNNA")).toEqual(player)
    expect(await store.findById(-1)).toBeUndefined()
    expect(await store.findByName("nobody")).toBeUndefined()
  })

  test("refuses a name that exists in another case, also in a race", async () => {
    const both = await Promise.all(
      ["Bob", "BOB"].map((username) => store.register({ username, passwordHash: "h", spawn })),
    )
    expect(both.filter((outcome) => outcome === "nameTaken")).toHaveLength(1)
  })

  test("saves progress, and keeps a skill that it omits", async () => {
    const player = await registered(store, "Dora")
    const moved = { ...player, x: 3, facing: "UP" as const, currentHp: 4, maxHp: 11 }
    await store.saveProgress({ ...moved, skills: { mining: 17.5, attack: 2 } })
    const skills = { mining: 17.5, attack: 2, hitpoints: 1154 }
    expect(await store.findById(player.id)).toEqual({ ...moved, skills })
  })

  test("saves no part of a progress that cannot be saved completely", async () => {
    const player = await registered(store, "Egon")
    await expect(store.saveProgress({ ...player, x: 99, skills: { mining: -1 } })).rejects.toThrow()
    expect(await store.findById(player.id)).toEqual(player)
  })

  test("saves all records across batches, except those that cannot be saved", async () => {
    const names = Array.from({ length: 120 }, (_, index) => `many-${index}`)
    const players: PlayerRecord[] = []
    for (const name of names) players.push(await registered(store, name))
    const changed = players.map((player, index) => ({ ...player, x: index, skills: { mining: index } }))
    await store.saveAll([])
    await store.saveAll(changed)
    expect((await store.findByName("many-119"))?.skills).toEqual({ mining: 119, hitpoints: 1154 })

    const broken = changed.map((player) => ({ ...player, y: player.x === 60 ? Number.NaN : 7 }))
    const { refused, failure } = await store.saveAll(broken)
    expect(refused).toMatchObject([{ record: broken[60], error: { code: "SQLITE_CONSTRAINT_NOTNULL" } }])
    expect(failure).toBeUndefined()
    const ys = await Promise.all(players.map(async ({ id }) => (await store.findById(id))?.y))
    expect(ys.map((y, index) => (y === 7 ? -1 : index)).filter((index) => index >= 0)).toEqual([60])
  })
})

test("finds all records after reopening the file", async () => {
  const url = `file:${join(folder, "again.sqlite")}`
  const first = createPlayerStore(await openDatabase(url))
  const player = await registered(first, "Fred")
  await first.saveProgress({ ...player, x: 5, skills: { mining: 3 } })
  await first.close()

  const second = createPlayerStore(await openDatabase(url))
  expect(await second.findByName("fred")).toEqual({ ...player, x: 5, skills: { mining: 3, hitpoints: 1154 } })
  expect(await second.register({ username: "FRED", passwordHash: "h", spawn })).toBe("nameTaken")
  await second.close()
})

test("rejects every call after closing", async () => {
  const store = createPlayerStore(await openDatabase(":memory:"))
  await store.close()
  await expect(store.findById(1)).rejects.toThrow()
})
