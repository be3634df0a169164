// Steps from an empty database to the tables of this version. A released step is never edited: add a new one instead.
// Must not know the readers of the tables.
import { sql } from "kysely"
import type { Kysely } from "kysely"
import type { Tables } from "./tables.ts"

/** One step; its statements run in order, in one transaction. */
export interface Migration {
  /** Consecutive number from 1. */
  readonly id: number
  readonly name: string
  readonly statements: readonly string[]
}

/** All steps, in order. */
export const migrations: readonly Migration[] = [
  {
    id: 1,
    name: "players and skills",
    statements: [
      `create table players (
        id integer primary key autoincrement,
        username text not null collate nocase unique,
        password_hash text not null,
        role text not null default 'player' check (role in ('player', 'moderator', 'admin')),
        is_banned integer not null default 0 check (is_banned in (0, 1)),
        timeout_until_ms integer,
        map_id text not null,
        x integer not null,
        y integer not null,
        facing text not null check (facing in ('UP', 'DOWN', 'LEFT', 'RIGHT')),
        current_hp integer not null,
        max_hp integer not null,
        appearance text not null,
        created_at_ms integer not null
      )`,
      `create table skills (
        player_id integer not null references players (id) on delete cascade,
        skill text not null,
        xp real not null check (xp >= 0),
        primary key (player_id, skill)
      ) without rowid`,
    ],
  },
  {
    id: 2,
    name: "renewable log-ins",
    statements: [
      `create table logins (
        family text not null primary key,
        player_id integer not null references players (id) on delete cascade,
        generation integer not null,
        previous integer,
        rotated_at_ms integer not null,
        expires_at_ms integer not null,
        created_at_ms integer not null
      ) without rowid`,
      "create index logins_by_player on logins (player_id)",
      "create index logins_by_expiry on logins (expires_at_ms)",
    ],
  },
  {
    id: 3,
    name: "goods",
    statements: [
      `create table goods (
        player_id integer not null references players (id) on delete cascade,
        item text not null,
        pieces integer not null check (pieces >= 0),
        primary key (player_id, item)
      ) without rowid`,
    ],
  },
]

/**
 * Applies the steps that the database lacks. `steps` defaults to all.
 * @throws Error if the database has a step that is not among them: a newer version of the program wrote it.
 */
export async function migrate(db: Kysely<Tables>, steps: readonly Migration[] = migrations): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    await sql`create table if not exists migrations (
      id integer primary key, name text not null, applied_at_ms integer not null
    )`.execute(transaction)
  })
  const applied = new Set((await db.selectFrom("migrations").select("id").execute()).map(({ id }) => id))
  const known = new Set(steps.map(({ id }) => id))
  const unknown = [...applied].filter((id) => !known.has(id))
  if (unknown.length > 0) {
    throw new Error(
      `The database has migration ${unknown.join(", ")}, which this version does not know: run a newer one.`,
    )
  }
  for (const step of steps) {
    if (applied.has(step.id)) continue
    await db.transaction().execute(async (transaction) => {
      for (const statement of step.statements) await sql.raw(statement).execute(transaction)
      const row = { id: step.id, name: step.name, applied_at_ms: Date.now() }
      await transaction.insertInto("migrations").values(row).execute()
    })
  }
}
