// Connects a journal with the layers of one server: restores what earlier processes left, then notes what happens. Must not know
// files and records.
import type { Base } from "../base/create-base.ts"
import type { JournalEngine } from "./journal-engine.ts"
import { Journal } from "./journal.ts"
import type { RoundLimits } from "./journal.ts"
import { restoreSessions } from "./restore-sessions.ts"
import type { RestoreHost } from "./restore-sessions.ts"

/** Engine of a journal before its server exists: the option `journal` of `createServer`. */
export interface JournalOption {
  /** Secret of resume tokens, 32 bytes, the same in each process. */
  readonly resumeKey: Uint8Array
  readonly limits: RoundLimits
  /** Returns the engine. */
  createEngine(host: Pick<Base, "clock" | "wallClockMs">): JournalEngine
}

/** Result of a recovery. */
export interface Recovery {
  /** Bytes that were read. */
  readonly bytes: number
  /** Time of reading and restoring, in milliseconds. */
  readonly tookMs: number
  /** False if records of earlier processes may be missing: after a loss of power, or in a copy. */
  readonly isWhole: boolean
  /** Bytes of a torn record that were removed. */
  readonly tornBytes: number
  /** Sessions that were restored. */
  readonly sessions: number
  /** Sessions that could not be restored. Their errors went to `onError`. */
  readonly setAside: number
}

export interface ServerJournal {
  readonly journal: Journal
  /** Restores earlier sessions once; later calls return the first result. */
  recover(restoring: { readonly thaw: RestoreHost["thaw"]; readonly arm: () => void }): Promise<Recovery>
}

export function createServerJournal(
  { createEngine, limits }: JournalOption,
  { clock, wallClockMs, onError }: Base,
): ServerJournal {
  const engine = createEngine({ clock, wallClockMs })
  const journal = new Journal({ engine, limits, onAlarm: onError, now: () => clock.now() })
  let recovered: Promise<Recovery> | undefined
  async function recover({ thaw, arm }: Parameters<ServerJournal["recover"]>[0]): Promise<Recovery> {
    const startMs = clock.now()
    const { state, isWhole, bytes, tornBytes } = await journal.open()
    const { restored, setAside } = restoreSessions(state, { thaw, wallClockMs, onError })
    journal.start(`process ${new Date(wallClockMs()).toISOString()}`, arm)
    return { bytes, tookMs: clock.now() - startMs, isWhole, tornBytes, sessions: restored, setAside }
  }
  return { journal, recover: (restoring) => (recovered ??= recover(restoring)) }
}
