// A copy of one replica by docs/protocol.md: applies CELLS, and describes their parts and the records after them as JSON.
import { readReplicaFrame } from "@hawser/protocol/core"
import type {
  CellChange,
  CellPlace,
  CellSnapshot,
  PartTarget,
  PackedRecord,
  RecordState,
  ReplicaSchema,
} from "@hawser/protocol/core"
import { jsonOf } from "./described.ts"
import type { Json } from "./described.ts"

interface Cell extends CellPlace {
  version: number
  readonly places: Map<number, RecordState & { readonly id: string }>
}

export class ReplicaCopy implements PartTarget {
  readonly schema: ReplicaSchema
  #cells = new Map<number, Cell>()
  /** Cells of the previous connection. */
  #earlier: Cell[] = []
  #parts: Json[] = []

  constructor(schema: ReplicaSchema) {
    this.schema = schema
  }

  /** Applies CELLS. Returns its head and its parts. */
  apply(bytes: Uint8Array): { readonly [name: string]: Json } {
    let head: { readonly [name: string]: Json } = {}
    this.#parts = []
    readReplicaFrame(bytes, ({ replica, isFresh }) => {
      head = { frame: "CELLS", number: replica, fresh: isFresh }
      if (isFresh) {
        this.#earlier = [...this.#cells.values(), ...this.#earlier]
        this.#cells = new Map()
      }
      return this
    })
    if (head["fresh"] === true) this.#earlier = []
    return { ...head, parts: this.#parts }
  }

  /** Held cells by x and y, with their versions and their records by id. */
  get cells(): Json {
    const cells = [...this.#cells.values()].toSorted((a, b) => a.y - b.y || a.x - b.x)
    return cells.map(({ x, y, version, places }) => ({
      ...{ x, y, version },
      records: Object.fromEntries(
        [...places].toSorted(([a], [b]) => a - b).map(([, { id, record }]) => [id, this.#fields(record)]),
      ),
    }))
  }

  recordAt(cell: number, slot: number): RecordState | undefined {
    return this.#cells.get(cell)?.places.get(slot)
  }

  slotsOf(cell: number): readonly number[] {
    return [...(this.#cells.get(cell)?.places.keys() ?? [])].toSorted((a, b) => a - b)
  }

  snapshot(number: number, { x, y, version, isFirst, records }: CellSnapshot): void {
    const known = isFirst ? undefined : this.#cells.get(number)
    const cell = known ?? { x, y, version, places: new Map() }
    cell.version = version
    for (const { slot, id, record, before } of records) cell.places.set(slot, { id, record, before })
    this.#cells.set(number, cell)
    const entries = records.map(({ slot, id, record, before }) => ({
      ...{ place: slot, id, fields: this.#fields(record) },
      steps: this.#steps(record, before),
    }))
    this.#parts.push({ cell: number, kind: "snapshot", x, y, version, first: isFirst, entries })
  }

  delta(number: number, changes: readonly CellChange[]): void {
    const cell = this.#cells.get(number)
    if (cell === undefined) throw new RangeError(`a delta of cell ${number}, which is unknown`)
    cell.version += 1
    for (const change of changes) {
      const { slot } = change
      if (change.kind === "leave") cell.places.delete(slot)
      else if (change.kind === "enter")
        cell.places.set(slot, { id: change.id, record: change.record, before: change.record })
      else {
        const id = cell.places.get(slot)?.id ?? ""
        cell.places.set(slot, { id, record: change.record, before: change.was.record })
      }
    }
    this.#parts.push({ cell: number, kind: "delta", changes: changes.map((change) => this.#change(change)) })
  }

  keep(number: number, { x, y }: CellPlace): void {
    const cell = this.#earlier.find((one) => one.x === x && one.y === y)
    if (cell === undefined) throw new RangeError(`a keep of the cell ${x},${y}, which is not held`)
    this.#cells.set(number, cell)
    this.#parts.push({ cell: number, kind: "keep", x, y })
  }

  drop(number: number): void {
    this.#cells.delete(number)
    this.#parts.push({ cell: number, kind: "drop" })
  }

  #change(change: CellChange): Json {
    const { kind, slot: place } = change
    if (kind === "leave") return { place, kind }
    if (kind === "enter") return { place, kind, id: change.id, fields: this.#fields(change.record) }
    return { place, kind, fields: this.#fields(change.record, change.mask) }
  }

  /** Values of the fields in `mask`, one bit for each; by default of all fields. */
  #fields(
    record: PackedRecord,
    mask = 2 ** this.schema.fields.length - 1,
  ): { readonly [name: string]: Json } {
    return Object.fromEntries(
      this.schema.fields.flatMap(({ name, field }, place) =>
        (mask & (1 << place)) === 0 ? [] : [[name, jsonOf(field.unpack(record[place]))]],
      ),
    )
  }

  /** Steps of the numbers with a range, in units of the packed value; nil if the entry carries none. */
  #steps(record: PackedRecord, before: PackedRecord): Json {
    const steps = this.schema.fields.flatMap(({ name, field }, place) =>
      field.hasSteps === true ? [[name, Number(record[place]) - Number(before[place])] as const] : [],
    )
    return steps.some(([, step]) => step !== 0) ? Object.fromEntries(steps) : null
  }
}
