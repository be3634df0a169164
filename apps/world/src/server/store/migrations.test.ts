import { createHash } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { sql } from "kysely"
import { expect, onTestFinished, test } from "vitest"
import { openDatabase } from "./database.ts"
import { migrate, migrations } from "./migrations.ts"

async function freshDatabase() {
  const db = await openDatabase(":memory:")
  onTestFinished(() => db.destroy())
  return db
}

const extra = { id: migrations.length + 1, name: "extra", statements: ["create table extra (id integer)"] }

test("counts steps up from 1 and never changes a released one: add a step instead of editing", () => {
  expect(migrations.map(({ id }) => id)).toEqual(migrations.map((_, index) => index + 1))
  const hashes = migrations.map((step) => createHash("sha256").update(JSON.stringify(step)).digest("hex"))
  expect(hashes).toEqual([
    "0b88f008d1e952324300cdedee9fa8aa4c3e20d41ef420a246b0becf57c62f56",
    "1d604b0a334bbba85910201aa9595bace1f0d4d0d12963cd32dc4df104dbf4b8",
    "f89ffcc38f35ecdf86b17808f664b8ecdf67b1d1157d34c89bf3ec9ab8823b4e",
  ])
})

test("applies a step once", async () => {
  const db = await freshDatabase()
  await migrate(db, [...migrations, extra])
  await migrate(db, [...migrations, extra])
  const rows = await db.selectFrom("migrations").select(["id", "name"]).orderBy("id").execute()
  expect(rows).toEqual([...migrations, extra].map(({ id, name }) => ({ id, name })))
})

test("rolls back a step that fails in the middle", async () => {
  const db = await freshDatabase()
  const broken = { ...extra, statements: [...extra.statements, "nonsense"] }
  await expect(migrate(db, [...migrations, broken])).rejects.toThrow(/nonsense/)
  await expect(sql`select * from extra`.execute(db)).rejects.toThrow(/no such table/)
})

test("refuses a database of a newer version", async () => {
  const folder = mkdtempSync(join(tmpdir(), "hawser-migrations-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const url = pathToFileURL(join(folder, "world.sqlite")).href
  const db = await openDatabase(url)
  await migrate(db, [...migrations, extra])
  await db.destroy()
  await expect(openDatabase(url)).rejects.toThrow(
    `has migration ${extra.id}, which this version does not know`,
  )
})

test("door-5 uses a write-ahead log, never waits inside SQLite, and checks references", async () => {
  const folder = mkdtempSync(join(tmpdir(), "hawser-pragmas-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const db = await openDatabase(`file:${folder}/world.sqlite`)
  onTestFinished(() => db.destroy())
  const pragmas = ["journal_mode", "busy_timeout", "foreign_keys"]
  const values = await Promise.all(pragmas.map((name) => sql.raw(`pragma ${name}`).execute(db)))
  expect(values.map(({ rows }) => rows)).toEqual([
    [{ journal_mode: "wal" }],
    [{ timeout: 0 }],
    [{ foreign_keys: 1 }],
  ])
})

test("refuses a file that is no SQLite database", async () => {
  await expect(openDatabase("postgres://localhost/world")).rejects.toThrow("must be a file: URL or :memory:")
})
