// Describes the fields of a replica's records, and reads packed records: complete, or as changed fields relative to the previous
// state. `write-record.ts` writes them. The server uses the schema of its contract, the client the schema that the server sent.
// Must not know cells, viewers or connections.
import { assertOptionNames, assertOptions } from "../base/check-options.ts"
import type { OptionTable } from "../base/check-options.ts"
import { quoted } from "../base/quoted.ts"
import type { BitReader } from "../base/bits.ts"
import { changeOrder, fieldOf, stepOf } from "./replica-field.ts"
import type { Field, FieldShape, Packed } from "./replica-field.ts"

/** Fields of a record by name. */
export type Fields = Readonly<Record<string, Field>>

/** Partition of a replica into square cells by two coordinates, and the area of interest of a viewer. */
export interface ReplicaArea<Name extends string = string> {
  /** Name of the field with the x coordinate: an integer or a real. */
  readonly x: Name
  /** Name of the field with the y coordinate: an integer or a real. */
  readonly y: Name
  /** Edge of a cell, in the unit of the two fields; above 0. */
  readonly cellSize: number
  /** Area of interest: number of cells around the viewer's cell in each direction, 0 to 8. Default 1: nine cells. */
  readonly range?: number
}

/** A kind of replicated records. Created by `defineReplica`. */
export interface ReplicaSpec<F extends Fields = Fields> {
  /** Fields by name, 1 to 30. */
  readonly fields: F
  /** Partition into cells. Default: none, and every viewer receives all records (a scoreboard). */
  readonly area?: ReplicaArea
  /**
   * True: the records outlive the server process, if the server has a journal: each change is kept in the turn in which it
   * happens. Default false: they end with their process.
   */
  readonly durable?: boolean
  /**
   * `"owner"`: a client receives only the records that the server opens for its session, by `view(session, { only: id })`. No
   * byte of another record, or of its existence, reaches it. Excludes `area`. Default: viewers see all records in their view.
   */
  readonly visibleTo?: "owner"
}

type FieldValue<F> = F extends Field<infer T> ? T : never

/** Record of a replica, inferred from its spec. */
export type RecordOf<S extends ReplicaSpec> = {
  readonly [K in keyof S["fields"]]: FieldValue<S["fields"][K]>
}

/** Maximum number of fields: a mask of changed fields must fit into a 32-bit integer. */
const fieldsMax = 30

const replicaOptions: OptionTable<ReplicaSpec> = {
  fields: "object",
  area: "object",
  durable: "boolean",
  visibleTo: "any",
}
const areaOptions: OptionTable<ReplicaArea> = { x: "any", y: "any", cellSize: "any", range: "any" }

/**
 * Declares a replica for `defineContract`.
 * @throws RangeError for no fields or more than 30, a cell size that is not above 0, a range that is not an integer from 0 to
 * 8. TypeError for an unknown option, for a `visibleTo` that is not "owner" or has an area beside it, for a field that no function
 * of this package declared, and for an area whose coordinates are not number fields of the replica.
 */
export function defineReplica<F extends Fields>(spec: {
  /** Fields by name, 1 to 30. */
  readonly fields: F
  /** Partition into cells. Default: none, and every viewer receives all records. */
  readonly area?: ReplicaArea<keyof F & string>
  /** True: the records outlive the server process, if the server has a journal. Default false. */
  readonly durable?: boolean
  /** `"owner"`: clients receive only the records that the server opens for their session, by their ids. */
  readonly visibleTo?: "owner"
}): ReplicaSpec<F> {
  assertOptions("defineReplica", spec, replicaOptions)
  if (spec.area !== undefined) assertOptionNames("area of defineReplica", spec.area, areaOptions)
  const names = Object.keys(spec.fields)
  if (names.length === 0 || names.length > fieldsMax)
    throw new RangeError(`a replica must have 1 to ${fieldsMax} fields, not ${names.length}`)
  for (const [name, field] of Object.entries<unknown>(spec.fields)) assertField(name, field)
  const { area } = spec
  const visibleTo: unknown = spec.visibleTo
  if (visibleTo !== undefined && (visibleTo !== "owner" || area !== undefined))
    throw new TypeError(
      `visibleTo of a replica must be "owner", without an area; not ${quoted(visibleTo)}${area === undefined ? "" : " with an area"}`,
    )
  if (area === undefined) return spec
  if (!(area.cellSize > 0) || !Number.isFinite(area.cellSize))
    throw new RangeError(`area.cellSize of a replica must be above 0, not ${area.cellSize}`)
  const { range = 1 } = area
  if (!Number.isInteger(range) || range < 0 || range > 8)
    throw new RangeError(`area.range of a replica must be an integer from 0 to 8, not ${range}`)
  for (const name of [area.x, area.y]) {
    const kind = spec.fields[name]?.shape[0]
    if (kind !== "integer" && kind !== "real")
      throw new TypeError(`coordinate "${name}" of a replica's area must be an integer or a real field`)
  }
  return spec
}

/** @throws TypeError for a field of untyped code, such as a schema of Zod. */
function assertField(name: string, field: unknown): void {
  if (typeof field === "object" && field !== null && "shape" in field && "pack" in field) return
  throw new TypeError(
    `the field "${name}" of a replica must be the result of integer, real, flag, oneOf, text or optional, not ${quoted(field)}`,
  )
}

/** Wire form of a schema: name and shape of each field, in the order of the packed bytes. */
export type SchemaShape = readonly (readonly [name: string, shape: FieldShape])[]

/** A field with its name. */
export interface NamedField {
  readonly name: string
  readonly field: Field
}

/** Packed values of a record, by the index of their field. */
export type PackedRecord = Packed[]

/** A record and its state before the last change. Both are equal if it has not changed since it entered its cell. */
export interface RecordState {
  /** Current values. */
  readonly record: PackedRecord
  /** Values before the last change. */
  readonly before: PackedRecord
}

/** Ordered fields of a replica. Reads packed records, and throws RangeError for bytes of another form. */
export class ReplicaSchema {
  /** Fields in the order of the packed bytes. */
  readonly fields: readonly NamedField[]

  constructor(fields: readonly NamedField[]) {
    this.fields = fields
  }

  /** Returns the schema of a contract's fields. */
  static of(fields: Fields): ReplicaSchema {
    return new ReplicaSchema(Object.entries(fields).map(([name, field]) => ({ name, field })))
  }

  /** Returns the schema of a peer's shape; undefined for a shape that this version cannot read. */
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

  /** Wire form of the schema. */
  get shape(): SchemaShape {
    return this.fields.map(({ name, field }) => [name, field.shape])
  }

  /** Returns the index of a field; -1 for an unknown name. */
  placeOf(name: string): number {
    return this.fields.findIndex((field) => field.name === name)
  }

  /** Reads all fields of a record. */
  readRecord(reader: BitReader): PackedRecord {
    return this.fields.map(({ field }) => field.read(reader))
  }

  /** Reads a mask of fields. */
  readMask(reader: BitReader): number {
    return reader.bits(this.fields.length)
  }

  /** Reads the fields in `mask`; the others keep their values. */
  readChanges(reader: BitReader, mask: number, { record, before }: RecordState): PackedRecord {
    return this.fields.map(({ field }, place) =>
      (mask & (1 << place)) === 0
        ? record[place]
        : field.readChange(reader, record[place], stepOf(record[place], before[place])),
    )
  }

  /** Reads the last steps of a record. Returns its state before the last change; only fields with steps can differ. */
  readSteps(reader: BitReader, record: PackedRecord): PackedRecord {
    if (!reader.flag()) return record
    return this.fields.map(({ field }, place) => {
      const packed = record[place]
      if (field.hasSteps !== true || typeof packed !== "number") return packed
      return packed - reader.smallSigned(changeOrder)
    })
  }
}

/** Returns undefined for an unknown kind of field, and for options that are out of range. */
function readField(shape: unknown): Field | undefined {
  try {
    return fieldOf(shape)
  } catch {
    return undefined
  }
}
