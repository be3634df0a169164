// Writes and reads the parts of a replica frame, one for each cell that changed for its viewer. All viewers of a cell get the
// same part body; the head contains the viewer's number of the cell. The reader checks everything, because a peer sent the
// bytes. Must not know viewers or connections.
import { BitReader } from "../base/bits.ts"
import type { BitWriter } from "../base/bits.ts"
import type { PackedRecord, RecordState, ReplicaSchema } from "../contract/replica-schema.ts"
import { decodeText, encodeText } from "../base/utf8.ts"
import { writeChanges, writeMask, writeRecord, writeSteps } from "./write-record.ts"

/** Kind of a part: the low two bits of its head. */
export const partKind = { delta: 0, snapshot: 1, drop: 2, keep: 3 } as const

/** Change of one record of a cell, identified by its slot. */
export type CellChange =
  | { readonly kind: "enter"; readonly slot: number; readonly id: string; readonly record: PackedRecord }
  | { readonly kind: "leave"; readonly slot: number }
  | {
      readonly kind: "change"
      readonly slot: number
      /** One bit for each changed field. */
      readonly mask: number
      readonly record: PackedRecord
      readonly was: RecordState
    }

export interface CellPlace {
  readonly x: number
  readonly y: number
}

export interface CellSnapshot extends CellPlace {
  readonly version: number
  /** False for a continuation of a snapshot that did not fit into one frame. */
  readonly isFirst: boolean
  readonly records: readonly ({ readonly slot: number; readonly id: string } & RecordState)[]
}

/** Order of the code for gaps between slots, which are small. */
const gapOrder = 1

export interface CellDelta {
  /** By ascending slot. */
  readonly changes: readonly CellChange[]
  /** Number of records in the cell after the changes. */
  readonly size: number
}

export function encodeDelta(writer: BitWriter, schema: ReplicaSchema, delta: CellDelta): Uint8Array {
  writeDelta(writer, schema, delta)
  return writer.take()
}

/** Appends the packed delta to the writer. */
export function writeDelta(writer: BitWriter, schema: ReplicaSchema, { changes, size }: CellDelta): void {
  const mask = commonMask(changes)
  // If all records changed the same fields, one mask suffices and slots are implied.
  const isEveryone = mask !== 0 && changes.length === size
  writer.flag(isEveryone)
  if (isEveryone) {
    writeMask(writer, schema, mask)
    for (const change of changes) {
      if (change.kind === "change") writeChanges(writer, schema, change)
    }
    return
  }
  writer.small(changes.length, gapOrder)
  let next = 0
  let lastMask = 0
  for (const change of changes) {
    writer.small(change.slot - next, gapOrder)
    next = change.slot + 1
    writer.flag(change.kind !== "change")
    if (change.kind !== "change") {
      writer.flag(change.kind === "leave")
      if (change.kind === "enter") writeEntry(writer, schema, change)
      continue
    }
    // Moving records usually change the same fields: one bit repeats the last mask.
    if (lastMask !== 0) writer.flag(change.mask === lastMask)
    if (change.mask !== lastMask) writeMask(writer, schema, change.mask)
    lastMask = change.mask
    writeChanges(writer, schema, change)
  }
}

/** Returns the mask that all changes share; 0 if the masks differ or a record entered or left. */
function commonMask(changes: readonly CellChange[]): number {
  const [first] = changes
  if (first?.kind !== "change") return 0
  return changes.every((change) => change.kind === "change" && change.mask === first.mask) ? first.mask : 0
}

export function encodeSnapshot(
  writer: BitWriter,
  schema: ReplicaSchema,
  { x, y, version, isFirst, records }: CellSnapshot,
): Uint8Array {
  writePlace(writer, { x, y })
  writer.varint(version)
  writer.flag(isFirst)
  writer.varint(records.length)
  let next = 0
  for (const entry of records) {
    writer.small(entry.slot - next, gapOrder)
    next = entry.slot + 1
    writeEntry(writer, schema, entry)
    writeSteps(writer, schema, entry)
  }
  return writer.take()
}

export function encodePlace(writer: BitWriter, place: CellPlace): Uint8Array {
  writePlace(writer, place)
  return writer.take()
}

function writePlace(writer: BitWriter, { x, y }: CellPlace): void {
  for (const coordinate of [x, y]) writer.varint(coordinate < 0 ? -2 * coordinate - 1 : 2 * coordinate)
}

function writeEntry(
  writer: BitWriter,
  schema: ReplicaSchema,
  { id, record }: { readonly id: string; readonly record: PackedRecord },
): void {
  const bytes = encodeText(id)
  writer.varint(bytes.length)
  writer.bytes(bytes)
  writeRecord(writer, schema, record)
}

export interface ReplicaHead {
  /** Number of the replica on this connection. */
  readonly replica: number
  /** True if the numbers of cells start again: cells that this frame does not keep are dropped. */
  readonly isFresh: boolean
}

/** A copy of a replica that applies parts. `cell` is the server's number of a cell for this viewer. */
export interface PartTarget {
  readonly schema: ReplicaSchema
  /** Returns the record at a slot of a cell; undefined: none, and a change of it is a RangeError. */
  recordAt(cell: number, slot: number): RecordState | undefined
  /** Returns the occupied slots of a cell, ascending. */
  slotsOf(cell: number): readonly number[]
  snapshot(cell: number, snapshot: CellSnapshot): void
  delta(cell: number, changes: readonly CellChange[]): void
  /** Keeps a cell that the client holds; later deltas continue from its state. */
  keep(cell: number, place: CellPlace): void
  drop(cell: number): void
}

/**
 * Reads a frame and applies its parts one by one. `begin` returns the target; undefined: the frame is skipped.
 * @throws RangeError for malformed bytes; the parts before the malformed one have been applied.
 */
export function readReplicaFrame(
  bytes: Uint8Array,
  begin: (head: ReplicaHead) => PartTarget | undefined,
): void {
  // Byte 0 is the frame byte.
  const reader = new BitReader(bytes, 1)
  const head = reader.varint()
  const target = begin({ replica: Math.floor(head / 2), isFresh: head % 2 === 1 })
  if (target === undefined) return
  while (!reader.isAtEnd) {
    const part = reader.varint()
    readPart(reader, target, { cell: Math.floor(part / 4), kind: part % 4 })
    reader.align()
  }
}

function readPart(reader: BitReader, target: PartTarget, part: { cell: number; kind: number }): void {
  const { cell, kind } = part
  switch (kind) {
    case partKind.delta:
      target.delta(cell, readDelta(reader, target, cell))
      return
    case partKind.snapshot:
      target.snapshot(cell, readSnapshot(reader, target.schema))
      return
    case partKind.drop:
      target.drop(cell)
      return
    default:
      target.keep(cell, readPlace(reader))
  }
}

function readDelta(reader: BitReader, target: PartTarget, cell: number): CellChange[] {
  const { schema } = target
  if (reader.flag()) return readEveryone(reader, target, cell)
  const changes: CellChange[] = []
  const count = checkedCount(reader, reader.small(gapOrder))
  let next = 0
  let lastMask = 0
  for (let index = 0; index < count; index += 1) {
    const slot = next + reader.small(gapOrder)
    next = slot + 1
    if (reader.flag()) {
      changes.push(
        reader.flag() ? { kind: "leave", slot } : { kind: "enter", slot, ...readEntry(reader, schema) },
      )
      continue
    }
    const mask = lastMask !== 0 && reader.flag() ? lastMask : schema.readMask(reader)
    lastMask = mask
    changes.push(readChange(reader, target, { cell, slot, mask }))
  }
  return changes
}

function readEveryone(reader: BitReader, target: PartTarget, cell: number): CellChange[] {
  const { schema } = target
  const mask = schema.readMask(reader)
  return target.slotsOf(cell).map((slot) => readChange(reader, target, { cell, slot, mask }))
}

function readChange(
  reader: BitReader,
  target: PartTarget,
  { cell, slot, mask }: { readonly cell: number; readonly slot: number; readonly mask: number },
): CellChange {
  const was = target.recordAt(cell, slot)
  if (was === undefined)
    throw new RangeError(`replica delta for slot ${slot} of cell ${cell}, which has no record`)
  return { kind: "change", slot, mask, was, record: target.schema.readChanges(reader, mask, was) }
}

function readSnapshot(reader: BitReader, schema: ReplicaSchema): CellSnapshot {
  const place = readPlace(reader)
  const version = reader.varint()
  const isFirst = reader.flag()
  const count = checkedCount(reader, reader.varint())
  let next = 0
  const records = Array.from({ length: count }, () => {
    const slot = next + reader.small(gapOrder)
    next = slot + 1
    const { id, record } = readEntry(reader, schema)
    return { slot, id, record, before: schema.readSteps(reader, record) }
  })
  return { ...place, version, isFirst, records }
}

function readEntry(reader: BitReader, schema: ReplicaSchema): { id: string; record: PackedRecord } {
  const id = decodeText(reader.bytes(reader.varint()))
  return { id, record: schema.readRecord(reader) }
}

function readPlace(reader: BitReader): CellPlace {
  const coordinate = (value: number): number => (value % 2 === 1 ? -(value + 1) / 2 : value / 2)
  return { x: coordinate(reader.varint()), y: coordinate(reader.varint()) }
}

/** Refuses a count that the remaining bytes cannot hold (two bits per entry), before anything is allocated for it. */
function checkedCount(reader: BitReader, count: number): number {
  if (count > (reader.bytesLeft + 1) * 4)
    throw new RangeError(`${count} entries do not fit into the ${reader.bytesLeft} remaining bytes`)
  return count
}
