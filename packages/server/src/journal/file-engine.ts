// Keeps the records of a journal in segment files of one folder. `append` writes before it returns; in mode `power` the record is
// also moved to the disk before its promise resolves. A full or failing disk holds the records back and is retried until it takes
// them; nothing is lost, and nothing is released meanwhile. Must not know operations and sessions.
import { EngineCounts } from "./engine-counts.ts"
import type { FolderLock } from "./folder-lock.ts"
import type { EngineStats, JournalContent, JournalEngine, JournalEngineHost } from "./journal-engine.ts"
import type { JournalFile, JournalFiles } from "./journal-files.ts"
import { readSegments, segmentsIn } from "./read-segments.ts"
import type { Origin } from "./read-segments.ts"
import { SlowWrites } from "./slow-writes.ts"
import { createSegmentFile, noteAttempt } from "./segment-file.ts"
import { cleanEnd, recordHeadBytes, sealRecord } from "./segment.ts"

/** Durability of a file journal. */
export interface FileEngineOptions {
  /** `kill`: a record survives its process. `power`: it survives the machine's loss of power, too. */
  readonly mode: "kill" | "power"
  readonly files: JournalFiles
  readonly origin: Origin
  /** Locks the folder. */
  readonly lock: () => Promise<FolderLock>
  /** Time between two syncs in mode `kill`, in milliseconds. */
  readonly syncEveryMs: number
  /** Calls `run` after `ms`. Returns a function that cancels it. */
  readonly after: (ms: number, run: () => void) => () => void
  /** Monotonic time in milliseconds. */
  readonly now: () => number
  /** Milliseconds since 1970. */
  readonly wallClockMs: () => number
}

/** Time between two attempts on a disk that takes no bytes, in milliseconds. */
const retryMs = 100
const nothing: Promise<void> = Promise.resolve()

export class FileEngine implements JournalEngine {
  readonly #options: FileEngineOptions
  #host: JournalEngineHost | undefined
  #lock: FolderLock | undefined
  #file: JournalFile | undefined
  /** End of the last whole record in the current segment. */
  #position = 0
  #salt = 0
  #headerBytes = 0
  #segment = 0
  /** First segment of the round. */
  #roundSegment = 0
  #roundStartBytes = 0
  #appendedBytes = 0
  #records = 0
  #startsRound = true
  #holdsAll = false
  #isClosed = false
  #isUnsynced = false
  #isFolderUnsynced = false
  /** True if a rest of a record that failed may stand at the end of the last segment. */
  #isBroken = false
  /** True while the disk takes no records. */
  #isHeld = false
  /** Pending while a whole round is appended to a new segment. */
  #renewal: Promise<void> | undefined
  /** Number of whole rounds that were taken: each holds the effect of every record before it. */
  #restates = 0
  /** Earlier segments that may hold bytes that were not synced. */
  #retired: JournalFile[] = []
  /** Settles when the current write outside the event loop has ended. */
  #writing: Promise<unknown> = nothing
  #cancelSync: (() => void) | undefined
  #syncing = nothing
  readonly #slowWrites = new SlowWrites()
  readonly #counts = new EngineCounts()

  constructor(options: FileEngineOptions) {
    this.#options = options
  }

  get roundBytes(): number {
    return this.#appendedBytes - this.#roundStartBytes
  }

  /** True after the engine has gone over to writes outside the event loop, because the disk was slow. */
  get isSlow(): boolean {
    return this.#slowWrites.areTooMany
  }

  stats(): EngineStats {
    return this.#counts.read(this.#file === undefined ? 0 : this.#position)
  }

  async open(host: JournalEngineHost): Promise<JournalContent> {
    this.#host = host
    this.#lock = await this.#options.lock()
    try {
      const { files, origin } = this.#options
      const { content, lastSegment, lastRecord, sizes } = readSegments(files, origin)
      for (const [segment, bytes] of sizes) this.#counts.sizes.set(segment, bytes)
      this.#segment = lastSegment
      this.#records = lastRecord
      // An earlier process may have ended before its sync.
      this.#retired = segmentsIn(files).map(([name]) => files.open(name))
      if (content.tornBytes > 0) this.#leaveCutSegment()
      return content
    } catch (error) {
      this.#lock.release()
      this.#lock = undefined
      throw error
    }
  }

  /** Creates a segment, because the cut has changed the last one long after its last record: it would pass for a copy. */
  #leaveCutSegment(): void {
    try {
      this.#createSegment()
    } catch (error) {
      this.#undo(error)
    }
  }

  beginRound(): void {
    this.#startsRound = true
    this.#retireSegment()
  }

  endRound(): void {
    // A loss of power must find either the segments before the round, or the round itself.
    const round = this.#roundSegment
    this.#syncing = this.#sync().then(() => this.#removeBefore(round))
  }

  /** Removes earlier segments. Those that stay are read and removed later. */
  #removeBefore(round: number): void {
    if (this.#isClosed) return
    const { files } = this.#options
    try {
      for (const [name, segment] of segmentsIn(files).filter(([, other]) => other < round)) {
        files.remove(name)
        this.#counts.sizes.delete(segment)
      }
    } catch (cause) {
      this.#host?.onAlarm(new Error("the journal's segments before a round could not be removed", { cause }))
    }
  }

  append(record: Buffer): Promise<void> | undefined {
    if (this.#isClosed) return Promise.reject(closedError())
    if (this.#renewal !== undefined) return this.#appendAfter(this.#renewal, record)
    if (this.isSlow) return this.#appendLater(record)
    const startMs = this.#options.now()
    if (!this.#write(record)) return this.#retry(record)
    const alarm = this.#slowWrites.note(startMs, this.#options.now())
    if (alarm !== undefined) this.#host?.onAlarm(alarm)
    return this.#written()
  }

  async close(isClean: boolean): Promise<void> {
    if (this.#isClosed) return
    this.#cancelSync?.()
    try {
      // Without the lock the folder belongs to another process.
      if (isClean && this.#lock !== undefined) await this.#closeCleanly()
    } catch (cause) {
      this.#host?.onAlarm(
        new Error("the journal could not be moved to the disk; its end is not marked", { cause }),
      )
    } finally {
      this.#isClosed = true
      this.#retireSegment()
      this.#closeRetired()
      this.#lock?.release()
    }
  }

  async #closeCleanly(): Promise<void> {
    const end = Buffer.alloc(recordHeadBytes + cleanEnd.length)
    cleanEnd.copy(end, recordHeadBytes)
    // The mark says that nothing before it is missing.
    await this.#syncing
    await this.#syncFiles()
    await this.append(end)
    await this.#syncFiles()
  }

  // --- writing --------------------------------------------------------------------------------------------------

  /** Writes the whole record. Returns false, with the file as before, if the disk has not taken it. */
  #write(record: Buffer): boolean {
    try {
      const file = this.#file ?? this.#createSegment()
      this.#seal(record)
      const written = file.write(record, this.#position)
      if (written === record.length) return this.#advance(record)
      this.#undo(new Error(`${written} of ${record.length} bytes were written`))
    } catch (error) {
      this.#undo(error)
    }
    return false
  }

  #seal(record: Buffer): void {
    sealRecord(record, { salt: this.#salt, offset: this.#position, atMs: this.#options.wallClockMs() })
  }

  #advance(record: Buffer): true {
    this.#position += record.length
    this.#appendedBytes += record.length
    this.#records += 1
    this.#isUnsynced = true
    this.#isHeld = false
    return true
  }

  /** Cuts what a failed write may have left, and reports it. */
  #undo(cause: unknown): void {
    this.#counts.writesRefused += 1
    if (!this.#isHeld)
      this.#host?.onAlarm(new Error("the journal's disk takes no records; output is held", { cause }))
    this.#isHeld = true
    try {
      this.#file?.truncate(this.#position)
      if (this.#file !== undefined) noteAttempt(this.#file, this.#headerBytes, this.#options.wallClockMs())
    } catch (error) {
      this.#host?.onAlarm(new Error("the journal's segment cannot be cut; it begins anew", { cause: error }))
      this.#isBroken = true
      this.#retireSegment()
    }
  }

  async #retry(record: Buffer): Promise<void> {
    const before = this.#restates
    do {
      await this.#pause(retryMs)
      if (this.#isClosed) throw closedError()
      await (this.#isBroken ? this.#renew() : this.#renewal)
      // The round contains the record, whose bytes may be gone.
      if (this.#restates !== before) return
    } while (!this.#write(record))
    await this.#written()
  }

  /** Appends a record after a renewal, unless its round contains the record. */
  async #appendAfter(renewal: Promise<void>, record: Buffer): Promise<void> {
    const before = this.#restates
    await renewal
    if (this.#restates === before) await this.append(record)
  }

  async #appendLater(record: Buffer): Promise<void> {
    const writing = this.#writeLater(record)
    this.#writing = writing
    await ((await writing) ? this.#written() : this.#retry(record))
  }

  /** `#write`, outside the event loop. */
  async #writeLater(record: Buffer): Promise<boolean> {
    try {
      const file = this.#file ?? this.#createSegment()
      this.#seal(record)
      const written = await file.writeLater(record, this.#position)
      if (written !== record.length) throw new Error(`${written} of ${record.length} bytes were written`)
      return this.#advance(record)
    } catch (error) {
      this.#undo(error)
      return false
    }
  }

  // --- syncs ----------------------------------------------------------------------------------------------------

  /** Continues after a whole record: in mode `power` with a sync, in mode `kill` it arranges one. */
  #written(): Promise<void> | undefined {
    if (this.#options.mode === "power") return this.#sync()
    this.#cancelSync ??= this.#options.after(this.#options.syncEveryMs, () => {
      this.#cancelSync = undefined
      if (this.#isUnsynced && !this.#isClosed) this.#syncing = this.#sync()
    })
    return undefined
  }

  /** Syncs after the syncs before. A failed one is followed by a renewal. */
  #sync(): Promise<void> {
    const before = this.#restates
    this.#isUnsynced = false
    const synced = this.#syncing.then(() => this.#syncFiles())
    this.#syncing = synced.catch((cause: unknown) => {
      if (this.#isClosed || this.#restates !== before) return undefined
      this.#counts.syncsFailed += 1
      this.#host?.onAlarm(new Error("the journal could not be moved to the disk; it begins anew", { cause }))
      return this.#renew()
    })
    return this.#syncing
  }

  /** Syncs earlier segments first: a loss of power must not leave a later one without them. */
  async #syncFiles(): Promise<void> {
    const file = this.#file
    const retired = this.#retired
    this.#retired = []
    try {
      for (const earlier of retired) await earlier.sync()
    } finally {
      for (const earlier of retired) earlier.close()
    }
    await file?.sync()
    if (file !== undefined) this.#counts.syncs += 1
    if (!this.#isFolderUnsynced) return
    this.#isFolderUnsynced = false
    await this.#options.files.syncFolder()
  }

  /**
   * Appends a whole round to a new segment: the last one may have lost bytes, or ends with a rest. The round contains a record
   * that is held, which is therefore not written again.
   */
  #renew(): Promise<void> {
    this.#renewal ??= this.#appendAll().finally(() => (this.#renewal = undefined))
    return this.#renewal
  }

  async #appendAll(): Promise<void> {
    for (;;) {
      await this.#pause(retryMs)
      await this.#writing
      if (this.#isClosed) throw closedError()
      this.#isBroken = false
      this.beginRound()
      this.#restates += 1
      const record = this.#host?.restate()
      this.#holdsAll = true
      const isWritten = record !== undefined && this.#write(record)
      this.#holdsAll = false
      if (isWritten && (await this.#isSynced())) break
    }
    this.#removeBefore(this.#roundSegment)
    this.#closeRetired()
  }

  async #isSynced(): Promise<boolean> {
    try {
      await this.#file?.sync()
      await this.#options.files.syncFolder()
      this.#counts.syncs += 1
      return true
    } catch (error) {
      this.#counts.syncsFailed += 1
      this.#host?.onAlarm(new Error("the journal could not be moved to the disk", { cause: error }))
      return false
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#options.after(ms, resolve)
    })
  }

  // --- segments -------------------------------------------------------------------------------------------------

  #createSegment(): JournalFile {
    const { files, origin } = this.#options
    const segment = this.#segment + 1
    const { file, salt, headerBytes } = createSegmentFile(files, {
      segment,
      startsRound: this.#startsRound,
      holdsAll: this.#holdsAll,
      firstRecord: this.#records + 1,
      ...origin,
    })
    if (this.#startsRound) {
      this.#roundSegment = segment
      this.#roundStartBytes = this.#appendedBytes
    }
    this.#startsRound = false
    this.#isFolderUnsynced = true
    this.#segment = segment
    this.#salt = salt
    this.#position = headerBytes
    this.#headerBytes = headerBytes
    this.#file = file
    return file
  }

  /** Ends the segment. It is closed after its next sync. */
  #retireSegment(): void {
    if (this.#file === undefined) return
    this.#retired.push(this.#file)
    this.#file = undefined
    this.#counts.sizes.set(this.#segment, this.#position)
  }

  #closeRetired(): void {
    for (const file of this.#retired) file.close()
    this.#retired = []
  }
}

function closedError(): Error {
  return new Error("the journal is closed")
}
