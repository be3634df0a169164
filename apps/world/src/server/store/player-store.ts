// Decides how players are kept: who exists, where they stand and what they have learned. Must not know what a map,
// a skill or a password is; names and hashes are strings to it.
import { setImmediate } from "node:timers/promises"
import type { Selectable, Transaction } from "kysely"
import { z } from "zod"
import type { Tables, WorldDatabase } from "./database.ts"
import type { NewPlayer, PlayerRecord, Position, Progress, SkillXp } from "./player-record.ts"

/** Players in the database. Every method rejects when the database fails. */
export interface PlayerStore {
  /** Resolves to the new player, or to "nameTaken" when the name exists in any case. */
  register(player: NewPlayer): Promise<PlayerRecord | "nameTaken">
  /** Finds a name in any case. */
  findByName(username: string): Promise<PlayerRecord | undefined>
  findById(id: number): Promise<PlayerRecord | undefined>
  /** Does nothing for an id that does not exist. */
  savePosition(id: number, position: Position): Promise<void>
  /** Saves all of it or, when it rejects, nothing. */
  saveProgress(progress: Progress): Promise<void>
  /**
   * Saves each of them whole, 50 to a transaction, and lets other work run in between. A record that cannot be
   * saved does not keep the others from it: rejects at the end with an AggregateError of what went wrong.
   */
  saveAll(records: readonly Progress[]): Promise<void>
  /** Closes the database; the store is of no use afterwards. */
  close(): Promise<void>
}

/** 50 players take a few milliseconds, a small part of a tick of 50 ms. */
const playersPerTransaction = 50

const storedAppearance = z.record(z.string(), z.string())

/** Keeps players in `db`, which it closes with `close()`. `nowMs`: milliseconds since 1970, default `Date.now`. */
export function createPlayerStore(db: WorldDatabase, nowMs: () => number = Date.now): PlayerStore {
  async function find(column: "id" | "username", value: number | string): Promise<PlayerRecord | undefined> {
    const row = await db.selectFrom("players").selectAll().where(column, "=", value).executeTakeFirst()
    if (row === undefined) return undefined
    const skills = await db.selectFrom("skills").selectAll().where("player_id", "=", row.id).execute()
    return toRecord(row, Object.fromEntries(skills.map(({ skill, xp }) => [skill, xp])))
  }

  async function saveTogether(records: readonly Progress[]): Promise<void> {
    await db.transaction().execute((transaction) => writeProgress(transaction, records))
  }

  return {
    register: ({ username, passwordHash, spawn }) =>
      db.transaction().execute(async (transaction) => {
        const row = await transaction
          .insertInto("players")
          .values(newRow({ username, passwordHash, spawn }, nowMs()))
          .onConflict((conflict) => conflict.column("username").doNothing())
          .returningAll()
          .executeTakeFirst()
        if (row === undefined) return "nameTaken"
        const record = toRecord(row, spawn.skills ?? {})
        await writeSkills(transaction, [record])
        return record
      }),
    findByName: (username) => find("username", username),
    findById: (id) => find("id", id),
    async savePosition(id, { mapId, x, y, facing }) {
      await db.updateTable("players").set({ map_id: mapId, x, y, facing }).where("id", "=", id).execute()
    },
    saveProgress: (progress) => saveTogether([progress]),
    async saveAll(records) {
      const failures: unknown[] = []
      for (let start = 0; start < records.length; start += playersPerTransaction) {
        if (start > 0) await setImmediate()
        const batch = records.slice(start, start + playersPerTransaction)
        await saveTogether(batch).catch(async () => {
          for (const record of batch)
            await saveTogether([record]).catch((error: unknown) => failures.push(error))
        })
      }
      if (failures.length > 0)
        throw new AggregateError(failures, `${failures.length} players could not be saved`)
    },
    close: () => db.destroy(),
  }
}

async function writeProgress(transaction: Transaction<Tables>, records: readonly Progress[]): Promise<void> {
  for (const { id, mapId, x, y, facing, currentHp, maxHp } of records) {
    const columns = { map_id: mapId, x, y, facing, current_hp: currentHp, max_hp: maxHp }
    await transaction.updateTable("players").set(columns).where("id", "=", id).execute()
  }
  await writeSkills(transaction, records)
}

async function writeSkills(transaction: Transaction<Tables>, records: readonly Progress[]): Promise<void> {
  const rows = records.flatMap(({ id, skills }) =>
    Object.entries(skills).map(([skill, xp]) => ({ player_id: id, skill, xp })),
  )
  if (rows.length === 0) return
  await transaction
    .insertInto("skills")
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(["player_id", "skill"]).doUpdateSet((row) => ({ xp: row.ref("excluded.xp") })),
    )
    .execute()
}

function newRow({ username, passwordHash, spawn }: NewPlayer, createdAtMs: number) {
  return {
    username,
    password_hash: passwordHash,
    map_id: spawn.mapId,
    x: spawn.x,
    y: spawn.y,
    facing: spawn.facing ?? "DOWN",
    current_hp: spawn.maxHp,
    max_hp: spawn.maxHp,
    appearance: JSON.stringify(spawn.appearance ?? {}),
    created_at_ms: createdAtMs,
  }
}

function toRecord(row: Selectable<Tables["players"]>, skills: SkillXp): PlayerRecord {
  return {
    id: row.id,
    username: row.username,
    passwordHash: row.password_hash,
    role: row.role,
    isBanned: row.is_banned === 1,
    timeoutUntilMs: row.timeout_until_ms,
    mapId: row.map_id,
    x: row.x,
    y: row.y,
    facing: row.facing,
    currentHp: row.current_hp,
    maxHp: row.max_hp,
    appearance: storedAppearance.parse(JSON.parse(row.appearance)),
    skills,
    createdAtMs: row.created_at_ms,
  }
}
