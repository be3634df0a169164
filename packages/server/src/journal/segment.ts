// Format of one journal segment: a header, then records. Pure: bytes in, bytes out. Must not know files and operations.
//
// Header: magic (8 bytes), format version (2), length of its fields (2), fields, CRC-32 of all before it (4), time of the last attempt
// that left no record (8), the only bytes that are overwritten.
// Record: length of time and body (4), check of the length (4), CRC-32 of time and body (4), time (8), body. Integers are
// little-endian; the time is a double, in milliseconds since 1970.
//
// The check binds the length to the segment's salt and to the offset of the record, and seeds the CRC. So every record is valid
// by itself and only at its place: bytes of an older file are no records, and a valid record behind a damaged one is found.
// A record that is not whole is the torn end of a life if nothing valid follows it; otherwise the segment is damaged.
import { crc32 } from "node:zlib"
import { JournalFormatError, RecordReader } from "./record-reader.ts"
import { RecordWriter } from "./record-writer.ts"

/** Version of the journal's format. A process reads this version and the one before it. */
const formatVersion = 1

const magic = Buffer.from("HAWSERJL", "latin1")
const headerStart = magic.length + 4
/** Longest header, in bytes. A file that names a longer one is damaged. */
const headerMaxBytes = 1_024
/** Bytes of a record before its time. */
const headBytes = 12
/** Bytes of a record before its body. */
export const recordHeadBytes = headBytes + 8
/** Bytes of the time of the last attempt, at the end of a header. */
export const touchedBytes = 8
/** Body of the last record of a life that has ended by itself. */
export const cleanEnd = Buffer.of(0xff)

/** Header of a segment. */
export interface SegmentHeader {
  /** Number of the segment; the number of the first is 1. */
  readonly segment: number
  /** Random number of the segment. */
  readonly salt: number
  /** True if a checkpoint round begins with this segment: reading may begin here once the round is whole. */
  readonly startsRound: boolean
  /** True if the first record holds the whole state: earlier segments are not needed once it is there. */
  readonly holdsAll: boolean
  /** Number of the first record in the segment; the number of the first record of a journal is 1. */
  readonly firstRecord: number
  /** Machine, start of its kernel, and inode of the file: with other values the file is a copy, or its end may be missing. */
  readonly host: string
  readonly boot: string
  readonly inode: string
}

/** One record of a segment. */
export interface SegmentRecord {
  /** Place in the segment, in bytes. */
  readonly offset: number
  /** Time of the append, in milliseconds since 1970. */
  readonly atMs: number
  /** A view of the segment's bytes. */
  readonly body: Buffer
}

/** End of a segment. */
type SegmentEnd =
  | { readonly kind: "whole" }
  /** The last record is not whole, or its bytes are not those that were written. Nothing valid follows. */
  | {
      readonly kind: "torn"
      readonly offset: number
      /** Time of the append of that record; undefined if its head is not whole. */
      readonly atMs: number | undefined
    }
  /** The record at `offset` is not valid, and a valid one follows at `next`. */
  | { readonly kind: "damaged"; readonly offset: number; readonly next: number }

export interface ScannedSegment {
  readonly header: SegmentHeader
  readonly records: readonly SegmentRecord[]
  readonly end: SegmentEnd
  /** Time of the last attempt to write that left no record, in milliseconds since 1970; 0 without one. */
  readonly touchedMs: number
}

/** Encodes the time of an attempt to write that left no record. */
export function encodeTouched(atMs: number): Buffer {
  const bytes = Buffer.alloc(touchedBytes)
  bytes.writeDoubleLE(atMs)
  return bytes
}

/** Encodes the header of a segment. */
export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const writer = new RecordWriter()
  writer.count(header.segment)
  writer.word(header.salt)
  writer.flag(header.startsRound)
  writer.flag(header.holdsAll)
  writer.count(header.firstRecord)
  for (const text of [header.host, header.boot, header.inode]) writer.text(text)
  const fields = writer.take()
  const end = headerStart + fields.length
  const bytes = Buffer.alloc(end + 4 + touchedBytes)
  magic.copy(bytes)
  bytes.writeUInt16LE(formatVersion, magic.length)
  bytes.writeUInt16LE(fields.length, magic.length + 2)
  fields.copy(bytes, headerStart)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, end)), end)
  return bytes
}

/**
 * Decodes the header at the start of a segment. Returns undefined if it is not whole.
 * @throws JournalFormatError for bytes of another kind of file, for another version, and for a damaged header.
 */
function decodeSegmentHeader(bytes: Buffer): { header: SegmentHeader; length: number } | undefined {
  // After a loss of power a new file may have its length and no content.
  if (bytes.length < headerStart || bytes.every((byte) => byte === 0)) return undefined
  if (!bytes.subarray(0, magic.length).equals(magic))
    throw new JournalFormatError("the file is no journal segment: its first bytes are not HAWSERJL")
  const version = bytes.readUInt16LE(magic.length)
  if (version !== formatVersion)
    throw new JournalFormatError(
      `the segment has format version ${version}; this server reads version ${formatVersion}: start the version that wrote it`,
    )
  const end = headerStart + bytes.readUInt16LE(magic.length + 2)
  const length = end + 4 + touchedBytes
  if (bytes.length < length && length <= headerMaxBytes) return undefined
  const isValid = bytes.length >= length && crc32(bytes.subarray(0, end)) === bytes.readUInt32LE(end)
  if (!isValid)
    throw new JournalFormatError(
      "its header is damaged: restore the file from a copy, or move the journal away",
    )
  const reader = new RecordReader(bytes.subarray(0, end), headerStart)
  const header = {
    segment: reader.count(),
    salt: reader.word(),
    startsRound: reader.flag(),
    holdsAll: reader.flag(),
    firstRecord: reader.count(),
    host: reader.text(),
    boot: reader.text(),
    inode: reader.text(),
  }
  return { header, length }
}

/** Writes head and time into the first `recordHeadBytes` of a record, for a place in a segment. */
export function sealRecord(
  record: Buffer,
  { salt, offset, atMs }: { readonly salt: number; readonly offset: number; readonly atMs: number },
): void {
  record.writeDoubleLE(atMs, headBytes)
  const content = record.subarray(headBytes)
  const check = lengthCheck(content.length, salt, offset)
  record.writeUInt32LE(content.length, 0)
  record.writeUInt32LE(check, 4)
  record.writeUInt32LE(crc32(content, check), 8)
}

/** Reads a segment. Returns undefined if it ends within its header: the process ended while it created the file. */
export function scanSegment(bytes: Buffer): ScannedSegment | undefined {
  const found = decodeSegmentHeader(bytes)
  if (found === undefined) return undefined
  const { header, length } = found
  const touchedMs = bytes.readDoubleLE(length - touchedBytes)
  const records: SegmentRecord[] = []
  let offset = length
  while (offset < bytes.length) {
    const content = recordAt(bytes, offset, header.salt)
    if (content === undefined) return { header, records, touchedMs, end: endAt(bytes, offset, header.salt) }
    records.push({
      offset,
      atMs: content.readDoubleLE(),
      body: content.subarray(recordHeadBytes - headBytes),
    })
    offset += headBytes + content.length
  }
  return { header, records, touchedMs, end: { kind: "whole" } }
}

function endAt(bytes: Buffer, offset: number, salt: number): SegmentEnd {
  for (let next = offset + 1; next + recordHeadBytes <= bytes.length; next += 1)
    if (recordAt(bytes, next, salt) !== undefined) return { kind: "damaged", offset, next }
  const isHead =
    offset + recordHeadBytes <= bytes.length &&
    bytes.readUInt32LE(offset + 4) === lengthCheck(bytes.readUInt32LE(offset), salt, offset)
  return { kind: "torn", offset, atMs: isHead ? bytes.readDoubleLE(offset + headBytes) : undefined }
}

/** Returns time and body of the record at this offset; undefined if there is no valid record. */
function recordAt(bytes: Buffer, offset: number, salt: number): Buffer | undefined {
  const start = offset + headBytes
  if (offset + recordHeadBytes > bytes.length) return undefined
  const length = bytes.readUInt32LE(offset)
  const check = bytes.readUInt32LE(offset + 4)
  if (check !== lengthCheck(length, salt, offset)) return undefined
  if (length < recordHeadBytes - headBytes || length > bytes.length - start) return undefined
  const content = bytes.subarray(start, start + length)
  return crc32(content, check) === bytes.readUInt32LE(offset + 8) ? content : undefined
}

/** Mixes a length with its place: 32 bits, unsigned. The constants are those of MurmurHash3's last step. */
function lengthCheck(length: number, salt: number, offset: number): number {
  let mixed = length ^ salt ^ Math.imul(offset, 0x9e37_79b1)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
