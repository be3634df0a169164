// Decides in which order the world's parts end: sessions, tick, HTTP, and then one save of everybody's last progress.
// Must not know what the parts do.
import type { Progress } from "./store/player-record.ts"
import type { Saver } from "./store/saver.ts"

export interface EndingOptions {
  /** Resolves when no session is left and no handler runs. */
  readonly sessions: { close(): Promise<void> }
  readonly tick: { stop(): void }
  readonly http: { close(): Promise<void> }
  readonly saver: Pick<Saver, "hold" | "put" | "flush">
  /** Progress of the players who are in the world now. */
  readonly progress: () => readonly Progress[]
  readonly store: { close(): Promise<void> }
  readonly onClosing: () => void
}

export interface Ending {
  /** Saves everybody's progress as it is. Rejects if the database does not take all of it. */
  save(): Promise<void>
  /**
   * Ends the sessions, lets handlers and answers finish, then saves once. Rejects if the database does not take all of
   * it. Later calls return the same promise.
   */
  close(): Promise<void>
}

/** Attempts of the last save. On a locked database each takes 2 s. */
const lastSaveAttempts = 4

export function createEnding(options: EndingOptions): Ending {
  const { sessions, tick, http, saver, progress, store, onClosing } = options

  async function save(): Promise<void> {
    saver.hold()
    saver.put(progress())
    let unsaved = await saver.flush()
    for (let attempt = 1; unsaved > 0 && attempt < lastSaveAttempts; attempt += 1)
      unsaved = await saver.flush()
    if (unsaved > 0) throw new Error(`the progress of ${unsaved} players could not be saved and is lost`)
  }

  async function end(): Promise<void> {
    onClosing()
    // Until the last handler has stopped, progress is only collected: what is saved first could be older.
    saver.hold()
    await sessions.close()
    tick.stop()
    await http.close()
    try {
      await save()
    } finally {
      await store.close()
    }
  }

  let ending: Promise<void> | undefined
  return { save, close: () => (ending ??= end()) }
}
