// Reads a journal in a folder without a lock and without a change, also a damaged one and one that a process uses. Reports what the
// next process would do with it. Must not know words for people.
import { readFileSync, readdirSync, statSync } from "node:fs"
import { join, resolve } from "node:path"
import { keyBytes, keyName, originOf } from "./file-journal.ts"
import { holderOf } from "./folder-lock.ts"
import type { JournalFiles } from "./journal-files.ts"
import { NotingReader } from "./noting-reader.ts"
import { shownOperation } from "./operation-words.ts"
import type { ShownOperation } from "./operation-words.ts"
import { readSegments, segmentsIn } from "./read-segments.ts"
import { Rebuild } from "./rebuild.ts"
import { JournalFormatError } from "./record-reader.ts"
import { cleanEnd, scanSegment } from "./segment.ts"
import type { ScannedSegment, SegmentRecord } from "./segment.ts"
import { shownState } from "./shown-state.ts"
import type { ShownState } from "./shown-state.ts"

/** Options of `inspectJournal`. */
export interface InspectOptions {
  /** Called with each record in order, also those of segments that a start does not read. Default: none. */
  readonly onRecord?: (record: InspectedRecord) => void
}

/** One record of a journal. */
export interface InspectedRecord {
  /** Name of its file. */
  readonly segment: string
  /** Number of the record in the journal; the number of the first is 1. */
  readonly number: number
  /** Place in the file, in bytes. */
  readonly offset: number
  /** Time of the append, in milliseconds since 1970. */
  readonly atMs: number
  /** Size of its body, in bytes. */
  readonly bytes: number
  /** Operations in their order; those of a record that cannot be read end before the fault. */
  readonly operations: readonly ShownOperation[]
}

/** One file of a journal. */
export interface InspectedSegment {
  /** Name of the file. */
  readonly name: string
  /** Size of the file, in bytes. */
  readonly bytes: number
  /** True if a start may begin to read with this file. */
  readonly startsRound: boolean
  /** Number of the first record. */
  readonly firstRecord: number
  /** Number of valid records before the end or the first fault. */
  readonly records: number
  /** Times of the first and of the last of these records, in milliseconds since 1970; undefined without one. */
  readonly atMs: readonly [first: number, last: number] | undefined
  /**
   * `whole`; `torn`: the last record is not whole; `damaged`: valid records follow the fault; `unreadable`: the header is not whole,
   * damaged, or of another version.
   */
  readonly end: "whole" | "torn" | "damaged" | "unreadable"
  /** Fault at the end with its place, in words; undefined for a whole file. */
  readonly fault: string | undefined
}

/** Report on a journal. */
export interface JournalInspection {
  /** Absolute path of the folder. */
  readonly folder: string
  /** Process that uses the journal, in words; undefined if none of this machine does. The end may then be a record under way. */
  readonly holder: string | undefined
  /** Secret of the resume tokens: without it all sessions end at the next start; `wrong size` refuses the start. */
  readonly key: "present" | "missing" | "wrong size"
  /** Files in their order. */
  readonly segments: readonly InspectedSegment[]
  /** Reason why the next process refuses to start, with file and place; undefined if it does not. */
  readonly refusal: string | undefined
  /** False if records may be missing at the end: the folder is a copy, or the machine has lost power. True after a refusal. */
  readonly isWhole: boolean
  /** Bytes that the next process reads. */
  readonly bytes: number
  /** Bytes of a torn record that the next process removes. */
  readonly tornBytes: number
  /** Operations by kind, with their number. */
  readonly kinds: ReadonlyMap<string, number>
  /** State that the next process restores; after a refusal the state before the first fault. */
  readonly state: ShownState
}

/** Attempts to read the files of a journal whose process removes segments at the same time. */
const attemptsMax = 10

/**
 * Reads the journal in a folder. Never writes, and takes no lock. Damage is a part of the result.
 * @throws errors of the file system, for example for a folder that does not exist.
 */
export function inspectJournal(folder: string, options: InspectOptions = {}): JournalInspection {
  const path = resolve(folder)
  const { files, key } = snapshotOf(path)
  const verdict = verdictOf(files)
  const pass = new Pass(verdict.used, options.onRecord)
  const segments = segmentsIn(files).map(([name]) => pass.read(name, files.read(name)))
  const keyFault =
    key === "wrong size" ? `${keyName} has not ${keyBytes} bytes: restore it from a copy` : undefined
  return {
    folder: path,
    holder: holderOf(files),
    key,
    segments,
    refusal: keyFault ?? verdict.refusal ?? pass.fault,
    isWhole: verdict.isWhole,
    bytes: verdict.bytes,
    tornBytes: verdict.tornBytes,
    kinds: pass.kinds,
    state: shownState(pass.rebuild, Date.now()),
  }
}

interface Verdict {
  readonly refusal: string | undefined
  /** Names of the files that are read; undefined after a refusal. */
  readonly used: readonly string[] | undefined
  readonly isWhole: boolean
  readonly bytes: number
  readonly tornBytes: number
}

/** Does what a start does, on files that do not change. */
function verdictOf(files: JournalFiles): Verdict {
  try {
    const { content, used } = readSegments(files, originOf())
    const { isWhole, bytes, tornBytes } = content
    return { refusal: undefined, used, isWhole, bytes, tornBytes }
  } catch (error) {
    if (!(error instanceof JournalFormatError)) throw error
    return { refusal: error.message, used: undefined, isWhole: true, bytes: 0, tornBytes: 0 }
  }
}

/** Reads the records in order, applies those that a start applies, and stops to apply them at the first fault. */
class Pass {
  readonly rebuild = new Rebuild()
  readonly kinds = new Map<string, number>()
  /** First fault, with file and place. */
  fault: string | undefined
  readonly #onRecord: ((record: InspectedRecord) => void) | undefined
  readonly #used: readonly string[] | undefined
  #isInRound = false

  /** @param used files to apply; undefined: all from the first round on. */
  constructor(
    used: readonly string[] | undefined,
    onRecord: ((record: InspectedRecord) => void) | undefined,
  ) {
    this.#used = used
    this.#onRecord = onRecord
  }

  read(name: string, bytes: Buffer): InspectedSegment {
    const scanned = scannedOf(bytes)
    if ("reason" in scanned) {
      const { length } = bytes
      return { ...noRecords, name, bytes: length, end: "unreadable", fault: scanned.reason }
    }
    const { header, records, end } = scanned
    const { startsRound, firstRecord } = header
    this.#isInRound = this.#used?.includes(name) ?? (this.#isInRound || startsRound)
    for (const [index, record] of records.entries()) this.#apply(name, firstRecord + index, record)
    if (end.kind === "damaged" && this.#isInRound) this.fault ??= `${name} is damaged at byte ${end.offset}`
    const [first, last] = [records[0]?.atMs, records.at(-1)?.atMs]
    const atMs = first === undefined || last === undefined ? undefined : ([first, last] as const)
    return {
      ...{ name, bytes: bytes.length, startsRound, firstRecord, records: records.length, atMs },
      ...{ end: end.kind, fault: faultOf(end) },
    }
  }

  #apply(segment: string, number: number, { offset, atMs, body }: SegmentRecord): void {
    const operations: ShownOperation[] = []
    const isEnd = body.equals(cleanEnd)
    if (isEnd) operations.push({ kind: "clean end", fields: [] })
    else if (this.#isInRound && this.fault === undefined)
      try {
        const reader = new NotingReader(body)
        const onOperation = (code: number): void => void operations.push(shownOperation(code, reader.take()))
        this.rebuild.apply(body, atMs, { reader, onOperation })
      } catch (error) {
        if (!(error instanceof JournalFormatError)) throw error
        this.fault = `${segment} at byte ${offset}: ${error.message}`
      }
    for (const { kind } of operations) this.kinds.set(kind, (this.kinds.get(kind) ?? 0) + 1)
    this.#onRecord?.({ segment, number, offset, atMs, bytes: body.length, operations })
  }
}

const noRecords = { startsRound: false, firstRecord: 0, records: 0, atMs: undefined } as const

function faultOf(end: ScannedSegment["end"]): string | undefined {
  if (end.kind === "whole") return undefined
  if (end.kind === "torn") return `torn at byte ${end.offset}`
  return `damaged at byte ${end.offset}, a valid record follows at byte ${end.next}`
}

function scannedOf(bytes: Buffer): ScannedSegment | { readonly reason: string } {
  try {
    return scanSegment(bytes) ?? { reason: "its header is not whole" }
  } catch (error) {
    if (!(error instanceof JournalFormatError)) throw error
    return { reason: error.message }
  }
}

interface Snapshot {
  readonly files: JournalFiles
  readonly key: JournalInspection["key"]
}

/** Reads all files. A segment that vanished in between makes it begin again: the process has ended a round. */
function snapshotOf(folder: string): Snapshot {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return readAll(folder)
    } catch (error) {
      if (!isMissing(error) || attempt === attemptsMax) throw error
    }
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT" && "path" in error
}

function readAll(folder: string): Snapshot {
  const names = readdirSync(folder).toSorted()
  const read = new Map<
    string,
    { readonly bytes: Buffer; readonly inode: string; readonly changedMs: number }
  >()
  for (const name of names) {
    const path = join(folder, name)
    const { ino, ctimeMs } = statSync(path, { bigint: true })
    read.set(name, { bytes: readFileSync(path), inode: String(ino), changedMs: Number(ctimeMs) })
  }
  const entry = (name: string) => {
    const found = read.get(name)
    if (found === undefined) throw new Error(`${name} is not in ${folder}`)
    return found
  }
  const inert = (): never => {
    throw new Error("an inspection creates no file")
  }
  const key = read.get(keyName)?.bytes.length
  return {
    key: key === undefined ? "missing" : key === keyBytes ? "present" : "wrong size",
    files: {
      list: () => names,
      read: (name) => entry(name).bytes,
      stat: (name) => entry(name),
      create: inert,
      // `readSegments` opens a file only to remove a torn end.
      open: () => ({
        inode: "",
        write: inert,
        writeLater: inert,
        sync: async () => {},
        truncate: () => {},
        close: () => {},
      }),
      remove: () => {},
      syncFolder: async () => {},
    },
  }
}
