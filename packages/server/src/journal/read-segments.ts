// Reads the segments of a journal's folder: checks their order, removes a torn end, and judges whether records may be missing.
// Refuses a damaged journal: a record or a segment that is missing among others would be a silent loss. Must not know operations.
import type { JournalContent } from "./journal-engine.ts"
import type { JournalFiles } from "./journal-files.ts"
import { JournalFormatError } from "./record-reader.ts"
import { cleanEnd, scanSegment } from "./segment.ts"
import type { ScannedSegment } from "./segment.ts"

/** Place in which a process runs. */
export interface Origin {
  /** Identity of the machine. */
  readonly host: string
  /** Identity of the start of its kernel. */
  readonly boot: string
}

/** Records of a folder. */
export interface ReadSegments {
  readonly content: JournalContent
  /** Number of the newest segment; 0 without one. */
  readonly lastSegment: number
  /** Number of the newest record; 0 without one. */
  readonly lastRecord: number
  /** Bytes of the files, by segment. */
  readonly sizes: ReadonlyMap<number, number>
  /** Names of the files whose records are in `content`. */
  readonly used: readonly string[]
}

interface Segment extends ScannedSegment {
  readonly name: string
  readonly bytes: Buffer
}

const suffix = ".journal"
const advice = "restore the file from a copy, or move the journal away to start without it"
/** Time between the last record and the last change of its file above which the file is taken for a copy, in milliseconds. */
const copyMs = 2_000

/** Returns the name of a segment. Names are in the order of their numbers. */
export function segmentName(segment: number): string {
  return `${String(segment).padStart(8, "0")}${suffix}`
}

/** Returns the segments of a folder by name, in ascending order of their numbers. */
export function segmentsIn(files: JournalFiles): readonly (readonly [name: string, segment: number])[] {
  return files
    .list()
    .filter((name) => name.endsWith(suffix))
    .map((name) => [name, Number(name.slice(0, -suffix.length))] as const)
    .toSorted(([, one], [, other]) => one - other)
}

/** Reads the segments of a folder and removes its torn end. @throws JournalFormatError for a damaged journal. */
export function readSegments(files: JournalFiles, origin: Origin): ReadSegments {
  const named = segmentsIn(files)
  const scanned = named.map(([name]) => scan(files, name))
  const found = fromWhole(scanned.filter((segment) => segment !== undefined))
  const lastSegment = named.at(-1)?.[1] ?? 0
  // The process ended while it created its last segment.
  const headerBytes = scanned.at(-1) === undefined ? removeFile(files, named.at(-1)?.[0]) : 0
  const segments = found.slice(0, unbrokenCount(found, origin))
  const newest = segments.at(-1)
  if (newest === undefined) {
    const content = { records: [], isWhole: true, isClosed: false, bytes: 0, tornBytes: headerBytes }
    return { content, lastSegment, lastRecord: 0, sizes: new Map(), used: [] }
  }
  const lost = found.slice(segments.length)
  const isUncut = lost.length === 0 && isWhole(files, newest, origin)
  const lostBytes = lost.reduce((sum, { name }) => sum + removeFile(files, name), 0)
  const tornBytes = cutTornEnd(files, newest) + lostBytes + headerBytes
  const start = segments.findIndex(({ header }) => header.startsRound)
  if (start === -1)
    throw new JournalFormatError(
      `no segment of the journal begins a round; ${segments[0]?.name} follows a segment that is missing`,
    )
  const used = segments.slice(start)
  const records = used.flatMap((segment) => segment.records)
  const content = {
    records: records.filter(({ body }) => !body.equals(cleanEnd)),
    isWhole: isUncut,
    isClosed: records.at(-1)?.body.equals(cleanEnd) === true,
    bytes: used.reduce((sum, { bytes }) => sum + bytes.length, 0),
    tornBytes,
  }
  const left = scanned.filter((segment) => segment !== undefined).filter((segment) => !lost.includes(segment))
  const sizes = new Map(left.map(sizeOf))
  const lastRecord = newest.header.firstRecord + newest.records.length - 1
  return { content, lastSegment, lastRecord, sizes, used: used.map(({ name }) => name) }
}

/** Returns the number of a segment, and its size without a torn end. */
function sizeOf({ header, bytes, end }: Segment): [segment: number, bytes: number] {
  return [header.segment, end.kind === "torn" ? end.offset : bytes.length]
}

function scan(files: JournalFiles, name: string): Segment | undefined {
  const bytes = files.read(name)
  try {
    const scanned = scanSegment(bytes)
    return scanned && { ...scanned, name, bytes }
  } catch (error) {
    if (!(error instanceof JournalFormatError)) throw error
    throw new JournalFormatError(`${name}: ${error.message}`)
  }
}

/**
 * Returns the number of segments without a gap. A loss of power may leave a segment and not the records before it, which were not
 * synced: the segments behind such a gap are lost, too.
 * @throws JournalFormatError if a segment is damaged, or if records are missing among others for no such reason.
 */
function unbrokenCount(segments: readonly Segment[], origin: Origin): number {
  for (const { name, end } of segments)
    if (end.kind === "damaged")
      throw new JournalFormatError(
        `${name} is damaged at byte ${end.offset}, and valid records follow at byte ${end.next}: ${advice}`,
      )
  for (const [index, segment] of segments.entries()) {
    const next = segments[index + 1]
    const expected = segment.header.firstRecord + segment.records.length
    // A write that failed may have left a torn end, and a process that ended may have left no segment: no record is missing then.
    if (next === undefined || next.header.firstRecord === expected) continue
    const hasStopped = next.header.host === origin.host && next.header.boot !== origin.boot
    if (hasStopped && next.header.firstRecord > expected) return index + 1
    throw gapBetween(segment, next)
  }
  return segments.length
}

/** Returns the segments from the last one that holds the whole state: a failed sync has preceded it. */
function fromWhole(segments: readonly Segment[]): readonly Segment[] {
  const start = segments.findLastIndex(({ header, records }) => header.holdsAll && records.length > 0)
  return segments.slice(Math.max(0, start))
}

function gapBetween({ name, header, records, end }: Segment, next: Segment): JournalFormatError {
  if (end.kind === "torn")
    return new JournalFormatError(
      `${name} is damaged at byte ${end.offset}, and the segment ${next.name} follows: ${advice}`,
    )
  const expected = header.firstRecord + records.length
  return new JournalFormatError(
    `${next.name} begins with record ${next.header.firstRecord}, but ${name} ends before record ${expected}: a segment is missing`,
  )
}

/** Returns the number of removed bytes. */
function cutTornEnd(files: JournalFiles, { name, bytes, end }: Segment): number {
  if (end.kind !== "torn") return 0
  const file = files.open(name)
  try {
    file.truncate(end.offset)
  } finally {
    file.close()
  }
  return bytes.length - end.offset
}

/** Returns the number of removed bytes. */
function removeFile(files: JournalFiles, name: string | undefined): number {
  if (name === undefined) return 0
  const { length } = files.read(name)
  files.remove(name)
  return length
}

/**
 * Returns false if records may be missing at the end: the file is a copy, or the machine has stopped before it wrote them. A copy
 * has another inode, or was changed after its last record.
 */
function isWhole(
  files: JournalFiles,
  { name, header, records, end, touchedMs }: Segment,
  origin: Origin,
): boolean {
  const { inode, changedMs } = files.stat(name)
  const last = records.at(-1)
  const lastMs = (end.kind === "torn" ? end.atMs : undefined) ?? last?.atMs ?? changedMs
  const isOriginal = header.inode === inode && changedMs - Math.max(lastMs, touchedMs) < copyMs
  const isClean = last?.body.equals(cleanEnd) === true && end.kind === "whole"
  return isOriginal && (isClean || (header.host === origin.host && header.boot === origin.boot))
}
