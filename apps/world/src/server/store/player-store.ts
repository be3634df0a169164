// Stores players: accounts, positions and experience. Must not know what a map, a skill or a password is; names and
// hashes are opaque strings.
import { setImmediate } from "node:timers/promises"
import type { Selectable, Transaction } from "kysely"
import { z } from "zod"
import { isDatabaseDown, retryBusy } from "./busy.ts"
import type { BusyOptions } from "./busy.ts"
import type { WorldDatabase } from "./database.ts"
import type { Tables } from "./tables.ts"
import type { NewPlayer, PlayerRecord, Progress } from "./player-record.ts"

/** Players in the database. Every method rejects if the database fails, with `DatabaseBusy` if it stays locked for 2 s. */
export interface PlayerStore {
  /** Resolves to the new player, or to "nameTaken" if the name exists in any case. */
  register(player: NewPlayer): Promise<PlayerRecord | "nameTaken">
  /** Finds a player by a name in any case. */
  findByName(username: string): Promise<PlayerRecord | undefined>
  findById(id: number): Promise<PlayerRecord | undefined>
  /** Saves the whole progress or, if it rejects, nothing. */
  saveProgress(progress: Progress): Promise<void>
  /**
   * Saves each record as a whole, 50 per transaction, and lets other work run in between. A record that cannot be saved
   * does not affect the others. If the database itself fails, the rest is not tried. Never rejects.
   */
  saveAll(records: readonly Progress[]): Promise<SaveOutcome>
  /** Closes the database; the store is unusable afterwards. */
  close(): Promise<void>
}

/** Result of `saveAll`. */
export interface SaveOutcome {
  /** Records that can never be saved, with the reason. */
  readonly refused: readonly { readonly record: Progress; readonly error: unknown }[]
  /** Cause of the database's failure, and the records that were not saved before it; undefined if it did not fail. */
  readonly failure: { readonly cause: unknown; readonly unsaved: readonly Progress[] } | undefined
}

/** Players per transaction. 50 take a few milliseconds, a small part of a tick of 50 ms. */
const playersPerTransaction = 50

const storedAppearance = z.record(z.string(), z.string())

export interface PlayerStoreOptions {
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly nowMs?: () => number
  /** Retries of a locked database. */
  readonly busy?: BusyOptions
}

/** Stores players in `db`, which `close()` closes. */
export function createPlayerStore(db: WorldDatabase, options: PlayerStoreOptions = {}): PlayerStore {
  const { nowMs = Date.now, busy = {} } = options
  const withRetries = <T>(work: () => Promise<T>): Promise<T> => retryBusy(work, busy)

  async function find(column: "id" | "username", value: number | string): Promise<PlayerRecord | undefined> {
    const row = await db.selectFrom("players").selectAll().where(column, "=", value).executeTakeFirst()
    if (row === undefined) return undefined
    const skills = await db.selectFrom("skills").selectAll().where("player_id", "=", row.id).execute()
    const goods = await db.selectFrom("goods").selectAll().where("player_id", "=", row.id).execute()
    return toRecord(row, {
      skills: Object.fromEntries(skills.map(({ skill, xp }) => [skill, xp])),
      goods: Object.fromEntries(goods.map(({ item, pieces }) => [item, pieces])),
    })
  }

  function saveTogether(records: readonly Progress[]): Promise<void> {
    return withRetries(() => db.transaction().execute((transaction) => writeProgress(transaction, records)))
  }

  return {
    register: (player) => withRetries(() => insert(db, player, nowMs())),
    findByName: (username) => withRetries(() => find("username", username)),
    findById: (id) => withRetries(() => find("id", id)),
    saveProgress: (progress) => saveTogether([progress]),
    saveAll: (records) => saveBatches(records, saveTogether),
    close: () => db.destroy(),
  }
}

function insert(db: WorldDatabase, player: NewPlayer, nowMs: number): Promise<PlayerRecord | "nameTaken"> {
  return db.transaction().execute(async (transaction) => {
    const row = await transaction
      .insertInto("players")
      .values(newRow(player, nowMs))
      .onConflict((conflict) => conflict.column("username").doNothing())
      .returningAll()
      .executeTakeFirst()
    if (row === undefined) return "nameTaken"
    const record = toRecord(row, { skills: player.spawn.skills ?? {}, goods: {} })
    await writeSkills(transaction, [record])
    return record
  })
}

async function saveBatches(
  records: readonly Progress[],
  saveTogether: (records: readonly Progress[]) => Promise<void>,
): Promise<SaveOutcome> {
  const refused: { readonly record: Progress; readonly error: unknown }[] = []

  /** Rejects only if the database itself fails. */
  async function saveBatch(batch: readonly Progress[]): Promise<void> {
    try {
      await saveTogether(batch)
    } catch (error) {
      if (isDatabaseDown(error)) throw error
      const [record] = batch
      if (batch.length > 1) for (const one of batch) await saveBatch([one])
      else if (record !== undefined) refused.push({ record, error })
    }
  }

  for (let start = 0; start < records.length; start += playersPerTransaction) {
    if (start > 0) await setImmediate()
    try {
      await saveBatch(records.slice(start, start + playersPerTransaction))
    } catch (cause) {
      return { refused, failure: { cause, unsaved: records.slice(start) } }
    }
  }
  return { refused, failure: undefined }
}

async function writeProgress(transaction: Transaction<Tables>, records: readonly Progress[]): Promise<void> {
  for (const { id, mapId, x, y, facing, currentHp, maxHp } of records) {
    const columns = { map_id: mapId, x, y, facing, current_hp: currentHp, max_hp: maxHp }
    await transaction.updateTable("players").set(columns).where("id", "=", id).execute()
  }
  await writeSkills(transaction, records)
  await writeGoods(transaction, records)
}

async function writeGoods(transaction: Transaction<Tables>, records: readonly Progress[]): Promise<void> {
  const rows = records.flatMap(({ id, goods }) =>
    Object.entries(goods).map(([item, pieces]) => ({ player_id: id, item, pieces })),
  )
  if (rows.length === 0) return
  await transaction
    .insertInto("goods")
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(["player_id", "item"]).doUpdateSet((row) => ({ pieces: row.ref("excluded.pieces") })),
    )
    .execute()
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

function toRecord(
  row: Selectable<Tables["players"]>,
  { skills, goods }: Pick<PlayerRecord, "skills" | "goods">,
): PlayerRecord {
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
    goods,
    createdAtMs: row.created_at_ms,
  }
}
