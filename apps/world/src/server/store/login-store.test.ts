import { sql } from "kysely"
import { beforeEach, expect, onTestFinished, test } from "vitest"
import { openDatabase } from "./database.ts"
import type { WorldDatabase } from "./database.ts"
import { createLoginStore } from "./login-store.ts"
import type { LoginStore, LoginToken } from "./login-store.ts"
import { createPlayerStore } from "./player-store.ts"

const dayMs = 24 * 60 * 60_000
let db: WorldDatabase
let nowMs = 0
let logins: LoginStore
let playerId = 0

beforeEach(async () => {
  nowMs = 1_000_000
  db = await openDatabase(":memory:")
  onTestFinished(() => db.destroy())
  logins = createLoginStore(db, { nowMs: () => nowMs })
  const spawn = { mapId: "meadow", x: 1, y: 2, maxHp: 10 }
  const player = await createPlayerStore(db).register({ username: "ann", passwordHash: "hash", spawn })
  if (player !== "nameTaken") playerId = player.id
})

/** Renews, and fails without a successor. */
async function renewed(token: LoginToken): Promise<LoginToken> {
  const renewal = await logins.renew(token)
  if (!("token" in renewal)) throw new Error(renewal.kind)
  return renewal.token
}

test("door-6 exchanges a token for its successor, repeatedly", async () => {
  let token = await logins.begin("family", playerId)
  for (let generation = 2; generation < 10; generation += 1) {
    nowMs += 60_000
    expect(await logins.renew(token)).toEqual({
      kind: "renewed",
      token: { family: "family", generation },
      playerId,
    })
    token = { family: "family", generation }
  }
})

test("door-6 ends a log-in whose token is presented twice, for both of its holders", async () => {
  const first = await logins.begin("family", playerId)
  const stolen = await renewed(first)
  const newest = await renewed(stolen)
  await renewed(newest)
  expect(await logins.renew(stolen)).toEqual({ kind: "reused", playerId })
  expect(await logins.renew({ family: "family", generation: 4 })).toEqual({ kind: "unknown" })
  expect(await logins.renew(newest)).toEqual({ kind: "unknown" })
})

test("door-6 returns the same successor for 30 s: two tabs renew at once, and answers get lost", async () => {
  const first = await logins.begin("family", playerId)
  const second = await renewed(first)
  nowMs += 29_999
  expect(await logins.renew(first)).toEqual({ kind: "repeated", token: second, playerId })
  const third = await renewed(second)
  // A predecessor is spent once its successor was presented.
  expect(await logins.renew(first)).toEqual({ kind: "reused", playerId })
  expect(await logins.renew(third)).toEqual({ kind: "unknown" })
})

test("door-6 treats a successor as lost if its predecessor is presented later, and ends the log-in if it was not lost", async () => {
  const first = await logins.begin("family", playerId)
  const lost = await renewed(first)
  nowMs += 30_000
  const third = await renewed(first)
  expect(third.generation).toBe(3)
  expect(await renewed(third)).toMatchObject({ generation: 4 })
  expect(await logins.renew(lost)).toEqual({ kind: "reused", playerId })
})

test("door-6 never returns a spent token", async () => {
  const first = await logins.begin("family", playerId)
  const given = new Set<number>([1])
  let [previous, token] = [first, first]
  for (let round = 0; round < 50; round += 1) {
    nowMs += 40_000
    // Every third answer is lost.
    const renewal = await logins.renew(round % 3 === 2 ? previous : token)
    if (renewal.kind !== "renewed") throw new Error(renewal.kind)
    expect(given.has(renewal.token.generation)).toBe(false)
    given.add(renewal.token.generation)
    if (round % 3 !== 2) previous = token
    token = renewal.token
  }
})

test("door-6 ends a log-in on request, 30 days after its last renewal, and 90 days after its start", async () => {
  const left = await logins.begin("left", playerId)
  await logins.end("left")
  await logins.end("left")
  expect(await logins.renew(left)).toEqual({ kind: "unknown" })

  const idle = await logins.begin("idle", playerId)
  nowMs += 30 * dayMs
  expect(await logins.renew(idle)).toEqual({ kind: "expired" })
  expect(await logins.renew(idle)).toEqual({ kind: "unknown" })

  let token = await logins.begin("busy", playerId)
  for (let day = 0; day < 89; day += 1) {
    nowMs += dayMs
    token = await renewed(token)
  }
  nowMs += dayMs
  expect(await logins.renew(token)).toEqual({ kind: "expired" })
})

test("door-6 verifies a token without exchanging it while the database accepts no writes", async () => {
  const first = await logins.begin("family", playerId)
  const second = await renewed(first)
  await sql`pragma query_only = on`.execute(db)
  for (let time = 0; time < 3; time += 1)
    expect(await logins.renew(second)).toEqual({ kind: "kept", token: second, playerId })
  for (const token of [first, { ...second, generation: 3 }, { ...second, family: "another" }])
    await expect(logins.renew(token)).rejects.toMatchObject({ code: "SQLITE_READONLY" })
  nowMs += 31 * dayMs
  await expect(logins.renew(second)).rejects.toThrow()
  await sql`pragma query_only = off`.execute(db)
  nowMs -= 31 * dayMs
  expect(await logins.renew(second)).toMatchObject({ kind: "renewed" })
})

test("door-6 keeps the 20 most recently renewed log-ins of a player, and deletes the expired ones of all players", async () => {
  const tokens: LoginToken[] = []
  for (let number = 0; number < 21; number += 1) {
    nowMs += 1_000
    tokens.push(await logins.begin(`family-${number}`, playerId))
    if (number === 5) await logins.renew(tokens[0] ?? { family: "", generation: 0 })
  }
  const kinds = await Promise.all(tokens.slice(1).map((token) => logins.renew(token)))
  expect(kinds.map(({ kind }) => kind)).toEqual(["unknown", ...Array.from({ length: 19 }, () => "renewed")])
  nowMs += 31 * dayMs
  await logins.begin("new", playerId)
  expect(await db.selectFrom("logins").select("family").execute()).toEqual([{ family: "new" }])
})
