// The server's side of one cell for the samples of CELLS: packs snapshots and deltas of records by their values. The real
// encoders pack them. Places and steps follow docs/protocol.md.
import { BitWriter, encodeDelta, encodePlace, encodeSnapshot, partKind } from "@hawser/protocol/core"
import type { CellChange, PackedRecord, RecordState, ReplicaSchema } from "@hawser/protocol/core"

type Values = Readonly<Record<string, unknown>>

/** A change of one place: values of some fields, a record that enters, or one that leaves. */
export type Change =
  | { readonly place: number; readonly set: Values }
  | { readonly place: number; readonly id: string; readonly record: Values }
  | { readonly place: number; readonly leave: true }

/** A part of CELLS: the number of the cell, its kind, and its body. */
export interface Part {
  readonly cell: number
  readonly kind: keyof typeof partKind
  readonly body: Uint8Array
}

const noBody = new Uint8Array(0)

export class CellBook {
  readonly #schema: ReplicaSchema
  readonly #writer = new BitWriter()
  readonly #x: number
  readonly #y: number
  #version: number
  readonly #places = new Map<number, RecordState & { readonly id: string }>()

  constructor(schema: ReplicaSchema, { x, y, version }: { x: number; y: number; version: number }) {
    this.#schema = schema
    this.#x = x
    this.#y = y
    this.#version = version
  }

  /** Puts a record at a place without a delta. `before` are the values that differed before its last change. */
  put(place: number, id: string, { before = {}, ...record }: Values & { readonly before?: Values }): this {
    const packed = this.#pack(record)
    this.#places.set(place, { id, record: packed, before: this.#pack({ ...record, ...before }) })
    return this
  }

  /** Returns a snapshot of the places from `from` on, as one piece. */
  snapshot(cell: number, from = 0): Part {
    const records = [...this.#places]
      .filter(([slot]) => slot >= from)
      .toSorted(([a], [b]) => a - b)
      .map(([slot, entry]) => ({ slot, ...entry }))
    const [x, y, version] = [this.#x, this.#y, this.#version]
    const piece = { x, y, version, isFirst: from === 0, records }
    return { cell, kind: "snapshot", body: encodeSnapshot(this.#writer, this.#schema, piece) }
  }

  /** Applies changes, by ascending place, and returns their delta. */
  delta(cell: number, ...changes: readonly Change[]): Part {
    this.#version += 1
    const packed = changes.map((change) => this.#apply(change))
    const body = encodeDelta(this.#writer, this.#schema, { changes: packed, size: this.#places.size })
    return { cell, kind: "delta", body }
  }

  keep(cell: number): Part {
    return { cell, kind: "keep", body: encodePlace(this.#writer, { x: this.#x, y: this.#y }) }
  }

  drop(cell: number): Part {
    return { cell, kind: "drop", body: noBody }
  }

  #apply(change: Change): CellChange {
    const { place: slot } = change
    if ("leave" in change) {
      this.#places.delete(slot)
      return { kind: "leave", slot }
    }
    if ("id" in change) {
      const record = this.#pack(change.record)
      this.#places.set(slot, { id: change.id, record, before: record })
      return { kind: "enter", slot, id: change.id, record }
    }
    const was = this.#places.get(slot)
    if (was === undefined) throw new RangeError(`no record at the place ${slot}`)
    const record = this.#schema.fields.map(({ name, field }, place) =>
      name in change.set ? field.pack(change.set[name]) : was.record[place],
    )
    const mask = record.reduce<number>(
      (bits, value, place) => (value === was.record[place] ? bits : bits | (1 << place)),
      0,
    )
    this.#places.set(slot, { id: was.id, record, before: was.record })
    return { kind: "change", slot, mask, record, was }
  }

  #pack(values: Values): PackedRecord {
    return this.#schema.fields.map(({ name, field }) => field.pack(values[name]))
  }
}

/** Returns the bytes of CELLS. The numbers are below 32, so that each head of a part is one byte. */
export function cellsFrame(number: number, isFresh: boolean, parts: readonly Part[]): Uint8Array {
  return Uint8Array.from([
    ...[0x82, 2 * number + (isFresh ? 1 : 0)],
    ...parts.flatMap(({ cell, kind, body }) => [cell * 4 + partKind[kind], ...body]),
  ])
}
