// Ends the parts of the world in order: sessions, tick, HTTP, then one save of all players' last progress. Must not
// know what the parts do.
import type { Progress } from "./store/player-record.ts"
import type { Saver } from "./store/saver.ts"

export interface EndingOptions {
  /** Resolves when no session is left and no handler runs. */
  readonly sessions: { close(): Promise<void> }
  readonly tick: { stop(): void }
  readonly http: { close(): Promise<void> }
  readonly saver: Pick<Saver, "hold" | "put" | "flush">
  /** Returns the progress of the players in the world. */
  readonly progress: () => readonly Progress[]
  readonly store: { close(): Promise<void> }
  readonly onClosing: () => void
}

export interface Ending {
  /** Saves the current progress of all players. Rejects if the database does not accept all of it. */
  save(): Promise<void>
  /**
   * Ends the sessions, waits for handlers and HTTP answers, then saves once. Rejects if the database does not accept
   * all of it. Later calls return the same promise.
   */
  close(): Promise<void>
}

/** Attempts of the last save. With a locked database each attempt takes 2 s. */
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
    // Only collects progress until the last handler has stopped: a save before that could write older progress.
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
