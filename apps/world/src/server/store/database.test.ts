import { execFileSync } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import Database from "libsql"
import { describe, expect, onTestFinished, test } from "vitest"
import { DatabaseBusy, retryBusy } from "./busy.ts"
import { openDatabase } from "./database.ts"
import { createPlayerStore } from "./player-store.ts"

function freshFolder(): string {
  const path = mkdtempSync(join(tmpdir(), "hawser-database-"))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Another connection to the same file, like that of another process. */
function locked(path: string): Database.Database {
  const other = new Database(path)
  onTestFinished(() => void other.close())
  other.exec("begin immediate")
  return other
}

const modeOf = (path: string): number => statSync(path).mode & 0o777
const spawn = { mapId: "meadow", x: 1, y: 2, maxHp: 10 }
const ann = { username: "ann", passwordHash: "hash", spawn }

/** A store on a separate file. Its pauses only advance a simulated time. */
async function storeOnFile(budgetMs = 2_000) {
  const path = join(freshFolder(), "world.sqlite")
  const db = await openDatabase(`file:${path}`)
  const pauses: number[] = []
  let whilePaused = (): void => {}
  let nowMs = 0
  const pause = async (ms: number): Promise<void> => {
    nowMs += ms
    pauses.push(ms)
    whilePaused()
  }
  const store = createPlayerStore(db, { busy: { budgetMs, pause, nowMs: () => nowMs } })
  onTestFinished(() => store.close())
  const duringPause = (work: () => void): void => {
    whilePaused = work
  }
  return { path, store, pauses, duringPause }
}

describe("the file of a database", () => {
  test("door-5 is readable by its owner only, and so are its companions and the created folder", async () => {
    const folder = freshFolder()
    const path = join(folder, "deep", "data", "world.sqlite")
    const db = await openDatabase(`file:${path}`)
    onTestFinished(() => db.destroy())
    expect([path, `${path}-wal`, `${path}-shm`].map(modeOf)).toEqual([0o600, 0o600, 0o600])
    expect([join(folder, "deep"), join(folder, "deep", "data")].map(modeOf)).toEqual([0o700, 0o700])
  })

  test("door-5 loses the rights of others that an earlier version set; an existing folder keeps its mode", async () => {
    const folder = freshFolder()
    chmodSync(folder, 0o755)
    const path = join(folder, "world.sqlite")
    const earlier = new Database(path)
    earlier.exec("pragma journal_mode = wal")
    earlier.exec("create table kept (x integer)")
    for (const one of [path, `${path}-wal`, `${path}-shm`]) chmodSync(one, 0o644)
    const db = await openDatabase(`file:${path}`)
    onTestFinished(async () => {
      await db.destroy()
      earlier.close()
    })
    expect([path, `${path}-wal`, `${path}-shm`].map(modeOf)).toEqual([0o600, 0o600, 0o600])
    expect(modeOf(folder)).toBe(0o755)
  })

  test("door-5 is refused if it is no regular file, without waiting for the other end", async () => {
    const folder = freshFolder()
    const pipe = join(folder, "pipe")
    execFileSync("mkfifo", [pipe])
    await expect(openDatabase(`file:${pipe}`)).rejects.toThrow("is no regular file")
    mkdirSync(join(folder, "directory"))
    await expect(openDatabase(`file:${folder}/directory`)).rejects.toThrow("is no regular file")
    writeFileSync(join(folder, "text"), "this is no database, however long one looks at it".repeat(100))
    await expect(openDatabase(`file:${folder}/text`)).rejects.toThrow("not a database")
  })

  test("door-5 is refused while another process locks it, and opened as soon as the lock is released", async () => {
    const path = join(freshFolder(), "world.sqlite")
    const other = new Database(path)
    onTestFinished(() => void other.close())
    other.exec("begin exclusive")
    const refused = await openDatabase(`file:${path}`, { budgetMs: 20 }).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(DatabaseBusy)
    expect(refused).toHaveProperty("cause.code", "SQLITE_BUSY")
    const opening = openDatabase(`file:${path}`, { budgetMs: 60_000 })
    other.exec("commit")
    await (await opening).destroy()
  })
})

describe("a locked database", () => {
  test("door-5 is retried after 5, 10, 20, 40, 80 and then 100 ms, until the work succeeds", async () => {
    const { path, store, pauses, duringPause } = await storeOnFile()
    const other = locked(path)
    duringPause(() => {
      if (pauses.length === 8) other.exec("commit")
    })
    expect(await store.register(ann)).toMatchObject({ username: "ann" })
    expect(pauses).toEqual([5, 10, 20, 40, 80, 100, 100, 100])
  })

  test("door-5 is readable during the lock: log-ins do not wait for a save", async () => {
    const { path, store, pauses } = await storeOnFile()
    const player = await store.register(ann)
    if (player === "nameTaken") throw new Error("taken")
    const other = locked(path)
    const saving = store.saveAll([{ ...player, x: 7 }])
    expect(await store.findByName("ann")).toMatchObject({ x: 1 })
    // Three statements, each at most one attempt of the save later.
    expect(pauses.length).toBeLessThan(4)
    other.exec("commit")
    expect(await saving).toEqual({ refused: [], failure: undefined })
    expect(await store.findByName("ann")).toMatchObject({ x: 7 })
  })

  test("door-5 ends a save with the first cause, and with the unsaved records", async () => {
    const { path, store } = await storeOnFile(500)
    const players = []
    for (let number = 0; number < 120; number += 1) {
      const player = await store.register({ ...ann, username: `player-${number}` })
      if (player !== "nameTaken") players.push({ ...player, x: 9 })
    }
    locked(path)
    const { refused, failure } = await store.saveAll(players)
    expect(refused).toEqual([])
    expect(failure?.unsaved).toEqual(players)
    expect(failure?.cause).toBeInstanceOf(DatabaseBusy)
    expect(failure?.cause).toMatchObject({
      message: "the database is locked by another process, and stayed so for 500 ms",
      cause: { code: "SQLITE_BUSY", message: "database is locked" },
    })
  })

  test("door-5 is the only retried failure: another error ends the work at once, unchanged", async () => {
    const full = Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" })
    const pause = (): Promise<void> => expect.unreachable()
    await expect(retryBusy(() => Promise.reject(full), { pause })).rejects.toBe(full)
  })
})

test("door-5 keeps the cause if SQLite has already ended the transaction", async () => {
  const db = await openDatabase(":memory:")
  onTestFinished(() => db.destroy())
  const cause = new Error("the cause")
  const failing = db.transaction().execute(async (transaction) => {
    // Like SQLite if the disk is full.
    await transaction.deleteFrom("players").execute()
    const { sql } = await import("kysely")
    await sql`rollback`.execute(transaction)
    throw cause
  })
  await expect(failing).rejects.toBe(cause)
})
