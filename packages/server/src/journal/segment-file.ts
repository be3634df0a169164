// Creates the file of a segment with its header, and notes attempts in it that leave no record. Must not know records.
import { randomInt } from "node:crypto"
import type { JournalFile, JournalFiles } from "./journal-files.ts"
import { segmentName } from "./read-segments.ts"
import { encodeSegmentHeader, encodeTouched, touchedBytes } from "./segment.ts"
import type { SegmentHeader } from "./segment.ts"

/** New file of a segment. */
interface SegmentFile {
  readonly file: JournalFile
  readonly salt: number
  /** Length of its header: place of the first record. */
  readonly headerBytes: number
}

/** Creates the file of a segment. @throws errors of the file system; then there is no file. */
export function createSegmentFile(
  files: JournalFiles,
  fields: Omit<SegmentHeader, "inode" | "salt">,
): SegmentFile {
  const name = segmentName(fields.segment)
  const file = files.create(name)
  const salt = randomInt(2 ** 32)
  const header = encodeSegmentHeader({ ...fields, salt, inode: file.inode })
  try {
    if (file.write(header, 0) !== header.length) throw new Error("the header was not written whole")
  } catch (error) {
    file.close()
    files.remove(name)
    throw error
  }
  return { file, salt, headerBytes: header.length }
}

/** Notes the time of an attempt in the header: a change of the file without a record would look like a copy. */
export function noteAttempt(file: JournalFile, headerBytes: number, atMs: number): void {
  try {
    file.write(encodeTouched(atMs), headerBytes - touchedBytes)
  } catch {
    // The journal then looks like a copy, which is safe.
  }
}
