// Decides how the database is opened: SQLite, in a file with a write-ahead log or in memory, with this version's
// tables. Must not know what the tables mean.
import { mkdirSync } from "node:fs"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"
import { Kysely, SqliteDialect } from "kysely"
import type { Generated } from "kysely"
import Database from "libsql"
import { migrate } from "./migrations.ts"

/** The rows as SQLite holds them. */
export interface Tables {
  readonly players: {
    readonly id: Generated<number>
    readonly username: string
    readonly password_hash: string
    readonly role: Generated<"player" | "moderator" | "admin">
    readonly is_banned: Generated<number>
    readonly timeout_until_ms: number | null
    readonly map_id: string
    readonly x: number
    readonly y: number
    readonly facing: "UP" | "DOWN" | "LEFT" | "RIGHT"
    readonly current_hp: number
    readonly max_hp: number
    readonly appearance: string
    readonly created_at_ms: number
  }
  readonly skills: { readonly player_id: number; readonly skill: string; readonly xp: number }
  readonly migrations: { readonly id: number; readonly name: string; readonly applied_at_ms: number }
}

/** The open database. */
export type WorldDatabase = Kysely<Tables>

/** How long a statement waits for another process that holds the file. */
const busyTimeoutMs = 5_000

/**
 * Opens `file:<path>` (relative, absolute, or a full `file:///` URL; its folder is made) or `:memory:`, and brings
 * its tables up to this version. Rejects when the file cannot be opened or a newer version wrote it.
 */
export async function openDatabase(url: string): Promise<WorldDatabase> {
  const path = databasePath(url)
  if (path !== ":memory:") mkdirSync(dirname(path), { recursive: true })
  const sqlite = new Database(path, { timeout: busyTimeoutMs })
  sqlite.exec("pragma journal_mode = wal")
  // Safe with a write-ahead log: a power cut may lose the last transactions, never the file.
  sqlite.exec("pragma synchronous = normal")
  sqlite.exec("pragma foreign_keys = on")
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: sqlite }) })
  try {
    await migrate(db)
  } catch (error) {
    await db.destroy()
    throw error
  }
  return db
}

function databasePath(url: string): string {
  if (url === ":memory:") return url
  if (!url.startsWith("file:"))
    throw new TypeError(`The database is ${url}; it must be a file: URL or :memory:`)
  return url.startsWith("file://") ? fileURLToPath(url) : url.slice("file:".length)
}
