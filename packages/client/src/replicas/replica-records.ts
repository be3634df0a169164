// The records of one replica at the client, by id, and the cells that hold them. They stay readable without a connection.
// Throws RangeError for a delta or a kept cell that it lacks. Must not know connections or clocks.
import { HawserError } from "@hawser/protocol"
import type {
  CellChange,
  CellPlace,
  CellSnapshot,
  PackedRecord,
  PartTarget,
  RecordState,
  ReplicaHold,
  ReplicaSchema,
} from "@hawser/protocol/core"
import type { ReplicaEvent, Values } from "./replica-api.ts"

interface Place extends RecordState {
  readonly id: string
}

interface CopiedCell extends CellPlace {
  version: number
  /** Records by the server's slot numbers. */
  readonly places: Map<number, Place>
}

interface Home {
  readonly cell: CopiedCell
  readonly slot: number
  readonly packed: PackedRecord
}

interface CopiedRecord {
  values: Values
  packed: PackedRecord
  /**
   * Cells that hold the record, the latest one last. It may be in two cells while a frame is read, because the part in which
   * it leaves one of them may follow. It is in one cell at the end of the frame.
   */
  homes: readonly Home[]
}

export interface ReplicaRecordsOptions {
  readonly name: string
  /** Epoch from REPLICA; undefined if the server sent none. */
  readonly epoch: string | undefined
  readonly schema: ReplicaSchema
  /** Fields of the client's contract. Other fields of the server are dropped. */
  readonly names: ReadonlySet<string>
}

export class ReplicaRecords implements PartTarget {
  readonly schema: ReplicaSchema
  readonly #options: ReplicaRecordsOptions
  readonly #records = new Map<string, CopiedRecord>()
  /** Cells by the server's numbers on this connection. */
  #cells = new Map<number, CopiedCell>()
  /** Cells of earlier connections in the current epoch, until a fresh frame keeps or drops them. */
  #earlier: CopiedCell[] = []
  /** Cells of earlier epochs. Their records stay readable until the next fresh frame; their versions mean nothing. */
  #outdated: CopiedCell[] = []
  #epoch: string | undefined
  /** Values of changed records before the current frame; undefined: the record is new. */
  readonly #touched = new Map<string, Values | undefined>()

  constructor(options: ReplicaRecordsOptions) {
    this.#options = options
    this.schema = options.schema
    this.#epoch = options.epoch
  }

  get size(): number {
    return this.#records.size
  }

  get(id: string): Values | undefined {
    return this.#records.get(id)?.values
  }

  ids(): IterableIterator<string> {
    return this.#records.keys()
  }

  *entries(): IterableIterator<[string, Values]> {
    for (const [id, { values }] of this.#records) yield [id, values]
  }

  /** Returns the cells of the current epoch and their versions, for HAVE (F10). */
  held(): ReplicaHold {
    const cells = [...this.#cells.values(), ...this.#earlier]
    return {
      replica: this.#options.name,
      ...(this.#epoch === undefined ? {} : { epoch: this.#epoch }),
      cells: cells.map(({ x, y, version }) => ({ x, y, version })),
    }
  }

  /** Begins another epoch (W18): HAVE names none of the present cells any more. The same epoch has no effect. */
  enterEpoch(epoch: string | undefined): void {
    if (epoch === this.#epoch) return
    this.detach()
    this.#outdated.push(...this.#earlier)
    this.#earlier = []
    this.#epoch = epoch
  }

  /**
   * Keeps all cells without numbers: the connection was lost, or a fresh frame begins. Cells that the frame does not keep are
   * removed at its end.
   */
  detach(): void {
    this.#earlier.push(...this.#cells.values())
    this.#cells = new Map()
  }

  /** Drops every record. Returns a leave event for each. */
  clear(): ReplicaEvent[] {
    this.detach()
    return this.settle(true)
  }

  /** Ends a frame. Returns its events, each record once. */
  settle(isFresh: boolean): ReplicaEvent[] {
    if (isFresh) {
      for (const cell of [...this.#outdated, ...this.#earlier]) this.#clear(cell)
      this.#outdated = []
      this.#earlier = []
    }
    const events: ReplicaEvent[] = []
    for (const [id, before] of this.#touched) {
      const record = this.#records.get(id)
      const now = record?.values
      if (before === undefined) {
        if (now !== undefined) events.push({ kind: "enter", id, record: now })
      } else if (now === undefined) {
        events.push({ kind: "leave", id, record: before })
      } else if (!areEqual(before, now)) {
        events.push({ kind: "change", id, record: now, before })
      } else if (record !== undefined) {
        // A record that has not changed keeps its object.
        record.values = before
      }
    }
    this.#touched.clear()
    return events
  }

  // --- parts of a frame -----------------------------------------------------------------------------------------

  recordAt(cell: number, slot: number): RecordState | undefined {
    return this.#cells.get(cell)?.places.get(slot)
  }

  slotsOf(cell: number): readonly number[] {
    return [...(this.#cells.get(cell)?.places.keys() ?? [])].toSorted((a, b) => a - b)
  }

  snapshot(number: number, { x, y, version, isFirst, records }: CellSnapshot): void {
    const known = this.#cells.get(number)
    if (isFirst && known !== undefined) this.#clear(known)
    const cell: CopiedCell = (isFirst ? undefined : known) ?? { x, y, version, places: new Map() }
    cell.version = version
    this.#cells.set(number, cell)
    for (const { slot, id, record, before } of records) this.#enter(cell, slot, { id, record, before })
  }

  delta(number: number, changes: readonly CellChange[]): void {
    const cell = this.#cells.get(number)
    if (cell === undefined) throw new RangeError(`delta for unknown cell ${number}`)
    cell.version += 1
    for (const change of changes) {
      const { slot } = change
      if (change.kind === "leave") {
        this.#leave(cell, slot)
      } else if (change.kind === "enter") {
        const { id, record } = change
        this.#enter(cell, slot, { id, record, before: record })
      } else {
        const id = cell.places.get(slot)?.id
        const { record, was } = change
        if (id !== undefined) this.#enter(cell, slot, { id, record, before: was.record })
      }
    }
  }

  keep(number: number, { x, y }: CellPlace): void {
    const at = this.#earlier.findIndex((cell) => cell.x === x && cell.y === y)
    const [cell] = at < 0 ? [] : this.#earlier.splice(at, 1)
    if (cell === undefined) throw new RangeError(`keep for unknown cell ${x},${y}`)
    this.#cells.set(number, cell)
  }

  drop(number: number): void {
    const cell = this.#cells.get(number)
    if (cell === undefined) return
    this.#cells.delete(number)
    this.#clear(cell)
  }

  // --- records --------------------------------------------------------------------------------------------------

  #enter(cell: CopiedCell, slot: number, place: Place): void {
    const { id, record: packed } = place
    cell.places.set(slot, place)
    const known = this.#records.get(id)
    this.#touch(id, known)
    const home: Home = { cell, slot, packed }
    if (known === undefined) {
      this.#records.set(id, { values: this.#valuesOf(packed), packed, homes: [home] })
      return
    }
    known.homes = [...known.homes.filter((other) => other.cell !== cell || other.slot !== slot), home]
    this.#show(known, packed)
  }

  #leave(cell: CopiedCell, slot: number): void {
    const id = cell.places.get(slot)?.id
    if (id === undefined) return
    cell.places.delete(slot)
    const known = this.#records.get(id)
    if (known === undefined) return
    this.#touch(id, known)
    known.homes = known.homes.filter((other) => other.cell !== cell || other.slot !== slot)
    const last = known.homes.at(-1)
    if (last === undefined) this.#records.delete(id)
    else this.#show(known, last.packed)
  }

  #show(known: CopiedRecord, packed: PackedRecord): void {
    known.values = this.#valuesOf(packed, known)
    known.packed = packed
  }

  #clear(cell: CopiedCell): void {
    for (const slot of [...cell.places.keys()]) this.#leave(cell, slot)
  }

  #touch(id: string, known: CopiedRecord | undefined): void {
    if (!this.#touched.has(id)) this.#touched.set(id, known?.values)
  }

  #valuesOf(packed: PackedRecord, before?: CopiedRecord): Values {
    const values: Record<string, unknown> = {}
    for (const [place, { name, field }] of this.schema.fields.entries()) {
      if (!this.#options.names.has(name)) continue
      values[name] =
        before?.packed[place] === packed[place] ? before?.values[name] : field.unpack(packed[place])
    }
    return values
  }
}

function areEqual(one: Values, other: Values): boolean {
  return Object.entries(one).every(([name, value]) => Object.is(value, other[name]))
}

/** @throws HawserError `unsupported_version` if a field of the client's contract is missing at the server or has another kind. */
export function assertCompatible(name: string, expected: ReplicaSchema, schema: ReplicaSchema): void {
  for (const { name: field, field: own } of expected.fields) {
    const theirs = schema.fields.find((other) => other.name === field)
    if (theirs !== undefined && kindOf(theirs.field.shape) === kindOf(own.shape)) continue
    const message = `the replica "${name}" of the server has ${theirs === undefined ? "no field" : "another kind of field"} "${field}"`
    throw new HawserError("unsupported_version", { message })
  }
}

/** Returns the kind of a field. Ranges and choices may differ between client and server; kinds may not. */
function kindOf(shape: readonly unknown[]): string {
  const [kind, inner] = shape
  if (kind === "optional" && Array.isArray(inner)) return `optional ${kindOf(inner)}`
  return kind === "integer" || kind === "real" ? "number" : String(kind)
}
