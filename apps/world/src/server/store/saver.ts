// Saves players' progress in the background: the newest of each player, with retries until the database accepts it.
// Must not know when it is called, nor the content of a progress. Invariant: a progress leaves `pending` only when it
// was saved, was replaced by a newer one of the same player, can never be saved, or is dropped by the bound; the last
// two are reported.
import type { Progress } from "./player-record.ts"
import type { SaveOutcome } from "./player-store.ts"

/**
 * Maximum number of players with unsaved progress; default 10,000. Beyond, the oldest progress is dropped and reported.
 */
const pendingMaxCount = 10_000

export interface SaveHealth {
  /** Saves that failed so far. */
  readonly failures: number
  /** True from a failure until the next success. */
  readonly isFailing: boolean
  /** Players whose progress is not in the database yet. */
  readonly pending: number
  /** Players whose progress was dropped, because it could not be saved or by the bound. */
  readonly lost: number
}

export interface Saver {
  /** Takes the newest progress of these players, and begins to save unless `hold` was called. */
  put(records: readonly Progress[]): void
  /** True while the player's progress is newer than the database. */
  isPending(id: number): boolean
  /** Retries a failed save. Does nothing if no progress is pending, or while a save is under way. */
  retry(): void
  /** Makes later calls of `put` only collect, for one `flush`. */
  hold(): void
  /** Saves pending progress. Resolves to the number of players whose progress is still not saved. */
  flush(): Promise<number>
  readonly health: SaveHealth
}

export interface SaverOptions {
  /** Never rejects. */
  readonly saveAll: (records: readonly Progress[]) => Promise<SaveOutcome>
  /** Called with every failure and its first cause. */
  readonly onError: (error: unknown) => void
  /** Default 10,000. */
  readonly pendingMaxCount?: number
}

export function createSaver(options: SaverOptions): Saver {
  const { saveAll, onError } = options
  const maxCount = options.pendingMaxCount ?? pendingMaxCount
  const pending = new Map<number, Progress>()
  const counts = { failures: 0, isFailing: false, lost: 0 }
  let isHeld = false
  let underWay: Promise<void> | undefined

  async function save(): Promise<void> {
    const records = [...pending.values()]
    const { refused, failure } = await saveAll(records)
    const unsaved = new Set(failure?.unsaved)
    const saved = records.filter((record) => !unsaved.has(record))
    // A progress that was put during the save is newer, and stays.
    for (const record of saved) if (pending.get(record.id) === record) pending.delete(record.id)
    counts.lost += refused.length
    for (const { record, error } of refused)
      onError(new Error(`the progress of player ${record.id} cannot be saved`, { cause: error }))
    counts.isFailing = failure !== undefined
    if (failure === undefined) return
    counts.failures += 1
    onError(new Error(`the progress of ${pending.size} players is not saved yet`, { cause: failure.cause }))
  }

  function begin(): Promise<void> {
    underWay ??= save().finally(() => {
      underWay = undefined
    })
    return underWay
  }

  function drop(): void {
    const [oldest] = pending.keys()
    if (oldest === undefined) return
    pending.delete(oldest)
    counts.lost += 1
    onError(droppedError(oldest, maxCount))
  }

  return {
    put(records) {
      for (const record of records) {
        // The newest is last: the oldest is dropped first.
        pending.delete(record.id)
        pending.set(record.id, record)
        if (pending.size > maxCount) drop()
      }
      if (!isHeld && pending.size > 0) begin().catch(onError)
    },
    isPending: (id) => pending.has(id),
    retry() {
      if (!isHeld && pending.size > 0) begin().catch(onError)
    },
    hold() {
      isHeld = true
    },
    async flush() {
      await underWay
      if (pending.size > 0) await begin()
      return pending.size
    },
    get health() {
      return { ...counts, pending: pending.size }
    },
  }
}

function droppedError(id: number, maxCount: number): Error {
  return new Error(
    `${maxCount} players' progress waits to be saved: the progress of player ${id} was dropped`,
  )
}
