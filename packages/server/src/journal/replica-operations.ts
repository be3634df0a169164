// Operations of durable replicas: their fields, and the records that were set, changed and removed. Records are packed as on the
// wire, with the fields that the operation `replica` has named. Must not know stores and files.
import { BitReader, BitWriter, ReplicaSchema, writeMask, writeRecord } from "@hawser/protocol/core"
import type { PackedRecord } from "@hawser/protocol/core"
import type { KeptRecord, KeptReplica, KeptState } from "./kept-state.ts"
import { operation } from "./operation-codes.ts"
import type { OperationWriter } from "./operations.ts"
import { JournalFormatError } from "./record-reader.ts"
import type { RecordReader } from "./record-reader.ts"

/** A replica with its number in the journal. */
export type NumberedReplica = Pick<KeptReplica, "topic" | "name" | "schema"> & { readonly number: number }

/** One record of an operation, with its number in the replica. */
export type RecordChange = { readonly number: number; readonly packed: PackedRecord } & (
  | { readonly kind: "removed" }
  /** A new record, or one that is restated. */
  | { readonly kind: "whole"; readonly id: string }
  /** A bit for each changed field. */
  | { readonly kind: "changed"; readonly mask: number }
)

/** A state to which records are applied, as far as replicas need it. */
interface Rebuilding {
  readonly state: Pick<KeptState, "replicas">
  readonly isComplete: boolean
}

type Apply = (rebuild: Rebuilding, reader: RecordReader) => void

/** Codes of the kinds, in two bits. */
const kinds = ["removed", "whole", "changed"] as const
const kindBits = 2
/** Order of the code for differences of numbers: those of records that move in turn take few bits. */
const stepOrder = 2
/** Difference above which the number is written whole. */
const stepMax = 2 ** 20

const bits = new BitWriter()

/** Writes a replica with its fields, before its first record. */
export function writeReplica(
  writer: OperationWriter,
  { number, topic, name, schema }: NumberedReplica,
): void {
  const fields = writer.begin(operation.replica)
  fields.count(number)
  // A topic's name is never empty.
  fields.text(topic ?? "")
  fields.text(name)
  fields.text(JSON.stringify(schema.shape))
}

export function writeReplicaEnded(writer: OperationWriter, number: number): void {
  writer.begin(operation.replicaEnded).count(number)
}

/** Writes changes of one replica, in their order. */
export function writeRecords(
  writer: OperationWriter,
  { number, schema }: Pick<NumberedReplica, "number" | "schema">,
  changes: readonly RecordChange[],
): void {
  const fields = writer.begin(operation.records)
  fields.count(number)
  fields.count(changes.length)
  let before = 0
  for (const change of changes) {
    const step = change.number - before
    before = change.number
    const isNear = Math.abs(step) <= stepMax
    bits.flag(isNear)
    if (isNear) bits.smallSigned(step, stepOrder)
    else bits.varint(change.number)
    bits.bits(kinds.indexOf(change.kind), kindBits)
    if (change.kind === "whole") {
      writeRecord(bits, schema, change.packed)
    } else if (change.kind === "changed") {
      writeMask(bits, schema, change.mask)
      for (const [place, { field }] of schema.fields.entries())
        if ((change.mask & (1 << place)) !== 0) field.write(bits, change.packed[place])
    }
  }
  fields.blob(bits.take())
  const ids = changes.flatMap((change) => (change.kind === "whole" ? [change.id] : []))
  fields.count(ids.length)
  for (const id of ids) fields.text(id)
}

export function addReplicas(add: (code: number, apply: Apply) => void): void {
  add(operation.replica, ({ state }, reader) => {
    const number = reader.count()
    const topic = reader.text() || undefined
    const name = reader.text()
    const schema = ReplicaSchema.from(shapeOf(reader.text()))
    if (schema === undefined)
      throw new JournalFormatError(`the fields of the replica "${name}" are not readable by this version`)
    const known = state.replicas.get(number)
    // A restatement. Records that it does not name were removed before it.
    state.replicas.set(number, {
      topic,
      name,
      schema,
      records: known?.records ?? new Map<number, KeptRecord>(),
    })
  })
  add(operation.replicaEnded, ({ state }, reader) => state.replicas.delete(reader.count()))
  add(operation.records, (rebuild, reader) => {
    const replica = replicaOf(rebuild, reader.count())
    const count = reader.count()
    const bytes = reader.blob()
    const ids: string[] = []
    for (let left = reader.count(); left > 0; left -= 1) ids.push(reader.text())
    if (replica === undefined) return
    try {
      applyRecords(rebuild, replica, { count, ids: ids.values(), bytes })
    } catch (cause) {
      if (cause instanceof JournalFormatError) throw cause
      throw new JournalFormatError(`records of the replica "${replica.name}" do not fit its fields`, {
        cause,
      })
    }
  })
}

function shapeOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function replicaOf({ state, isComplete }: Rebuilding, number: number): KeptReplica | undefined {
  const replica = state.replicas.get(number)
  if (replica === undefined && isComplete)
    throw new JournalFormatError(`the record names replica ${number}, which does not exist`)
  return replica
}

interface PackedRecords {
  readonly count: number
  /** Ids of the records that are whole. */
  readonly ids: Iterator<string, undefined>
  readonly bytes: Uint8Array
}

function applyRecords(
  { isComplete }: Rebuilding,
  { name, schema, records }: KeptReplica,
  { count, ids, bytes }: PackedRecords,
): void {
  const reader = new BitReader(bytes)
  let number = 0
  for (let left = count; left > 0; left -= 1) {
    number = reader.flag() ? number + reader.smallSigned(stepOrder) : reader.varint()
    const kind = kinds[reader.bits(kindBits)]
    if (kind === "whole") {
      const { value: id } = ids.next()
      if (id === undefined) throw new JournalFormatError(`a record of the replica "${name}" has no id`)
      records.set(number, { id, packed: schema.readRecord(reader) })
    } else if (kind === "removed") {
      records.delete(number)
    } else if (kind === "changed") {
      const mask = schema.readMask(reader)
      const changed = schema.fields.map(({ field }, place) =>
        (mask & (1 << place)) === 0 ? undefined : field.read(reader),
      )
      const record = records.get(number)
      if (record === undefined && isComplete)
        throw new JournalFormatError(`the record names record ${number} of "${name}", which does not exist`)
      if (record === undefined) continue
      for (const [place, value] of changed.entries())
        if ((mask & (1 << place)) !== 0) record.packed[place] = value
    } else throw new JournalFormatError(`a record of the replica "${name}" has no kind`)
  }
}
