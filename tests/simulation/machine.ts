// The machine on which the server's processes run, one after the other: its disk with the journal, the lock of the folder, its
// start. Compares the journal of a new process with the records that were appended: it must hold each that was reported as
// written, unless the machine or its disk has lost some.
import type { Clock } from "@hawser/protocol"
import { crc32 } from "node:zlib"
import { FileEngine } from "../../packages/server/src/journal/file-engine.ts"
import type { FolderLock } from "../../packages/server/src/journal/folder-lock.ts"
import { recordSpace } from "../../packages/server/src/journal/journal-engine.ts"
import type {
  JournalContent,
  JournalEngine,
  JournalEngineHost,
} from "../../packages/server/src/journal/journal-engine.ts"
import type { JournalOption } from "../../packages/server/src/journal/server-journal.ts"
import { SimulatedDisk } from "../../packages/server/src/journal/simulated-files.ts"
import type { Draw, JournalMode } from "./plan.ts"
import { Violation } from "./trace.ts"
import type { UndoLog } from "./undo-log.ts"

export interface MachineOptions {
  readonly draw: Draw
  readonly mode: JournalMode
  readonly wallClockMs: () => number
  /** Sum of the jumps forward of the wall clock. */
  readonly jumpedMs: () => number
  readonly undo: UndoLog
  /** Called when a journal begins anew after a fault of its disk. */
  readonly onRenewed: () => void
}

/** Record that was appended, or is being appended. */
interface Appended {
  /** Changes of the books before it, and jumps of the wall clock. */
  readonly position: number
  readonly jumpedMs: number
  readonly bytes: number
  readonly crc: number
  /** Time in its head; undefined while it is being appended. */
  atMs: number | undefined
  isWritten: boolean
}

/** Journal at a death, as the next process finds it. */
export interface FoundJournal {
  readonly content: JournalContent
  /** Position of the changes that it holds, and the jumps of the wall clock before its last record. */
  readonly position: number
  readonly jumpedMs: number
  /** True if records that were reported as written are missing. */
  readonly isRolledBack: boolean
}

/** Time between two attempts to get the lock, in milliseconds. */
const lockRetryMs = 50
/** Longest wait for the lock, in milliseconds. */
const lockWaitMs = 10_000

export class Machine {
  readonly disk: SimulatedDisk
  readonly mode: JournalMode
  readonly #options: MachineOptions
  #appended: Appended[] = []
  #boot = 1
  /** Process that holds the lock; 0 for none. */
  #holder = 0
  #processes = 0
  readonly #ends = new Map<number, () => void>()
  /** Time that writes have taken, in milliseconds, in which the event loop stood still. */
  #stalledMs = 0
  /** True once the current process has appended a record. */
  hasAppended = false
  /** An earlier state of the disk, and the number of records until then. */
  #copy:
    | { readonly files: ReadonlyMap<string, Buffer>; readonly records: number; readonly atMs: number }
    | undefined

  constructor(options: MachineOptions) {
    this.#options = options
    this.mode = options.mode
    this.disk = new SimulatedDisk(options.wallClockMs)
  }

  /** Adds time to each write, in milliseconds; 0: none. */
  stall(ms: number): void {
    const { faults } = this.disk
    faults.beforeWrite = ms === 0 ? () => {} : () => (this.#stalledMs += ms)
  }

  /** Ends all faults of the disk. */
  calm(): void {
    Object.assign(this.disk.faults, {
      freeBytes: Number.POSITIVE_INFINITY,
      failsSync: false,
      pause: () => Promise.resolve(),
      endsAfter: () => undefined,
    })
    this.stall(0)
  }

  /** Returns the journal of a new process. `onFound` is called when it has been read, before anything is restored. */
  journalOf(onFound: (found: FoundJournal) => void): {
    readonly option: JournalOption
    readonly end: () => void
  } {
    const { draw, mode, wallClockMs } = this.#options
    this.#processes += 1
    const number = this.#processes
    const files = this.disk.files()
    const end = (): void => {
      files.end()
      if (this.#holder === number) this.#holder = 0
      this.#ends.delete(number)
    }
    this.#ends.set(number, end)
    const boot = `boot ${this.#boot}`
    const small = draw.chance(0.7)
    const option: JournalOption = {
      resumeKey: new Uint8Array(32).fill(7),
      limits: {
        roundBytes: small ? draw.scale(2_000, 20_000) : 1_000_000,
        roundDeliveries: small ? draw.whole(10, 1_000) : 100_000,
        stepMs: 0,
      },
      createEngine: ({ clock }) => {
        const engine = new FileEngine({
          mode,
          files,
          origin: { host: "host", boot },
          lock: () => this.#lock(number, clock),
          syncEveryMs: 100,
          after: (ms, run) => clock.schedule(ms, run),
          now: () => clock.now() + this.#stalledMs,
          wallClockMs,
        })
        return this.#marked(engine, { number, onFound })
      },
    }
    return { option, end }
  }

  async #lock(number: number, clock: Pick<Clock, "schedule" | "now">): Promise<FolderLock> {
    const untilMs = clock.now() + lockWaitMs
    while (this.#holder !== 0) {
      if (clock.now() >= untilMs) throw new Error("the journal is in use by another process")
      await new Promise<void>((resolve) => {
        clock.schedule(lockRetryMs, resolve)
      })
    }
    this.#holder = number
    return {
      generation: number,
      release: () => {
        if (this.#holder === number) this.#holder = 0
      },
    }
  }

  /** Loses power: all processes end, and bytes that were not synced may go. */
  losePower(): void {
    for (const end of this.#ends.values()) end()
    this.#boot += 1
    this.disk.losePower(this.#options.draw.whole)
  }

  copy(): void {
    const atMs = this.#options.wallClockMs()
    this.#copy = { files: this.disk.copy(), records: this.#appended.length, atMs }
  }

  get hasCopy(): boolean {
    return this.#copy !== undefined
  }

  /** Puts the copy back, between two processes. A copy into the same files is recognized by their times, so not at once. */
  putCopyBack(): void {
    const copy = this.#copy
    const { draw, wallClockMs } = this.#options
    if (copy !== undefined)
      this.disk.restore(copy.files, wallClockMs() - copy.atMs > 2_000 && draw.chance(0.5))
  }

  // --- records ----------------------------------------------------------------------------------------------------

  #marked(
    engine: FileEngine,
    process: { readonly number: number; readonly onFound: (found: FoundJournal) => void },
  ): JournalEngine {
    const { number, onFound } = process
    return {
      open: async (host) => {
        const content = await engine.open(this.#watched(host))
        if (this.#ends.has(number)) onFound(this.#found(content))
        return content
      },
      append: (record) => {
        const appended = this.#append(record)
        const done = engine.append(record)
        const note = (): void => {
          appended.isWritten = true
          this.hasAppended = true
          appended.atMs = record.readDoubleLE(recordSpace - 8)
        }
        if (done !== undefined) return done.then(note)
        note()
        return undefined
      },
      beginRound: () => engine.beginRound(),
      endRound: () => engine.endRound(),
      get roundBytes() {
        return engine.roundBytes
      },
      stats: () => engine.stats(),
      close: (isClean) => engine.close(isClean),
    }
  }

  /** A renewed journal begins with records of a whole round. */
  #watched(host: JournalEngineHost): JournalEngineHost {
    return {
      ...host,
      restate: () => {
        const record = host.restate()
        this.#options.onRenewed()
        this.#append(record)
        return record
      },
    }
  }

  #append(record: Buffer): Appended {
    const { undo, jumpedMs } = this.#options
    const before = { position: undo.position, jumpedMs: jumpedMs() }
    const appended: Appended = { ...keyOf(record), ...before, atMs: undefined, isWritten: false }
    this.#appended.push(appended)
    return appended
  }

  #found(content: JournalContent): FoundJournal {
    const last = content.records.at(-1)
    let count = this.#appended.length
    if (last === undefined) count = 0
    else {
      const crc = crc32(last.body)
      for (; count > 0; count -= 1) {
        const one = this.#appended[count - 1]
        if (one?.crc === crc && one.bytes === last.body.length && (one.atMs ?? last.atMs) === last.atMs) break
      }
      if (count === 0) throw new Violation("S3", "the journal ends with a record that was never appended")
    }
    const isRolledBack = this.#appended.slice(count).some(({ isWritten }) => isWritten)
    this.#appended = this.#appended.slice(0, count)
    if (this.#copy !== undefined && this.#copy.records > count) this.#copy = undefined
    this.hasAppended = false
    const { position = 0, jumpedMs = 0 } = this.#appended.at(-1) ?? {}
    return { content, position, jumpedMs, isRolledBack }
  }
}

function keyOf(record: Buffer): Pick<Appended, "bytes" | "crc"> {
  const body = record.subarray(recordSpace)
  return { bytes: body.length, crc: crc32(body) }
}
