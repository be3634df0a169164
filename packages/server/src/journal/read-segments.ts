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
}

interface Segment extends ScannedSegment {
  readonly name: string
  readonly bytes: Buffer
}

const suffix = ".journal"
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
  const last = scanned.at(-1)
  const segments = scanned.filter((segment) => segment !== undefined)
  if (scanned.slice(0, -1).some((segment) => segment === undefined))
    throw new JournalFormatError("a segment with a damaged header lies among others")
  const lastSegment = named.at(-1)?.[1] ?? 0
  const newest = segments.at(-1)
  if (newest === undefined) {
    // The process ended while it created its first segment.
    for (const [name] of named) files.remove(name)
    return {
      content: { records: [], isWhole: true, isClosed: false, bytes: 0, tornBytes: 0 },
      lastSegment,
      lastRecord: 0,
    }
  }
  for (const [index, segment] of segments.entries()) checkPlace(segment, segments[index + 1])
  const isUncut = isWhole(files, newest, origin)
  const tornBytes =
    cutTornEnd(files, newest) + (last === undefined ? removeTorn(files, named.at(-1)?.[0]) : 0)
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
  return { content, lastSegment, lastRecord: newest.header.firstRecord + newest.records.length - 1 }
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

/** @throws JournalFormatError if the segment is damaged, or the next one does not follow it. */
function checkPlace({ name, header, records, end }: Segment, next: Segment | undefined): void {
  if (end.kind === "damaged")
    throw new JournalFormatError(
      `${name} is damaged at byte ${end.offset}, and valid records follow at byte ${end.next}: restore the file from a copy, or move the journal away to start without it`,
    )
  if (next === undefined) return
  if (end.kind === "torn")
    throw new JournalFormatError(
      `${name} is damaged at byte ${end.offset}, and the segment ${next.name} follows: restore the file from a copy, or move the journal away to start without it`,
    )
  const expected = header.firstRecord + records.length
  // A process that ended while it created a segment leaves a gap in their numbers, and none in those of the records.
  if (next.header.segment > header.segment && next.header.firstRecord === expected) return
  throw new JournalFormatError(
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

function removeTorn(files: JournalFiles, name: string | undefined): number {
  if (name === undefined) return 0
  const { length } = files.read(name)
  files.remove(name)
  return length
}

/**
 * Returns false if records may be missing at the end: the file is a copy, or the machine has stopped before it wrote them. A copy
 * has another inode, or was changed after its last record.
 */
function isWhole(files: JournalFiles, { name, header, records, end }: Segment, origin: Origin): boolean {
  const { inode, changedMs } = files.stat(name)
  const last = records.at(-1)
  const lastMs = (end.kind === "torn" ? end.atMs : undefined) ?? last?.atMs ?? changedMs
  const isOriginal = header.inode === inode && changedMs - lastMs < copyMs
  const isClean = last?.body.equals(cleanEnd) === true && end.kind === "whole"
  return isOriginal && (isClean || (header.host === origin.host && header.boot === origin.boot))
}
