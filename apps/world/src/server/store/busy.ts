// Retries a statement that another process's lock refuses. SQLite itself does not wait (its busy timeout is 0), because it
// would wait on the main thread. Must not know what a statement does.
import { performance } from "node:perf_hooks"
import { setTimeout as pause } from "node:timers/promises"

/**
 * Time for which a locked database is retried, in milliseconds; default 2,000. Then the statement rejects with
 * `DatabaseBusy`.
 */
const busyBudgetMs = 2_000

const firstPauseMs = 5
const longestPauseMs = 100

/** The database stayed locked for the whole budget. `cause` is the first refusal. */
export class DatabaseBusy extends Error {
  override readonly name = "DatabaseBusy"

  constructor(budgetMs: number, cause: unknown) {
    super(`the database is locked by another process, and stayed so for ${budgetMs} ms`, { cause })
  }
}

export interface BusyOptions {
  /** Default `busyBudgetMs`. */
  readonly budgetMs?: number
  /** Default: a timer. */
  readonly pause?: (ms: number) => Promise<unknown>
  /** Monotonic milliseconds. Default `performance.now`. */
  readonly nowMs?: () => number
}

/**
 * Runs `work` until no lock refuses it, with pauses of 5 to 100 ms in which other work may use the connection.
 * @throws DatabaseBusy if the database is still locked after `budgetMs`.
 */
export async function retryBusy<T>(work: () => Promise<T>, options: BusyOptions = {}): Promise<T> {
  const { budgetMs = busyBudgetMs, nowMs = () => performance.now() } = options
  const wait = options.pause ?? pause
  const endMs = nowMs() + budgetMs
  let nextPauseMs = firstPauseMs
  let first: unknown
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isLocked(error)) throw error
      first ??= error
    }
    if (nowMs() >= endMs) throw new DatabaseBusy(budgetMs, first)
    await wait(nextPauseMs)
    nextPauseMs = Math.min(longestPauseMs, nextPauseMs * 2)
  }
}

/** `SQLITE_BUSY`, `SQLITE_LOCKED` and their extended codes. */
function isLocked(error: unknown): boolean {
  const code = sqliteCode(error)
  return code !== undefined && /^SQLITE_(?:BUSY|LOCKED)/.test(code)
}

/** Returns true if the database as a whole fails, not one row: the same work may succeed later. */
export function isDatabaseDown(error: unknown): boolean {
  if (error instanceof DatabaseBusy) return true
  const code = sqliteCode(error)
  return code !== undefined && /^SQLITE_(?!CONSTRAINT|MISMATCH|TOOBIG|RANGE|MISUSE|ERROR)/.test(code)
}

function sqliteCode(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined
  return typeof code === "string" ? code : undefined
}
