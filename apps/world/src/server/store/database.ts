// Opens the database: SQLite, in a file with a write-ahead log or in memory, with this version's tables. Only its owner may
// read the file. Must not know what the tables mean.
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from "node:fs"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"
import { Kysely } from "kysely"
import Database from "libsql"
import { retryBusy } from "./busy.ts"
import { migrate } from "./migrations.ts"
import { createSqliteDialect } from "./sqlite-dialect.ts"
import type { Tables } from "./tables.ts"

/** The open database. */
export type WorldDatabase = Kysely<Tables>

/**
 * Time for which a locked file is retried at the opening, in milliseconds; default 8,000. Then `openDatabase` rejects.
 */
const openBudgetMs = 8_000
const ownerOnly = 0o600
const othersRights = 0o077

export interface OpenOptions {
  /** Default 8,000. */
  readonly budgetMs?: number
}

/**
 * Opens `file:<path>` (relative, absolute, or a full `file:///` URL) or `:memory:`, and migrates its tables to this
 * version. The file gets mode 0600, and its folder 0700 if it is created here; an existing folder keeps its mode.
 * Rejects if the file cannot be opened, is no regular file, stays locked for 8 s, or was written by a newer version.
 */
export async function openDatabase(url: string, options: OpenOptions = {}): Promise<WorldDatabase> {
  const path = databasePath(url)
  if (path !== ":memory:") prepareFile(path)
  // No statement waits inside SQLite: a wait there blocks the whole process.
  const sqlite = new Database(path, { timeout: 0 })
  const db = new Kysely<Tables>({ dialect: createSqliteDialect(sqlite) })
  try {
    await retryBusy(() => setUp(sqlite, db), { budgetMs: options.budgetMs ?? openBudgetMs })
  } catch (error) {
    await db.destroy()
    throw error
  }
  return db
}

/** Sets the pragmas and migrates. A retry may run it again from its beginning. */
async function setUp(sqlite: Database.Database, db: WorldDatabase): Promise<void> {
  sqlite.exec("pragma journal_mode = wal")
  // Safe with a write-ahead log: a power cut may lose the last transactions, never the file.
  sqlite.exec("pragma synchronous = normal")
  sqlite.exec("pragma foreign_keys = on")
  await migrate(db)
}

/**
 * Creates the file, or removes the rights of others. An existing file is not opened: closing its descriptor would
 * release the locks of this process on that file.
 */
function prepareFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  if (!existsSync(path)) closeSync(openSync(path, "wx", ownerOnly))
  if (!statSync(path).isFile()) throw new Error(`${path} is no regular file`)
  // SQLite creates the companion files with the mode of the database file.
  for (const one of [path, `${path}-wal`, `${path}-shm`]) {
    if (existsSync(one) && (statSync(one).mode & othersRights) !== 0) chmodSync(one, ownerOnly)
  }
}

function databasePath(url: string): string {
  if (url === ":memory:") return url
  if (!url.startsWith("file:"))
    throw new TypeError(`The database is ${url}; it must be a file: URL or :memory:`)
  return url.startsWith("file://") ? fileURLToPath(url) : url.slice("file:".length)
}
