// One cell of a replica: its records by slot, the changes since the last tick, the deltas of the last ticks, and the snapshot.
// A delta is packed once per tick and a snapshot at most once per version, for all viewers. Must not know sessions.
import { encodeSnapshot, writeDelta } from "@hawser/protocol/core"
import type {
  BitWriter,
  CellChange,
  CellPlace,
  CellSnapshot,
  PackedRecord,
  ReplicaSchema,
} from "@hawser/protocol/core"
import { HeldDeltas } from "./held-deltas.ts"
import type { HeldDeltasLimits } from "./held-deltas.ts"

/** Values of a record by field name. `Replica` has the types of the contract. */
export type Values = Readonly<Record<string, unknown>>

/** A record of a replica. Its packed values are replaced, never modified, so that earlier references stay valid. */
export interface Entry {
  readonly id: string
  packed: PackedRecord
  /** Values before its last change in its cell that a tick has closed. */
  before: PackedRecord
  cell: ReplicaCell
  slot: number
  /** Version of its cell at its last change. */
  changedWith: number
  /** Its number in the ledger; 0 without one. */
  number: number
  /** Its values as the application reads them; undefined until they are read. */
  values: Values | undefined
}

/** Change of a slot in the open tick. `commit` reads the slot's final content. */
export type Pending =
  | { readonly kind: "enter" | "leave" }
  | { readonly kind: "change"; readonly before: PackedRecord }

/** Assumed bytes of a record before the first snapshot: a short id and a few fields. */
const minRecordBytes = 8
/** Records of one snapshot piece. A larger snapshot has several pieces, so that the size of a frame is bounded. */
const snapshotPieceRecords = 256

export class ReplicaCell {
  readonly x: number
  readonly y: number
  /** Number of viewers. */
  viewers = 0
  readonly #schema: ReplicaSchema
  readonly #slots: (Entry | undefined)[] = []
  readonly #free: number[] = []
  readonly #pending = new Map<number, Pending>()
  readonly #held: HeldDeltas
  /** Mean bytes of a record in the last snapshot. Estimates the size of the next snapshot. */
  #recordBytes = minRecordBytes
  /** Snapshot of the current version; undefined until it is packed. */
  #snapshot: readonly Uint8Array[] | undefined
  #version: number
  #size = 0

  // oxlint-disable-next-line eslint/max-params -- called in one place
  constructor(schema: ReplicaSchema, { x, y }: CellPlace, version: number, limits: HeldDeltasLimits) {
    this.#schema = schema
    this.x = x
    this.y = y
    this.#version = version
    this.#held = new HeldDeltas(limits)
  }

  /** Rises by one with each tick that changed the cell. */
  get version(): number {
    return this.#version
  }

  /** Number of records. */
  get size(): number {
    return this.#size
  }

  /** True if a change is pending that no tick has closed. */
  get isDirty(): boolean {
    return this.#pending.size > 0
  }

  enter(entry: Entry): void {
    const slot = this.#free.pop() ?? this.#slots.length
    this.#slots[slot] = entry
    this.#pending.set(slot, { kind: "enter" })
    this.#size += 1
    entry.cell = this
    entry.slot = slot
  }

  /** Called before the entry gets new values. */
  change({ slot, packed }: Entry): void {
    if (!this.#pending.has(slot)) this.#pending.set(slot, { kind: "change", before: packed })
  }

  leave({ slot }: Entry): void {
    const isNew = this.#pending.get(slot)?.kind === "enter"
    this.#slots[slot] = undefined
    this.#size -= 1
    if (isNew) {
      // No viewer has received the record. Its slot was free before the tick: a slot left in this tick is not free yet.
      this.#pending.delete(slot)
      this.#free.push(slot)
    } else {
      this.#pending.set(slot, { kind: "leave" })
    }
  }

  /** Returns the change of a slot in the open tick, for `undoChange` and `undoLeave`. */
  pendingOf(slot: number): Pending | undefined {
    return this.#pending.get(slot)
  }

  /** Undoes `enter`, after all later changes of the cell. */
  undoEnter({ slot }: Entry): void {
    this.#slots[slot] = undefined
    this.#size -= 1
    this.#pending.delete(slot)
    this.#free.push(slot)
  }

  /** Undoes `change`. @param pending result of `pendingOf` before it. */
  undoChange(slot: number, pending: Pending | undefined): void {
    if (pending === undefined) this.#pending.delete(slot)
    else this.#pending.set(slot, pending)
  }

  /** Undoes `leave`, after all later changes of the cell: the record is in its slot again. @param pending as `undoChange`. */
  undoLeave(entry: Entry, slot: number, pending: Pending | undefined): void {
    // The slot of a new record became free at once, as the last one.
    if (pending?.kind === "enter") this.#free.pop()
    this.undoChange(slot, pending)
    this.#slots[slot] = entry
    this.#size += 1
    entry.cell = this
    entry.slot = slot
  }

  /**
   * Closes the tick. Returns true if the cell has changed. Packs nothing without viewers. If a field throws while it is packed,
   * the tick is closed without a delta, viewers get a snapshot, and the error is thrown.
   */
  commit(writer: BitWriter, nowMs: number): boolean {
    const changes = this.#changes()
    this.#pending.clear()
    if (changes.length === 0) return false
    this.#version += 1
    this.#snapshot = undefined
    if (this.viewers === 0) {
      this.#held.clear()
    } else {
      try {
        writeDelta(writer, this.#schema, { changes, size: this.#size })
        this.#held.add(writer, nowMs)
      } catch (error) {
        writer.clear()
        this.#held.clear()
        throw error
      }
    }
    return true
  }

  /** True if the deltas from this version to the current version are held. */
  holdsSince(version: number): boolean {
    return version <= this.#version && version >= this.#version - this.#held.count
  }

  /**
   * Returns the deltas from this version to the current version, oldest first, in memory that the next tick reuses. Returns
   * undefined if they are not held, or are longer than the estimated snapshot.
   */
  deltasSince(version: number): Iterable<Uint8Array> | undefined {
    if (!this.holdsSince(version)) return undefined
    const count = this.#version - version
    if (count > 1 && this.#held.bytesOfLast(count) > this.#size * this.#recordBytes) return undefined
    return this.#held.read(count)
  }

  /** Delta of the last tick; undefined if it is not held. */
  get lastDelta(): Uint8Array | undefined {
    return this.#held.lastDelta
  }

  /** Memory of the held deltas, in bytes. */
  get heldBytes(): number {
    return this.#held.heldBytes
  }

  /** Drops expired deltas. Returns true if some are left. */
  expireDeltas(nowMs: number): boolean {
    this.#held.expire(nowMs)
    return this.#held.count > 0
  }

  /** Drops the deltas and the snapshot. Called when the last viewer has left. */
  dropPacked(): void {
    this.#held.clear()
    this.#snapshot = undefined
  }

  /** Returns all records, in pieces; packed once per version. */
  snapshot(writer: BitWriter): readonly Uint8Array[] {
    try {
      this.#snapshot ??= this.#pack(writer)
      return this.#snapshot
    } catch (error) {
      writer.clear()
      throw error
    }
  }

  #pack(writer: BitWriter): readonly Uint8Array[] {
    const records = this.#slots.flatMap((entry, slot) =>
      entry === undefined ? [] : [{ slot, id: entry.id, record: entry.packed, before: entry.before }],
    )
    const pieces: Uint8Array[] = []
    for (let from = 0; from === 0 || from < records.length; from += snapshotPieceRecords) {
      const piece: CellSnapshot = {
        x: this.x,
        y: this.y,
        version: this.#version,
        isFirst: from === 0,
        records: records.slice(from, from + snapshotPieceRecords),
      }
      pieces.push(encodeSnapshot(writer, this.#schema, piece))
    }
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
    this.#recordBytes = Math.max(minRecordBytes, bytes / Math.max(1, records.length))
    return pieces
  }

  /** Returns the records by slot. */
  entries(): Entry[] {
    return this.#slots.filter((entry) => entry !== undefined)
  }

  #changes(): CellChange[] {
    const changes: CellChange[] = []
    for (const slot of [...this.#pending.keys()].toSorted((a, b) => a - b)) {
      const pending = this.#pending.get(slot)
      const entry = this.#slots[slot]
      if (pending?.kind === "leave") {
        this.#free.push(slot)
        changes.push({ kind: "leave", slot })
      } else if (entry !== undefined && pending?.kind === "enter") {
        entry.changedWith = this.#version + 1
        entry.before = entry.packed
        changes.push({ kind: "enter", slot, id: entry.id, record: entry.packed })
      } else if (entry !== undefined && pending?.kind === "change") {
        const mask = changedMask(pending.before, entry.packed)
        if (mask === 0) continue
        entry.changedWith = this.#version + 1
        const was = { record: pending.before, before: entry.before }
        entry.before = pending.before
        changes.push({ kind: "change", slot, mask, record: entry.packed, was })
      }
    }
    return changes
  }
}

/** Returns one bit for each field that differs. */
export function changedMask(before: PackedRecord, after: PackedRecord): number {
  let mask = 0
  for (let place = 0; place < after.length; place += 1) {
    if (before[place] !== after[place]) mask |= 1 << place
  }
  return mask
}
