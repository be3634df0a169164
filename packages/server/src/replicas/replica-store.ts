// Records of one replica, and their cells. `commit` closes a tick and packs the changed cells that have viewers.
// Must not know sessions.
import { createHmac, randomBytes, randomInt } from "node:crypto"
import { ReplicaSchema, cellOf, isWellFormed, outbound, quoted } from "@hawser/protocol/core"
import type { Fields, ReplicaSpec } from "@hawser/protocol"
import type { Atomic } from "../base/atomic.ts"
import type { BitWriter, CellPlace, Codec, OutboundMessage, PackedRecord } from "@hawser/protocol/core"
import { ReplicaCell, changedMask } from "./replica-cell.ts"
import type { Entry, Values } from "./replica-cell.ts"
import { RecordBounds } from "./record-bounds.ts"
import type { RecordLimits } from "./record-bounds.ts"
import type { HeldDeltasLimits } from "./held-deltas.ts"
import type { ReplicaLedger, ReplicaPage } from "./replica-ledger.ts"

export interface ReplicaStoreOptions {
  readonly name: string
  /** Topic that the replica belongs to; undefined for a replica of the server. */
  readonly topic: string | undefined
  readonly number: number
  /** One for all stores of a server. */
  readonly writer: BitWriter
  readonly spec: ReplicaSpec
  readonly limits: HeldDeltasLimits & RecordLimits
  readonly codec: Codec
  readonly atomic: Atomic
  /** Keeps the records of a durable replica; undefined without one. */
  readonly ledger: ReplicaLedger | undefined
}

interface Area {
  /** Indexes of the two fields that contain a record's position. */
  readonly x: number
  readonly y: number
  readonly cellSize: number
  readonly range: number
}

/** Random bytes of an epoch; eight characters of base64url on the wire. */
const epochBytes = 6
/** Bytes of the secret that places the cells of a replica with owners, and bytes of each coordinate. */
const secretBytes = 16
const coordinateBytes = 6
/** Exclusive upper bound of the first version of such a cell. */
const firstVersionMax = 2 ** 40

export class ReplicaStore {
  readonly name: string
  readonly topic: string | undefined
  /** Number of the replica on every connection. */
  readonly number: number
  /** REPLICA frame, which describes the fields: the same bytes for all sessions. */
  readonly description: OutboundMessage
  /** Random text, new for each store (W18). Versions of cells are comparable within one epoch only. */
  readonly epoch = randomBytes(epochBytes).toString("base64url")
  readonly schema: ReplicaSchema
  readonly area: Area | undefined
  readonly writer: BitWriter
  readonly #limits: HeldDeltasLimits
  readonly #atomic: Atomic
  readonly #entries = new Map<string, Entry>()
  /** Cells with records or viewers, by position. */
  readonly #cells = new Map<string, ReplicaCell>()
  readonly #dirty = new Set<ReplicaCell>()
  /** Highest version of all cells so far. A new cell begins above it, so that its versions differ from those of a removed cell. */
  #highestVersion = 0
  /** Bounds and page of a durable replica. */
  readonly #bounds: RecordBounds | undefined
  readonly #page: ReplicaPage | undefined
  /**
   * Key of the cells' places if each record has a cell of its own (`visibleTo: "owner"`). A place reveals neither ids nor their
   * number.
   */
  readonly #secret: Buffer | undefined

  /** @throws TypeError for fields that cannot be encoded. */
  constructor({ name, topic, number, writer, spec, limits, codec, atomic, ledger }: ReplicaStoreOptions) {
    this.name = name
    this.topic = topic
    this.number = number
    this.writer = writer
    this.#limits = limits
    this.#atomic = atomic
    this.schema = ReplicaSchema.of(spec.fields)
    this.area = areaOf(this.schema, spec)
    this.#secret = spec.visibleTo === "owner" ? randomBytes(secretBytes) : undefined
    const { epoch, schema } = this
    const described = { replica: number, name, schema: schema.shape, epoch }
    this.description = outbound(
      codec.encode({ kind: "replica", ...described, ...(topic === undefined ? {} : { topic }) }),
    )
    if (spec.durable !== true) return
    this.#bounds = new RecordBounds({ name, limits })
    this.#page = ledger?.follow(this)
  }

  /** True if each record has a cell of its own, which only views of this record contain. */
  get hasOwners(): boolean {
    return this.#secret !== undefined
  }

  get size(): number {
    return this.#entries.size
  }

  get cellCount(): number {
    return this.#cells.size
  }

  get isDirty(): boolean {
    return this.#dirty.size > 0
  }

  ids(): IterableIterator<string> {
    return this.#entries.keys()
  }

  has(id: string): boolean {
    return this.#entries.has(id)
  }

  get(id: string): Values | undefined {
    const entry = this.#entries.get(id)
    return entry && this.#valuesOf(entry)
  }

  *values(): IterableIterator<Values> {
    for (const entry of this.#entries.values()) yield this.#valuesOf(entry)
  }

  *entries(): IterableIterator<[string, Values]> {
    for (const [id, entry] of this.#entries) yield [id, this.#valuesOf(entry)]
  }

  /** Iterates the records as they are stored. */
  stored(): IterableIterator<Entry> {
    return this.#entries.values()
  }

  /** Returns true if the record has not been removed. */
  holds(entry: Entry): boolean {
    return this.#entries.get(entry.id) === entry
  }

  #valuesOf(entry: Entry): Values {
    return (entry.values ??= Object.freeze(this.valuesOf(entry.packed)))
  }

  valuesOf(packed: PackedRecord): Values {
    return Object.fromEntries(
      this.schema.fields.map(({ name, field }, place) => [name, field.unpack(packed[place])]),
    )
  }

  /** @throws TypeError for an id that is not a string (from untyped code): it cannot be packed. */
  assertId(id: unknown): void {
    if (typeof id !== "string")
      throw new TypeError(`the id ${quoted(id)} in the replica "${this.name}" is not a string`)
  }

  /** @throws RangeError or TypeError that names the field or the id, before any change. */
  set(id: string, values: Values): void {
    this.assertId(id)
    if (!this.#entries.has(id) && !isWellFormed(id))
      throw new RangeError(
        `the id ${quoted(id)} in the replica "${this.name}" contains half a surrogate pair`,
      )
    this.#put(id, this.pack(id, values))
  }

  /** Returns packed values. @throws RangeError that names the field and the id. */
  pack(id: string, values: Values): PackedRecord {
    return this.schema.fields.map(({ name }) => this.#pack(id, name, values[name]))
  }

  /** Adds a record of an earlier process, which the ledger has under this number. */
  restore(number: number, id: string, packed: PackedRecord): void {
    this.#bounds?.add(id, packed)
    this.#add(id, packed).number = number
  }

  /** @throws as `set`, and RangeError for an unknown id. */
  patch(id: string, values: Values): void {
    this.assertId(id)
    const entry = this.#entries.get(id)
    if (entry === undefined) throw new RangeError(`the replica "${this.name}" has no record "${id}"`)
    const packed = [...entry.packed]
    for (const [name, value] of Object.entries(values)) {
      const place = this.schema.placeOf(name)
      if (place < 0) throw new RangeError(`the replica "${this.name}" has no field "${name}"`)
      packed[place] = this.#pack(id, name, value)
    }
    this.#put(id, packed)
  }

  /** Removes a record. Returns false if there was none. @throws TypeError for an id that is not a string. */
  remove(id: string): boolean {
    this.assertId(id)
    const entry = this.#entries.get(id)
    if (entry === undefined) return false
    if (this.#atomic.isOpen) this.#noteUndo(entry)
    this.#entries.delete(id)
    this.#leave(entry)
    this.#bounds?.remove(id, entry.packed)
    this.#page?.changed(entry, entry.packed)
    return true
  }

  /** Returns the cell of a record; undefined for an unknown id. */
  placeOf(id: string): CellPlace | undefined {
    return this.#entries.get(id)?.cell
  }

  /** Returns the cell at this position; creates it if there is none. `release` removes a cell without records. */
  cellAt({ x, y }: CellPlace): ReplicaCell {
    const key = `${x},${y}`
    const known = this.#cells.get(key)
    if (known !== undefined) return known
    const cell = new ReplicaCell(this.schema, { x, y }, this.#nextVersion(), this.#limits)
    this.#cells.set(key, cell)
    return cell
  }

  /** Returns the place of the record's own cell, also while there is no such record. */
  ownPlace(id: string): CellPlace | undefined {
    if (this.#secret === undefined) return undefined
    const digest = createHmac("sha256", this.#secret).update(id, "utf16le").digest()
    const x = digest.readUIntBE(0, coordinateBytes)
    return { x, y: digest.readUIntBE(coordinateBytes, coordinateBytes) }
  }

  /** First version of a new cell. With owners it is random, because a count would reveal changes of other records. */
  #nextVersion(): number {
    if (this.hasOwners) return randomInt(firstVersionMax)
    this.#highestVersion += 1
    return this.#highestVersion
  }

  /** Called when a cell has lost its last viewer. Removes the cell if it has no records and no changes. */
  release(cell: ReplicaCell): void {
    cell.dropPacked()
    // The removal of its records may be undone. The next commit releases it.
    if (this.#atomic.isOpen) {
      this.#dirty.add(cell)
      return
    }
    const key = `${cell.x},${cell.y}`
    // A cell that was removed before the commit of its changes may have a successor at its position.
    if (cell.size === 0 && !cell.isDirty && this.#cells.get(key) === cell) this.#cells.delete(key)
  }

  /** Memory of the deltas that all cells hold, in bytes. */
  get heldBytes(): number {
    let bytes = 0
    for (const cell of this.#cells.values()) bytes += cell.heldBytes
    return bytes
  }

  /** Drops expired deltas. Returns true if some are left. */
  expireDeltas(nowMs: number): boolean {
    let isLeft = false
    for (const cell of this.#cells.values()) isLeft = cell.expireDeltas(nowMs) || isLeft
    return isLeft
  }

  /** Called at the end of the replica. */
  end(): void {
    this.#page?.ended()
  }

  /** Closes the tick. Returns the number of changed cells with viewers. Reports errors that a field throws while it is packed. */
  commit(nowMs: number, onError: (error: unknown) => void): number {
    let changedCount = 0
    for (const cell of this.#dirty) {
      const isViewed = cell.viewers > 0
      let hasChanged = false
      try {
        hasChanged = cell.commit(this.writer, nowMs)
      } catch (error) {
        onError(error)
      }
      this.#highestVersion = Math.max(this.#highestVersion, cell.version)
      if (!isViewed) this.release(cell)
      else if (hasChanged) changedCount += 1
    }
    this.#dirty.clear()
    return changedCount
  }

  #pack(id: string, name: string, value: unknown): PackedRecord[number] {
    const field = this.schema.fields[this.schema.placeOf(name)]?.field
    if (field === undefined) return undefined
    try {
      return field.pack(value)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new RangeError(`"${name}" of the record "${id}" in the replica "${this.name}": ${reason}`, {
        cause,
      })
    }
  }

  #put(id: string, packed: PackedRecord): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) {
      this.#bounds?.admit(id, packed, this.#entries.size)
      const added = this.#add(id, packed)
      if (this.#atomic.isOpen) this.#atomic.onThrow(() => this.#undoAdd(added))
      this.#page?.changed(added, undefined)
      return
    }
    const before = entry.packed
    if (changedMask(before, packed) === 0) return
    this.#bounds?.replace(id, before, packed)
    if (this.#atomic.isOpen) this.#noteUndo(entry)
    const cell = this.hasOwners ? entry.cell : this.cellAt(this.#placeFor(packed))
    if (entry.cell === cell) cell.change(entry)
    else this.#leave(entry)
    entry.packed = packed
    entry.values = undefined
    if (entry.cell !== cell) cell.enter(entry)
    this.#dirty.add(cell)
    this.#page?.changed(entry, before)
  }

  #add(id: string, packed: PackedRecord): Entry {
    const cell = this.cellAt(this.ownPlace(id) ?? this.#placeFor(packed))
    const values = undefined
    const entry: Entry = { id, packed, before: packed, cell, slot: -1, changedWith: 0, number: 0, values }
    this.#entries.set(id, entry)
    cell.enter(entry)
    this.#dirty.add(cell)
    return entry
  }

  #undoAdd(entry: Entry): void {
    this.#entries.delete(entry.id)
    this.#bounds?.remove(entry.id, entry.packed)
    entry.cell.undoEnter(entry)
  }

  /**
   * Notes how the next change of a record is undone, also its removal: it is in its slot again, so that viewers receive nothing.
   * A removed record is then the last one of the iteration.
   */
  #noteUndo(entry: Entry): void {
    const { id, packed, values, cell, slot } = entry
    const pending = cell.pendingOf(slot)
    this.#atomic.onThrow(() => {
      const isRemoved = !this.holds(entry)
      if (isRemoved) this.#entries.set(id, entry)
      else this.#bounds?.remove(id, entry.packed)
      this.#bounds?.add(id, packed)
      if (!isRemoved && entry.cell === cell) cell.undoChange(slot, pending)
      else {
        if (!isRemoved) entry.cell.undoEnter(entry)
        cell.undoLeave(entry, slot, pending)
      }
      entry.packed = packed
      entry.values = values
    })
  }

  #leave(entry: Entry): void {
    entry.cell.leave(entry)
    this.#dirty.add(entry.cell)
  }

  #placeFor(packed: PackedRecord): CellPlace {
    const { area } = this
    if (area === undefined) return { x: 0, y: 0 }
    const [x, y] = [area.x, area.y].map((place) => {
      const value = this.schema.fields[place]?.field.unpack(packed[place])
      return typeof value === "number" ? value : 0
    })
    return cellOf({ x: x ?? 0, y: y ?? 0 }, area.cellSize)
  }
}

function areaOf(schema: ReplicaSchema, { area }: ReplicaSpec<Fields>): Area | undefined {
  if (area === undefined) return undefined
  const { cellSize, range = 1 } = area
  return { x: schema.placeOf(area.x), y: schema.placeOf(area.y), cellSize, range }
}
