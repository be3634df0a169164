// What the records of a replica consist of, and how a record is packed: whole for who has not seen it, by its changed
// fields for who has. Both ends use it: the server by its contract, the client by what the server tells of its own.
import type { BitReader, BitWriter } from "../base/bits.ts"
import { changeOrder, fieldOf, stepOf } from "./replica-field.ts"
import type { Field, FieldShape, Packed } from "./replica-field.ts"

export type Fields = Readonly<Record<string, Field>>

/** Where records are: which two of their fields say so, and the edge of a square cell in these fields' units. */
export interface ReplicaArea<Name extends string = string> {
  readonly x: Name
  readonly y: Name
  readonly cellSize: number
  /** A viewer sees its own cell and so many around it in each direction. Default 1: nine cells. */
  readonly range?: number
}

export interface ReplicaSpec<F extends Fields = Fields> {
  /** By name, 30 at most. */
  readonly fields: F
  /** Without an area every viewer sees all records: a scoreboard. */
  readonly area?: ReplicaArea
}

type FieldValue<F> = F extends Field<infer T> ? T : never

/** The record of a replica, by the contract. */
export type RecordOf<S extends ReplicaSpec> = {
  readonly [K in keyof S["fields"]]: FieldValue<S["fields"][K]>
}

/** Every bit of a mask of changed fields must fit into a whole number of 32 bits. */
const fieldsMax = 30

/**
 * Declares a replica for `defineContract`.
 * @throws RangeError for no fields or more than 30, a cell size that is not above 0, a range that is no whole number
 * from 0 to 8; TypeError for an area whose fields are not numbers of the replica.
 */
export function defineReplica<F extends Fields>(spec: {
  readonly fields: F
  readonly area?: ReplicaArea<keyof F & string>
}): ReplicaSpec<F> {
  const names = Object.keys(spec.fields)
  if (names.length === 0 || names.length > fieldsMax)
    throw new RangeError(`a replica has from 1 to ${fieldsMax} fields, not ${names.length}`)
  const { area } = spec
  if (area === undefined) return spec
  if (!(area.cellSize > 0) || !Number.isFinite(area.cellSize))
    throw new RangeError(`the cell size of a replica must be above 0, not ${area.cellSize}`)
  const { range = 1 } = area
  if (!Number.isInteger(range) || range < 0 || range > 8)
    throw new RangeError(`the range of a replica is 0 to 8 cells, not ${range}`)
  for (const name of [area.x, area.y]) {
    const kind = spec.fields[name]?.shape[0]
    if (kind !== "integer" && kind !== "real")
      throw new TypeError(`"${name}" says where a record is, so it must be an integer or a real`)
  }
  return spec
}

/** As it travels: what each field is called and what kind it is of, in the order of the packed bytes. */
export type SchemaShape = readonly (readonly [name: string, shape: FieldShape])[]

export interface NamedField {
  readonly name: string
  readonly field: Field
}

/** Packed values of a record, by the place of their field. */
export type PackedRecord = Packed[]

/** A record, and what it was before its last change; the same while it has not changed since it came into its cell. */
export interface RecordState {
  readonly record: PackedRecord
  readonly before: PackedRecord
}

export class ReplicaSchema {
  readonly fields: readonly NamedField[]

  constructor(fields: readonly NamedField[]) {
    this.fields = fields
  }

  static of(fields: Fields): ReplicaSchema {
    return new ReplicaSchema(Object.entries(fields).map(([name, field]) => ({ name, field })))
  }

  /** Undefined for a shape that this version cannot read. */
  static from(shape: unknown): ReplicaSchema | undefined {
    if (!Array.isArray(shape) || shape.length === 0 || shape.length > fieldsMax) return undefined
    const fields: NamedField[] = []
    for (const entry of shape) {
      if (!Array.isArray(entry)) return undefined
      const described: readonly unknown[] = entry
      const [name, kind] = described
      const field = readField(kind)
      if (typeof name !== "string" || field === undefined) return undefined
      fields.push({ name, field })
    }
    return new ReplicaSchema(fields)
  }

  get shape(): SchemaShape {
    return this.fields.map(({ name, field }) => [name, field.shape])
  }

  placeOf(name: string): number {
    return this.fields.findIndex((field) => field.name === name)
  }

  writeRecord(writer: BitWriter, record: PackedRecord): void {
    for (const [place, { field }] of this.fields.entries()) field.write(writer, record[place])
  }

  readRecord(reader: BitReader): PackedRecord {
    return this.fields.map(({ field }) => field.read(reader))
  }

  writeMask(writer: BitWriter, mask: number): void {
    writer.bits(mask, this.fields.length)
  }

  readMask(reader: BitReader): number {
    return reader.bits(this.fields.length)
  }

  // oxlint-disable-next-line eslint/max-params -- the hot path allocates no options object
  writeChanges(writer: BitWriter, mask: number, record: PackedRecord, was: RecordState): void {
    for (let place = 0; place < this.fields.length; place += 1) {
      if ((mask & (1 << place)) === 0) continue
      const step = stepOf(was.record[place], was.before[place])
      this.fields[place]?.field.writeChange(writer, record[place], was.record[place], step)
    }
  }

  readChanges(reader: BitReader, mask: number, { record, before }: RecordState): PackedRecord {
    return this.fields.map(({ field }, place) =>
      (mask & (1 << place)) === 0
        ? record[place]
        : field.readChange(reader, record[place], stepOf(record[place], before[place])),
    )
  }

  /** How a record moves, for who has not seen it move. */
  writeSteps(writer: BitWriter, { record, before }: RecordState): void {
    const steps = this.fields.flatMap(({ field }, place) =>
      field.hasSteps === true ? stepOf(record[place], before[place]) : [],
    )
    const moves = steps.some((step) => step !== 0)
    writer.flag(moves)
    if (moves) for (const step of steps) writer.smallSigned(step, changeOrder)
  }

  /** What the record was before its last change, as far as it matters. */
  readSteps(reader: BitReader, record: PackedRecord): PackedRecord {
    if (!reader.flag()) return record
    return this.fields.map(({ field }, place) => {
      const packed = record[place]
      if (field.hasSteps !== true || typeof packed !== "number") return packed
      return packed - reader.smallSigned(changeOrder)
    })
  }
}

/** What a peer says of a field may be out of range, too. */
function readField(shape: unknown): Field | undefined {
  try {
    return fieldOf(shape)
  } catch {
    return undefined
  }
}
