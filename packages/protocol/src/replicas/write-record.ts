// Writes packed records: complete, or as changed fields relative to the previous state. `ReplicaSchema` reads them. Only servers
// write records, so no client loads this file. Must not know cells, viewers or connections.
import type { BitWriter } from "../base/bits.ts"
import { changeOrder, stepOf } from "../contract/replica-field.ts"
import type { PackedRecord, RecordState, ReplicaSchema } from "../contract/replica-schema.ts"

/** Writes all fields of a record. */
export function writeRecord(writer: BitWriter, { fields }: ReplicaSchema, record: PackedRecord): void {
  for (const [place, { field }] of fields.entries()) field.write(writer, record[place])
}

/** Writes a mask of fields. */
export function writeMask(writer: BitWriter, { fields }: ReplicaSchema, mask: number): void {
  writer.bits(mask, fields.length)
}

/** Writes the fields in `mask` of a record, each relative to its previous value and its last step. */
export function writeChanges(
  writer: BitWriter,
  { fields }: ReplicaSchema,
  { mask, record, was }: { readonly mask: number; readonly record: PackedRecord; readonly was: RecordState },
): void {
  for (let place = 0; place < fields.length; place += 1) {
    if ((mask & (1 << place)) === 0) continue
    const step = stepOf(was.record[place], was.before[place])
    fields[place]?.field.writeChange(writer, record[place], was.record[place], step)
  }
}

/** Writes the last steps of a record, for a reader that has no previous state of it. */
export function writeSteps(
  writer: BitWriter,
  { fields }: ReplicaSchema,
  { record, before }: RecordState,
): void {
  const steps = fields.flatMap(({ field }, place) =>
    field.hasSteps === true ? stepOf(record[place], before[place]) : [],
  )
  const moves = steps.some((step) => step !== 0)
  writer.flag(moves)
  if (moves) for (const step of steps) writer.smallSigned(step, changeOrder)
}
