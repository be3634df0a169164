// Kysely's SQLite dialect with three differences. A transaction takes the write lock when it begins, so a lock of
// another process refuses only its beginning. A rollback never hides the error that caused it. Statements that a lock
// can refuse are not prepared: `libsql` leaves a refused prepared statement "in progress" until it is collected, and
// until then no transaction of the same connection can commit. Therefore every write must be in a transaction.
import { SqliteAdapter, SqliteDriver, SqliteIntrospector, SqliteQueryCompiler } from "kysely"
import type { Dialect, Driver, Kysely } from "kysely"
import type Database from "libsql"

export function createSqliteDialect(sqlite: Database.Database): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => createDriver(sqlite),
    createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
}

function createDriver(sqlite: Database.Database): Driver {
  const driver = new SqliteDriver({ database: sqlite })
  return {
    init: () => driver.init(),
    acquireConnection: () => driver.acquireConnection(),
    releaseConnection: () => driver.releaseConnection(),
    destroy: () => driver.destroy(),
    async beginTransaction() {
      sqlite.exec("begin immediate")
    },
    async commitTransaction() {
      sqlite.exec("commit")
    },
    async rollbackTransaction() {
      // SQLite ends the transaction by itself if the disk is full or fails. "Cannot rollback" would be thrown then instead of
      // the cause.
      if (!sqlite.inTransaction) return
      try {
        sqlite.exec("rollback")
      } catch {
        // The caller rejects with the cause of the rollback.
      }
    },
  }
}
