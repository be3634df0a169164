// Keeps the records of a journal in segment files of one folder. `append` writes before it returns; in mode `power` the record is
// also moved to the disk before its promise resolves. A full or failing disk holds the records back and is retried until it takes
// them; nothing is lost, and nothing is released meanwhile. Must not know operations and sessions.
import { randomInt } from "node:crypto"
import type { FolderLock } from "./folder-lock.ts"
import type { JournalContent, JournalEngine, JournalEngineHost } from "./journal-engine.ts"
import type { JournalFile, JournalFiles } from "./journal-files.ts"
import { readSegments, segmentName, segmentsIn } from "./read-segments.ts"
import type { Origin } from "./read-segments.ts"
import { cleanEnd, encodeSegmentHeader, recordHeadBytes, sealRecord } from "./segment.ts"

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

/** Appends above this time count as slow, in milliseconds. */
const slowMs = 50
/** After this number of slow appends within `slowWindowMs` the engine writes outside the event loop. */
const slowMax = 3
const slowWindowMs = 10_000
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
  #segment = 0
  /** First segment of the round. */
  #roundSegment = 0
  #roundStartBytes = 0
  #appendedBytes = 0
  #records = 0
  #startsRound = true
  #isClosed = false
  #isUnsynced = false
  #isFolderUnsynced = false
  /** True if a rest of a record that failed may stand at the end of the last segment. */
  #isBroken = false
  /** True while the disk takes no records. */
  #isHeld = false
  /** Pending while a whole round is appended to a new segment. */
  #renewal: Promise<void> | undefined
  #cancelSync: (() => void) | undefined
  #syncing = nothing
  /** Times of slow appends. Longer than `slowMax`: the engine writes outside the event loop. */
  #slowAtMs: number[] = []
  #isSlow = false

  constructor(options: FileEngineOptions) {
    this.#options = options
  }

  get roundBytes(): number {
    return this.#appendedBytes - this.#roundStartBytes
  }

  /** True after the engine has gone over to writes outside the event loop, because the disk was slow. */
  get isSlow(): boolean {
    return this.#isSlow
  }

  async open(host: JournalEngineHost): Promise<JournalContent> {
    this.#host = host
    this.#lock = await this.#options.lock()
    try {
      const { content, lastSegment, lastRecord } = readSegments(this.#options.files, this.#options.origin)
      this.#segment = lastSegment
      this.#records = lastRecord
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
    this.#closeSegment()
  }

  endRound(): void {
    // A loss of power must find either the segments before the round, or the round itself.
    this.#syncing = this.#sync().then(() => this.#removeEarlier())
  }

  #removeEarlier(): void {
    const { files } = this.#options
    for (const [name, segment] of segmentsIn(files)) if (segment < this.#roundSegment) files.remove(name)
  }

  append(record: Buffer): Promise<void> | undefined {
    if (this.#isClosed) return Promise.reject(closedError())
    if (this.#renewal !== undefined) return this.#renewal.then(() => this.append(record))
    if (this.#isSlow) return this.#appendLater(record)
    const startMs = this.#options.now()
    if (!this.#write(record)) return this.#retry(record)
    this.#noteTime(startMs)
    return this.#written()
  }

  async close(isClean: boolean): Promise<void> {
    if (this.#isClosed) return
    this.#cancelSync?.()
    try {
      // Without the lock the folder belongs to another process.
      if (isClean && this.#lock !== undefined) await this.#closeCleanly()
    } finally {
      this.#isClosed = true
      this.#closeSegment()
      this.#lock?.release()
    }
  }

  async #closeCleanly(): Promise<void> {
    const end = Buffer.alloc(recordHeadBytes + cleanEnd.length)
    cleanEnd.copy(end, recordHeadBytes)
    await this.append(end)
    await this.#syncing
    await this.#file?.sync()
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
    if (!this.#isHeld)
      this.#host?.onAlarm(new Error("the journal's disk takes no records; output is held", { cause }))
    this.#isHeld = true
    try {
      this.#file?.truncate(this.#position)
    } catch (error) {
      this.#host?.onAlarm(new Error("the journal's segment cannot be cut; it begins anew", { cause: error }))
      this.#isBroken = true
      this.#closeSegment()
    }
  }

  async #retry(record: Buffer): Promise<void> {
    do {
      await this.#pause(retryMs)
      if (this.#isClosed) throw closedError()
      if (this.#isBroken) return this.#renew()
    } while (!this.#write(record))
    await this.#written()
  }

  async #appendLater(record: Buffer): Promise<void> {
    try {
      const file = this.#file ?? this.#createSegment()
      this.#seal(record)
      const written = await file.writeLater(record, this.#position)
      if (written !== record.length) throw new Error(`${written} of ${record.length} bytes were written`)
      this.#advance(record)
    } catch (error) {
      this.#undo(error)
      await this.#retry(record)
      return
    }
    await this.#written()
  }

  #noteTime(startMs: number): void {
    const nowMs = this.#options.now()
    if (nowMs - startMs <= slowMs) return
    this.#slowAtMs = [...this.#slowAtMs.filter((atMs) => nowMs - atMs < slowWindowMs), nowMs]
    if (this.#slowAtMs.length < slowMax) return
    this.#isSlow = true
    const text = `${slowMax} appends to the journal took more than ${slowMs} ms; the next ones are written outside the event loop`
    this.#host?.onAlarm(new Error(text))
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

  async #sync(): Promise<void> {
    const file = this.#file
    if (file === undefined) return
    this.#isUnsynced = false
    try {
      await file.sync()
      if (this.#isFolderUnsynced) {
        this.#isFolderUnsynced = false
        await this.#options.files.syncFolder()
      }
    } catch (cause) {
      if (this.#isClosed || file !== this.#file) return
      this.#host?.onAlarm(new Error("the journal could not be moved to the disk; it begins anew", { cause }))
      await this.#renew()
    }
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
      if (this.#isClosed) throw closedError()
      this.#isBroken = false
      this.beginRound()
      const records = this.#host?.restate() ?? []
      if (records.every((record) => this.#write(record)) && (await this.#isSynced())) break
      // A segment of a round that is not whole is no use to anybody.
      this.#closeSegment()
    }
    this.#removeEarlier()
  }

  async #isSynced(): Promise<boolean> {
    try {
      await this.#file?.sync()
      await this.#options.files.syncFolder()
      return true
    } catch (error) {
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
    const file = files.create(segmentName(segment))
    const salt = randomInt(2 ** 32)
    const header = encodeSegmentHeader({
      segment,
      salt,
      startsRound: this.#startsRound,
      firstRecord: this.#records + 1,
      ...origin,
      inode: file.inode,
    })
    try {
      if (file.write(header, 0) !== header.length) throw new Error("the header was not written whole")
    } catch (error) {
      file.close()
      files.remove(segmentName(segment))
      throw error
    }
    if (this.#startsRound) {
      this.#roundSegment = segment
      this.#roundStartBytes = this.#appendedBytes
    }
    this.#startsRound = false
    this.#isFolderUnsynced = true
    this.#segment = segment
    this.#salt = salt
    this.#position = header.length
    this.#file = file
    return file
  }

  #closeSegment(): void {
    this.#file?.close()
    this.#file = undefined
  }
}

function closedError(): Error {
  return new Error("the journal is closed")
}
